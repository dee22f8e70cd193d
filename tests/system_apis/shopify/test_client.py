"""Shopify's protocol: points, and errors that come with status 200. Faked at the socket, nowhere else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.errors import AuthRefused, Conflict, Invalid, NotFound, StrataError, Throttled, Transient, UnknownOutcome
from system_apis.exchange import Exchange
from system_apis.shopify import documents, wire
from system_apis.shopify.auth import ClientCredentials, auth_of
from system_apis.shopify.backend import ShopifyConnection
from system_apis.shopify.client import Points, ShopifyClient, refuse, search_value

Answer = Callable[[httpx.Request], httpx.Response]
SHOP = ShopifyConnection(shop="acme", access_token="shpat_good", max_wait_s=0.3)
GOOD = {"data": {"shop": {"name": "Acme"}}}


def answering(answer: Answer, connection: ShopifyConnection = SHOP) -> ShopifyClient:
    exchange = Exchange("shopify", "acme", httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    return ShopifyClient(connection, exchange, auth_of(exchange, connection))


def cost(requested: float, available: float, rate: float = 1000.0) -> dict[str, Any]:
    status = {"maximumAvailable": 20000.0, "currentlyAvailable": available, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": status}}


def throttled(requested: float, available: float, rate: float = 1000.0) -> dict[str, Any]:
    """As on community.shopify.com 8456: extensions beside the errors."""
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    return {"errors": [error], "extensions": cost(requested, available, rate)}


def error(code: str, message: str = "No.") -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}], "data": None}


class TestPoints:
    async def test_a_short_wait_is_waited_and_tried_again(self) -> None:
        answers = [throttled(100, 0), GOOD]
        client = answering(lambda _: httpx.Response(200, json=answers.pop(0)))
        started = time.monotonic()
        assert (await client.run(documents.SHOP, {})).shop.name == "Acme"
        assert time.monotonic() - started >= 0.09

    async def test_a_long_wait_is_told_to_the_caller(self) -> None:
        client = answering(lambda _: httpx.Response(200, json=throttled(1000, 0, 100)))
        with pytest.raises(Throttled) as caught:
            await client.run(documents.SHOP, {})
        assert caught.value.retry_after_s == pytest.approx(10, abs=0.5)

    async def test_what_is_known_to_be_too_much_is_not_even_sent(self) -> None:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(200, json={**GOOD, "extensions": cost(900, 50, 100)})

        client = answering(answer)
        await client.run(documents.SHOP, {})
        with pytest.raises(Throttled):
            await client.run(documents.SHOP, {})
        assert len(sent) == 1

    @given(requested=st.floats(0, 1000), available=st.floats(0, 20000), rate=st.floats(1, 2000), later=st.floats(0, 60))
    @settings(max_examples=200, deadline=None)
    def test_after_the_wait_there_are_points_enough(
        self, requested: float, available: float, rate: float, later: float
    ) -> None:
        points = Points()
        heard = wire.Cost(requested, None, wire.ThrottleStatus(20000.0, available, rate))
        points.heard("x", heard, 100.0)
        wait = points.wait_s("x", 100.0 + later)
        assert wait >= 0
        assert available + rate * (later + wait) >= requested - 1e-6


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "means"),
        [
            pytest.param(200, error("ACCESS_DENIED"), AuthRefused, id="scope missing"),
            pytest.param(200, error("SHOP_INACTIVE"), AuthRefused, id="shop inactive"),
            pytest.param(200, error("INTERNAL_SERVER_ERROR"), Transient, id="internal error"),
            pytest.param(200, error("undefinedField"), StrataError, id="a document that is wrong"),
            pytest.param(200, error("MAX_COST_EXCEEDED"), StrataError, id="a document that is too dear"),
            pytest.param(200, {"errors": [{"message": "Invalid global id 'x'"}]}, NotFound, id="a bad id"),
            pytest.param(200, {"errors": "something"}, StrataError, id="errors as a text"),
            pytest.param(200, {"data": None}, Transient, id="nothing"),
            pytest.param(200, {}, Transient, id="an empty answer"),
            pytest.param(200, {"data": {"shop": {"name": 1}}}, StrataError, id="another shape"),
            pytest.param(401, {"errors": "[API] Invalid API key or access token"}, AuthRefused, id="401"),
            pytest.param(402, {}, AuthRefused, id="frozen"),
            pytest.param(403, {}, AuthRefused, id="403"),
            pytest.param(404, {}, AuthRefused, id="no such shop"),
            pytest.param(423, {}, AuthRefused, id="locked"),
            pytest.param(400, {}, StrataError, id="malformed"),
            pytest.param(500, {}, Transient, id="500"),
            pytest.param(503, {}, Transient, id="503"),
        ],
    )
    async def test_it_has_its_class(self, status: int, body: object, means: type[StrataError]) -> None:
        client = answering(lambda _: httpx.Response(status, json=body))
        with pytest.raises(StrataError) as caught:
            await client.run(documents.SHOP, {})
        assert type(caught.value) is means

    async def test_429_says_when_to_come_back(self) -> None:
        client = answering(lambda _: httpx.Response(429, headers={"retry-after": "2.0"}))
        with pytest.raises(Throttled) as caught:
            await client.run(documents.SHOP, {})
        assert caught.value.retry_after_s == 2.0

    @pytest.mark.parametrize("trouble", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
    async def test_a_mutation_without_an_answer_may_have_happened(self, trouble: type[httpx.RequestError]) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            raise trouble("x", request=request)

        with pytest.raises(UnknownOutcome):
            await answering(answer).run(documents.LINK_CUSTOMER, {"metafields": []})
        with pytest.raises(Transient):
            await answering(answer).run(documents.SHOP, {})

    async def test_the_token_is_in_no_error(self) -> None:
        client = answering(lambda _: httpx.Response(401, json={"errors": "shpat_good is wrong"}))
        with pytest.raises(AuthRefused) as caught:
            await client.run(documents.SHOP, {})
        assert "shpat_good" not in str(caught.value)

    async def test_values_travel_as_variables(self) -> None:
        seen: list[dict[str, Any]] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(json.loads(request.content))
            return httpx.Response(200, json={"data": {"order": None}})

        await answering(answer).run(documents.ORDER, {"id": '") { shop { name } } #'})
        assert seen[0]["query"] == documents.ORDER.text
        assert seen[0]["variables"] == {"id": '") { shop { name } } #'}


class TestRefuse:
    @pytest.mark.parametrize(
        ("user_error", "means"),
        [
            (wire.UserError("Owner does not exist.", ["metafields", "0", "ownerId"], "INVALID"), NotFound),
            (wire.UserError("Order does not exist", ["id"]), NotFound),
            (wire.UserError("Fulfillment order is already closed.", ["fulfillment"]), Conflict),
            (wire.UserError("The object has changed", None, "STALE_OBJECT"), Conflict),
            (wire.UserError("Quantity must be less than 3", ["fulfillment", "quantity"]), Invalid),
            (wire.UserError("Value is too long", ["value"], "TOO_LONG"), Invalid),
        ],
    )
    def test_user_errors_have_their_class_and_place(self, user_error: wire.UserError, means: type[StrataError]) -> None:
        with pytest.raises(StrataError) as caught:
            refuse(wire.Payload((user_error,)), "It")
        assert type(caught.value) is means
        assert caught.value.errors[0].pointer == "/" + "/".join(user_error.field or ())

    def test_a_payload_that_is_null_passes(self) -> None:
        with pytest.raises(Transient):
            refuse(None, "It")


class TestSearchValue:
    @given(text=st.text(max_size=60))
    @settings(max_examples=300, deadline=None)
    def test_a_value_never_ends_its_quotes(self, text: str) -> None:
        quoted = search_value(text)
        assert quoted[0] == quoted[-1] == "'"
        plain, escaped = [], False
        for character in quoted[1:-1]:
            if escaped:
                plain.append(character)
            elif character != "\\":
                assert character not in "'\""
                plain.append(character)
            escaped = character == "\\" and not escaped
        assert not escaped
        assert "".join(plain) == text


class TestClientCredentials:
    def shop(self, tokens: list[str], fetched: list[bytes]) -> Answer:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/admin/oauth/access_token":
                fetched.append(request.content)
                return httpx.Response(200, json={"access_token": tokens[len(fetched) - 1], "expires_in": 86399})
            good = request.headers["x-shopify-access-token"] == tokens[-1]
            return httpx.Response(200, json=GOOD) if good else httpx.Response(401, json={"errors": "[API] Invalid"})

        return answer

    CONNECTION = ShopifyConnection(shop="acme", client_id="id", client_secret="cs")

    async def test_a_token_is_fetched_once_and_kept(self) -> None:
        fetched: list[bytes] = []
        client = answering(self.shop(["one"], fetched), self.CONNECTION)
        for _ in range(3):
            await client.run(documents.SHOP, {})
        assert [json.loads(body) for body in fetched] == [
            {"grant_type": "client_credentials", "client_id": "id", "client_secret": "cs"}
        ]

    async def test_a_refused_token_is_fetched_again_once(self) -> None:
        fetched: list[bytes] = []
        client = answering(self.shop(["old", "new"], fetched), self.CONNECTION)
        assert (await client.run(documents.SHOP, {})).shop.name == "Acme"
        assert len(fetched) == 2

    async def test_wrong_app_credentials_are_refused(self) -> None:
        client = answering(lambda _: httpx.Response(400, json={"error": "invalid_client"}), self.CONNECTION)
        with pytest.raises(AuthRefused):
            await client.run(documents.SHOP, {})

    async def test_a_token_that_was_renewed_meanwhile_is_not_fetched_again(self) -> None:
        fetched: list[bytes] = []
        exchange = Exchange(
            "shopify", "acme", httpx.AsyncClient(transport=httpx.MockTransport(self.shop(["one", "two"], fetched)))
        )
        credentials = ClientCredentials(exchange, self.CONNECTION)
        await credentials.token()
        assert [await credentials.renew("one"), await credentials.renew("another")] == [True, True]
        assert len(fetched) == 2
