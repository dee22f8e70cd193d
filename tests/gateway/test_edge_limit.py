"""Local limits at the edge, and what of slowapi they rest on."""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
from typing import Any

import pytest
from limits import parse
from slowapi import Limiter
from starlette.requests import Request

from gateway.asgi import Scope
from gateway.core.route import ConfigurationError
from gateway.edge_limit import EdgeLimit
from gateway.exchange import KEY, Exchange
from tests.gateway.conftest import House, a_house, problem_of


def a_scope(address: str = "203.0.113.7", path: str = "/a", method: str = "GET") -> Scope:
    exchange = Exchange()
    exchange.address = address
    return {"type": "http", "method": method, "path": path, "headers": [], KEY: exchange}


class Door:
    """What stands behind a guard, and the answer when it is shut."""

    def __init__(self, limit: str = "3/minute", edge: EdgeLimit | None = None, name: str = "door") -> None:
        self.edge = edge or EdgeLimit()
        self.entered = 0
        self.waits: list[int] = []
        self.app = self.edge.guard(name, limit, self._app, self._refuse)

    async def _app(self, *_: object) -> None:
        self.entered += 1

    async def _refuse(self, _: object, wait_s: int) -> None:
        self.waits.append(wait_s)

    async def knock(self, scope: Scope | None = None) -> bool:
        before = self.entered

        async def nothing(*_: object) -> Any:
            raise AssertionError("the guard reads and sends nothing itself")

        await self.app(scope if scope is not None else a_scope(), nothing, nothing)
        return self.entered > before


class TestTheGuard:
    async def test_it_opens_as_often_as_the_limit_says(self) -> None:
        door = Door()
        assert [await door.knock() for _ in range(5)] == [True, True, True, False, False]
        assert all(1 <= wait <= 60 for wait in door.waits)
        assert door.edge.refused == 2

    async def test_no_path_and_no_method_is_a_new_start(self) -> None:
        door = Door()
        scopes = [a_scope(path=f"/{n}", method=method) for n in range(3) for method in ("GET", "HEAD")]
        assert [await door.knock(scope) for scope in scopes] == [True] * 3 + [False] * 3

    async def test_every_address_has_its_own_count(self) -> None:
        door = Door("1/minute")
        assert await door.knock(a_scope("203.0.113.7"))
        assert await door.knock(a_scope("203.0.113.8"))
        assert not await door.knock(a_scope("203.0.113.7"))

    async def test_an_ipv6_client_is_its_whole_network(self) -> None:
        door = Door("1/minute")
        assert await door.knock(a_scope("2001:db8::1"))
        assert not await door.knock(a_scope("2001:db8::ffff:2"))

    async def test_callers_without_an_address_share_a_count(self) -> None:
        """slowapi lets a request with an empty key pass without limit."""
        door = Door("1/minute")
        assert [await door.knock(a_scope("")) for _ in range(2)] == [True, False]

    async def test_two_doors_of_one_house_do_not_count_for_each_other(self) -> None:
        edge = EdgeLimit()
        one, two = Door("1/minute", edge, "one"), Door("3/minute", edge, "two")
        assert [await one.knock() for _ in range(2)] == [True, False]
        assert [await two.knock() for _ in range(4)] == [True, True, True, False]

    async def test_two_gateways_of_one_process_do_not_count_for_each_other(self) -> None:
        one, two = Door("1/minute"), Door("1/minute")
        assert await one.knock()
        assert await two.knock()

    async def test_one_request_may_pass_two_doors_and_is_counted_at_both(self) -> None:
        edge, scope = EdgeLimit(), a_scope()
        one, two = Door("9/minute", edge, "one"), Door("1/minute", edge, "two")
        for expected in (True, False):
            assert await one.knock(scope)
            assert await two.knock(scope) is expected
        assert "state" not in scope

    async def test_several_limits_hold_together(self) -> None:
        door = Door("3/second;4/hour")
        assert sum([await door.knock() for _ in range(3)]) == 3

    @pytest.mark.parametrize("limit", ["", "ten a minute", "10/fortnight"])
    def test_a_limit_that_cannot_be_read_is_refused(self, limit: str) -> None:
        with pytest.raises(ConfigurationError, match="is not a limit"):
            EdgeLimit().count("door", limit)

    def test_a_name_is_declared_once(self) -> None:
        edge = EdgeLimit()
        edge.count("door", "1/minute")
        with pytest.raises(ConfigurationError, match="twice"):
            edge.count("door", "2/minute")

    async def test_the_environment_does_not_switch_it_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "RATELIMIT_ENABLED": "false",
            "RATELIMIT_STORAGE_URL": "redis://nowhere.invalid",
            "RATELIMIT_STRATEGY": "fixed-window",
            "RATELIMIT_HEADERS_ENABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        door = Door("1/minute")
        assert [await door.knock() for _ in range(2)] == [True, False]

    async def test_no_whole_address_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            door = Door("1/minute")
            for _ in range(2):
                await door.knock()
        assert "203.0.113.7" not in caplog.text


