"""The client under the governor: the account's limit holds, and lost calls keep their place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from strata import governor as governors
from strata import http
from strata.connections import Connection
from strata.errors import AuthRefused, NotFound, Throttled, Transient, UnknownOutcome
from strata.governor import Governor
from system_apis.exchange import Exchange
from system_apis.netsuite import wire
from system_apis.netsuite.auth import auth_of
from system_apis.netsuite.backend import NetSuiteConnection
from system_apis.netsuite.client import NetSuiteClient, external
from tests.sandboxes import Sandbox

CURRENCIES = "SELECT id, symbol FROM currency ORDER BY id"
OpenErp = Callable[[Connection], NetSuiteClient]


@pytest.fixture
def slow(sandbox: Sandbox) -> AsyncIterator[Sandbox]:
    """The sandbox answering 30 ms later."""
    sandbox.netsuite.limits(latency_ms=30)
    yield sandbox  # pyright: ignore[reportReturnType]
    sandbox.netsuite.limits(latency_ms=0)


class TestLimit:
    async def test_two_processes_with_many_tasks_never_have_more_in_flight_than_the_account_allows(
        self, slow: Sandbox, postgres_url: str
    ) -> None:
        async with asyncpg.create_pool(postgres_url, min_size=2, max_size=4) as pool:
            await governors.migrate(pool)
            closers = []
            clients: list[NetSuiteClient] = []
            for _ in range(2):
                options = slow.erp().decode(NetSuiteConnection)
                web, governor = http.client(timeout_s=5, connections=40), Governor(pool)
                exchange = Exchange("netsuite", "erp", web)
                clients.append(NetSuiteClient(options, exchange, auth_of(exchange, options), governor))
                closers += [web.aclose, governor.close]
            await asyncio.gather(*(c.query(CURRENCIES, wire.CurrencyRow) for c in clients for _ in range(40)))
            for close in closers:
                await close()
        summary = slow.netsuite.requests()["summary"]
        assert summary["total"] == 80
        assert summary["max_concurrency"] == 5
        assert summary["throttled"] == 0

    async def test_waiting_too_long_for_a_place_is_throttled_with_a_hint(
        self, sandbox: Sandbox, open_erp: OpenErp
    ) -> None:
        client = open_erp(sandbox.erp(concurrency=1, wait_s=0.2))
        sandbox.netsuite.fault("latency", "suiteql", latency_ms=1500, times=1)
        first = asyncio.create_task(client.query(CURRENCIES, wire.CurrencyRow))
        await asyncio.sleep(0.2)
        with pytest.raises(Throttled) as caught:
            await client.query(CURRENCIES, wire.CurrencyRow)
        assert caught.value.retry_after_s is not None
        assert await first


class TestLostCalls:
    async def test_a_call_that_timed_out_keeps_its_place_until_the_server_ends_it(
        self, sandbox: Sandbox, open_erp: OpenErp
    ) -> None:
        client = open_erp(
            sandbox.erp(concurrency=2, request_timeout_s=0.5, server_limit_s=2.0, connect_timeout_s=0.1, wait_s=10)
        )
        await client.query(CURRENCIES, wire.CurrencyRow)
        sandbox.netsuite.fault("timeout_before", "suiteql", hang_s=1.8, times=2)
        started = time.monotonic()
        lost = await asyncio.gather(
            *(client.query(CURRENCIES, wire.CurrencyRow) for _ in range(2)), return_exceptions=True
        )
        assert [type(error) for error in lost] == [Transient, Transient]
        assert time.monotonic() - started < 1.8
        await client.query(CURRENCIES, wire.CurrencyRow)
        assert time.monotonic() - started > 1.9
        assert sandbox.netsuite.requests()["summary"]["max_concurrency"] <= 2

    async def test_a_caller_that_goes_away_does_not_free_the_place_of_its_call(
        self, sandbox: Sandbox, open_erp: OpenErp
    ) -> None:
        client = open_erp(sandbox.erp(concurrency=1))
        sandbox.netsuite.fault("latency", "suiteql", latency_ms=700, times=1)
        call = asyncio.create_task(client.query(CURRENCIES, wire.CurrencyRow))
        await asyncio.sleep(0.3)
        call.cancel()
        started = time.monotonic()
        await client.query(CURRENCIES, wire.CurrencyRow)
        assert time.monotonic() - started > 0.2
        summary = sandbox.netsuite.requests()["summary"]
        assert summary["max_concurrency"] == 1

    async def test_a_connection_that_netsuite_cut_frees_its_place_at_once(
        self, sandbox: Sandbox, open_erp: OpenErp
    ) -> None:
        client = open_erp(sandbox.erp(concurrency=1, server_limit_s=30.0))
        sandbox.netsuite.fault("connection_reset", "customer:PUT", times=1)
        body = wire.MoreCurrencies(currency_list=wire.Lines(()))
        with pytest.raises(UnknownOutcome):
            await client.put("customer", "sh:x:customer:1", body, replace="currencyList", what="x")
        started = time.monotonic()
        await client.query(CURRENCIES, wire.CurrencyRow)
        assert time.monotonic() - started < 2.0


class TestLogin:
    async def test_a_401_under_load_is_tried_once_more(self, sandbox: Sandbox, open_erp: OpenErp) -> None:
        client = open_erp(sandbox.erp())
        sandbox.netsuite.fault("status", "suiteql", status=401, times=1)
        assert await client.query(CURRENCIES, wire.CurrencyRow)

    async def test_a_401_that_stays_is_a_refused_credential(self, sandbox: Sandbox, open_erp: OpenErp) -> None:
        client = open_erp(sandbox.erp())
        sandbox.netsuite.fault("status", "suiteql", status=401)
        with pytest.raises(AuthRefused):
            await client.query(CURRENCIES, wire.CurrencyRow)
        assert sandbox.netsuite.requests()["summary"]["by_operation"]["suiteql"] == 2

    @pytest.mark.parametrize("key", ["O'Hara & Söhne", "a/b?c#d", "100% *!()", "eid:x", "日本"])
    async def test_every_key_is_signed_as_it_is_sent(self, sandbox: Sandbox, open_erp: OpenErp, key: str) -> None:
        with pytest.raises(NotFound):
            await open_erp(sandbox.erp()).get("customer", external(key), wire.CustomerRecord)


class TestPages:
    async def test_a_query_of_more_than_a_page_is_read_to_the_end(self, sandbox: Sandbox, open_erp: OpenErp) -> None:
        client = open_erp(sandbox.erp())
        places = "location l CROSS JOIN customer c CROSS JOIN subsidiary s"
        sql = f"SELECT l.id AS subsidiary FROM {places} ORDER BY c.id, s.id, l.id"  # noqa: S608  # constants
        rows = await client.query_all(sql, wire.SubsidiaryRow)
        assert len(rows) > 1000
