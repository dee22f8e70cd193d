"""Roll-ups in PostgreSQL: counted once, merged across gateways, patient while the database is away."""

from __future__ import annotations

import asyncio

import asyncpg

from gateway.analytics.flusher import Flusher
from gateway.core.account import BUCKETS, Ledger, RollupKey, percentile_us
from tests.gateway.conftest import House, a_house


def key(minute: int, api: str = "web") -> RollupKey:
    return RollupKey(minute, api, "get_order", "c", 2)


async def rows(postgres_url: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(postgres_url)
    found = await connection.fetch("SELECT * FROM gateway.rollups ORDER BY minute, api, operation, status_class")
    await connection.close()
    return found


class TestWriting:
    async def test_requests_are_counted_by_api_operation_client_and_status(
        self, own_house: House, postgres_url: str
    ) -> None:
        for _ in range(3):
            await own_house.get("/web/v1/orders")
        own_house.web.status = 404
        await own_house.get("/web/v1/orders/a")
        await own_house.http.get("/web/v1/orders")
        assert own_house.gateway._flusher is not None
        assert await own_house.gateway._flusher.flush()
        counted = {
            (row["api"], row["operation"], row["client"], row["status_class"]): row["requests"]
            for row in await rows(postgres_url)
        }
        assert counted["orders-web", "web_list_orders", own_house.client_id, 2] == 3
        assert counted["orders-web", "web_get_order", own_house.client_id, 4] == 1
        assert counted["orders-web", "web_list_orders", "-", 4] == 1
        assert counted["gateway", "token", "-", 2] == 1

    async def test_several_gateways_add_up(self, own_house: House, postgres_url: str) -> None:
        pool = own_house.gateway._pool
        assert pool is not None
        ledgers = [Ledger() for _ in range(3)]
        for ledger in ledgers:
            for number in range(200):
                ledger.count(key(1, f"api-{number % 20}"), 1_000 * (number + 1))
        assert all(await asyncio.gather(*(Flusher(ledger, pool, 1).flush() for ledger in ledgers)))
        found = [row for row in await rows(postgres_url) if row["api"].startswith("api-")]
        assert len(found) == 20
        assert sum(row["requests"] for row in found) == 600
        whole = [sum(row["histogram"][i] for row in found) for i in range(BUCKETS)]
        assert sum(whole) == 600
        assert abs(percentile_us(whole, 0.5) - 100_000) < 12_000

    async def test_what_waits_is_written_at_shutdown(self, postgres_url: str) -> None:
        async with a_house(postgres_url) as house:
            await house.http.get("/healthz")
        assert any(row["operation"] == "alive" for row in await rows(postgres_url))


class TestTheDatabaseIsAway:
    async def test_rows_wait_and_are_written_later_once(self, own_house: House, postgres_url: str) -> None:
        ledger = Ledger()
        ledger.count(key(1), 10)
        gone = await asyncpg.create_pool(postgres_url, min_size=1, max_size=1)
        gone.terminate()
        flusher = Flusher(ledger, gone, 1)
        assert not await flusher.flush()
        assert not await flusher.flush()
        assert flusher.failures == 2
        ledger.count(key(1), 20)
        assert own_house.gateway._pool is not None
        assert await Flusher(ledger, own_house.gateway._pool, 1).flush()
        (row,) = [row for row in await rows(postgres_url) if row["client"] == "c"]
        assert (row["requests"], row["latency_us"]) == (2, 30)

    async def test_memory_stays_bounded_and_what_was_dropped_is_known(self, postgres_url: str) -> None:
        ledger = Ledger(max_rows=100)
        gone = await asyncpg.create_pool(postgres_url, min_size=1, max_size=1)
        gone.terminate()
        flusher = Flusher(ledger, gone, 1)
        for minute in range(500):
            ledger.count(key(minute), 10)
            if minute % 50 == 0:
                await flusher.flush()
        assert len(ledger.rows) == 100
        assert ledger.dropped_requests == 400
        assert min(row.minute for row in ledger.rows) == 400