class TestPeeking:
    def test_only_what_was_hit_counts(self) -> None:
        count = EdgeLimit().count("guesses", "2/minute")
        assert [count.peek(a_scope()) for _ in range(5)] == [0] * 5
        assert [count.hit(a_scope()) for _ in range(2)] == [0, 0]
        assert 1 <= count.peek(a_scope()) <= 60
        assert count.peek(a_scope("203.0.113.8")) == 0


class TestThePortal:
    async def test_pages_are_limited_per_address(self, postgres_url: str) -> None:
        async with a_house(postgres_url, portal_limit="2/minute") as house:
            answers = [await house.http.get(path) for path in ("/portal/", "/portal/problems/", "/portal/nowhere")]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert problem_of(answers[2])["code"] == "quota-exceeded"
            assert 1 <= int(answers[2].headers["retry-after"]) <= 60
            assert (await house.get("/web/v1/orders")).status_code == 200
            assert (await house.http.get("/healthz")).status_code == 200
            assert "strata_gateway_edge_refused_total 1\n" in (await house.http.get("/metrics")).text

    async def test_webhooks_have_no_limit_but_that_of_their_size(self, postgres_url: str) -> None:
        """A vendor that is refused for its rate gives the subscription up in the end."""
        tight = {"portal_limit": "1/hour", "issuing_limit": "1/hour", "plan_quotas": {"standard": 1}}
        async with a_house(postgres_url, **tight) as house:
            answers = [await house.http.post("/webhooks/shopify/demo", content=b"{}") for _ in range(30)]
            assert {answer.status_code for answer in answers} == {200}
            assert not any("ratelimit" in answer.headers for answer in answers)

    async def test_a_wrong_limit_stops_the_start(self, house: House, postgres_url: str) -> None:
        with pytest.raises(ConfigurationError, match="is not a limit"):
            async with a_house(postgres_url, portal_limit="many"):
                pass


class TestWhatItRestsOnInSlowapi:
    """slowapi has few releases and no promises. Read the changes, then raise the version here."""

    def test_the_version_is_the_one_it_was_written_for(self) -> None:
        assert importlib.metadata.version("slowapi") == "0.1.10"

    def test_the_documented_way_in_is_still_there(self) -> None:
        assert list(inspect.signature(Limiter.shared_limit).parameters)[:3] == ["self", "limit_value", "scope"]
        assert isinstance(inspect.getattr_static(Limiter, "limiter"), property)

    def test_settings_still_come_through_the_one_method_that_is_overridden(self) -> None:
        source = inspect.getsource(Limiter.__init__)
        assert source.count("self.get_app_config(") >= 10
        assert source.count("app_config(") == source.count("get_app_config(")

    def test_a_count_is_still_kept_under_key_and_scope(self) -> None:
        """Count.peek asks the engine for the same key."""
        limiter = Limiter(key_func=lambda: "k", strategy="sliding-window-counter")

        def view(request: Request) -> None: ...

        limiter.shared_limit("2/minute", scope="s")(view)(Request({"type": "http", "path": "/p", "headers": []}))
        assert limiter.limiter.get_window_stats(parse("2/minute"), "k", "s").remaining == 1
