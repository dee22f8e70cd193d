"""A contract served and called: in process and over a socket, strictly, with typed errors on both ways."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn

from strata.calls import ASGIApp, InProcess, OverNetwork, Request, within
from strata.canonical.money import Money
from strata.errors import (
    BadParameter,
    Forbidden,
    Invalid,
    NotFound,
    StrataError,
    Throttled,
    Transient,
    Unauthenticated,
    UnknownOutcome,
)
from strata.internal import TOKEN_HEADER, ServiceTokens
from strata.serve import Mount, service
from strata.topology import client_type
from tests.conftest import free_port
from tests.strata.house import Tea, TeaHouse, Teas, context

SECRET = "a-secret-of-at-least-32-characters!"


@pytest.fixture
def house() -> TeaHouse:
    return TeaHouse()


@pytest.fixture
def app(house: TeaHouse) -> ASGIApp:
    return service(context(), "process-tea-house", [Mount(house)])


@pytest.fixture
async def url(app: ASGIApp) -> AsyncIterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


def bound(upstream: Any) -> Teas:
    client = client_type(Teas)()
    client.bind(upstream, "/teas/v1", 5.0)
    return client


@pytest.fixture(params=["in process", "over the network"])
async def teas(request: pytest.FixtureRequest, app: ASGIApp, url: str) -> AsyncIterator[Teas]:
    if request.param == "in process":
        yield bound(InProcess("process-tea-house", app, "experience-web"))
    else:
        async with httpx.AsyncClient(base_url=url) as client:
            yield bound(OverNetwork("process-tea-house", client, ServiceTokens(SECRET), "experience-web"))


class TestTypedCalls:
    async def test_arguments_and_result_keep_their_types(self, teas: Teas, house: TeaHouse) -> None:
        since = datetime(2026, 11, 20, tzinfo=UTC)
        tea = await teas.get_tea("sh:northwind:order:1", since=since, hot=False)
        assert tea == Tea("sh:northwind:order:1", Money(Decimal("2.50"), "EUR"))
        assert house.asked == [("sh:northwind:order:1", since, False)]

    async def test_odd_characters_in_a_path_parameter_arrive_as_they_are(self, teas: Teas, house: TeaHouse) -> None:
        await teas.get_tea("50% off? #1 ü")
        assert house.asked[0][0] == "50% off? #1 ü"

    async def test_a_body_travels_there_and_back(self, teas: Teas) -> None:
        tea = Tea("green", Money(Decimal("0.10"), "KWD"), 3)
        assert await teas.put_tea("1", body=tea) == tea

    async def test_an_operation_without_result_answers_none(self, teas: Teas, house: TeaHouse) -> None:
        await teas.spill("1", times=2)
        assert house.asked == [("1", 2)]

    async def test_the_error_of_the_other_side_is_raised_here_with_its_facts(self, teas: Teas) -> None:
        with pytest.raises(NotFound, match="no such tea"):
            await teas.get_tea("none")
        with pytest.raises(Throttled) as throttled:
            await teas.put_tea("1", body=Tea("green", Money(Decimal(1), "EUR"), 10))
        assert throttled.value.retry_after_s == 7
        with pytest.raises(Invalid) as invalid:
            await teas.put_tea("1", body=Tea("coffee", Money(Decimal(1), "EUR")))
        assert invalid.value.errors[0].code == "no-tea"

    async def test_an_unforeseen_error_tells_nothing_of_itself(self, teas: Teas) -> None:
        with pytest.raises(StrataError) as failure:
            await teas.get_tea("secret")
        assert "hunter2" not in str(failure.value)
        assert type(failure.value) is StrataError

    async def test_a_parameter_out_of_range_is_refused_where_it_is(self, teas: Teas) -> None:
        with pytest.raises(BadParameter) as failure:
            await teas.spill("1", times=10)
        assert failure.value.errors[0].pointer == "/query/times"


class TestDeadlines:
    async def test_a_read_that_takes_too_long_is_transient_and_a_write_unknown(self) -> None:
        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(5)

        upstream = InProcess("process-slow", slow, "experience-web")
        with pytest.raises(Transient):
            await upstream.call(Request("GET", "/x"), 0.05)
        with pytest.raises(UnknownOutcome):
            await upstream.call(Request("PUT", "/x"), 0.05)

    async def test_what_is_left_of_the_callers_time_bounds_the_calls_below(self) -> None:
        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(5)

        client = bound(InProcess("process-slow", slow, "experience-web"))
        started = time.monotonic()
        with pytest.raises(Transient):
            async with within(0.1):
                await client.get_tea("1")
        assert time.monotonic() - started < 2


class TestTheDoor:
    async def test_a_stranger_is_not_let_in(self, url: str) -> None:
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/teas/v1/teas/1")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unauthenticated"

    @pytest.mark.parametrize(
        "token",
        [
            "rubbish",
            ServiceTokens("another-secret-of-32-characters-or-more").sign("experience-web", "process-tea-house"),
            ServiceTokens(SECRET).sign("experience-web", "process-orders"),
        ],
        ids=["rubbish", "foreign secret", "other audience"],
    )
    async def test_a_token_that_is_not_ours_for_this_service_is_refused(self, url: str, token: str) -> None:
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/teas/v1/teas/1", headers={TOKEN_HEADER.decode(): token})
        assert answer.status_code == 401

    async def test_a_service_of_the_wrong_layer_is_refused(self, app: ASGIApp) -> None:
        with pytest.raises(Forbidden):
            await bound(InProcess("process-tea-house", app, "gateway")).get_tea("1")
        with pytest.raises(Unauthenticated):
            await bound(InProcess("process-tea-house", app, "")).get_tea("1")


def _raw(app: ASGIApp) -> InProcess:
    return InProcess("process-tea-house", app, "experience-web")


class TestStrictInput:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b'{"name":"a","price":{"amount":"1","currency":"EUR"},"cups":"1"}', 422, "validation-error"),
            (b'{"name":"a","price":{"amount":"1","currency":"EUR"},"milk":1}', 422, "validation-error"),
            (b'{"name":"a","price":{"amount":"1","currency":"EUR","x":1}}', 422, "validation-error"),
            (b'{"name":"a","name":"b","price":{"amount":"1","currency":"EUR"}}', 400, "duplicate-member"),
            (b'{"name":"a","\\u006eame":"b","price":{"amount":"1","currency":"EUR"}}', 400, "duplicate-member"),
            (b"[" * 100_000, 400, "payload-too-complex"),
            (b'{"name":"\xff"}', 400, "malformed-json"),
            (b'{"name":NaN}', 400, "malformed-json"),
            (b"", 400, "malformed-json"),
        ],
    )
    async def test_a_body_that_does_not_fit_is_refused_with_a_reason(
        self, app: ASGIApp, body: bytes, status: int, code: str
    ) -> None:
        answer = await _raw(app).call(Request("PUT", "/teas/v1/teas/1", body=body), 5)
        problem = msgspec.json.decode(answer.body)
        assert (answer.status, problem["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            (b"milk=1", "/query/milk"),
            (b"hot=true&hot=false", "/query/hot"),
            (b"since=2026-11-20T00:00:00", "/query/since"),
        ],
    )
    async def test_a_query_that_does_not_fit_is_refused_where_it_is(
        self, app: ASGIApp, query: bytes, pointer: str
    ) -> None:
        answer = await _raw(app).call(Request("GET", "/teas/v1/teas/1", query), 5)
        problem = msgspec.json.decode(answer.body)
        assert (answer.status, problem["errors"][0]["pointer"]) == (400, pointer)

    async def test_no_route_and_no_method_are_problems_too(self, app: ASGIApp) -> None:
        nothing = await _raw(app).call(Request("GET", "/coffee"), 5)
        no_method = await _raw(app).call(Request("POST", "/teas/v1/teas/1"), 5)
        assert (nothing.status, msgspec.json.decode(nothing.body)["code"]) == (404, "not-found")
        assert (no_method.status, msgspec.json.decode(no_method.body)["code"]) == (405, "method-not-allowed")


class TestBothWays:
    def test_an_implementation_that_leaves_an_operation_out_is_not_served(self) -> None:
        class Half(Teas):
            async def get_tea(self, tea_id: str, *, since: Any = None, hot: bool = True) -> Tea:
                raise AssertionError

        with pytest.raises(TypeError, match="put_tea"):
            service(context(), "process-tea-house", [Mount(Half())])
