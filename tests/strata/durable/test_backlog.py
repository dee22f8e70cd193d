"""A long backlog costs no more than a short one (contract point 5), and idling costs next to nothing (point 6)."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec import Struct

from strata.durable import Journal, Run
from strata.durable.worker import CLAIM


class Order(Struct, frozen=True):
    number: int


# How the runs of the backlog stand: a share is dead, parked or done, most wait to be claimed.
FILL = """
INSERT INTO durable.run (process, version, key, order_key, status, failure_class, priority, label, backend,
                         correlation_id, input, created_at, updated_at, finished_at)
SELECT 'p' || n % 5, 1, 'key-' || n, 'order-' || n, s,
       CASE WHEN s = 'dead' THEN (ARRAY['V', 'P', 'X'])[1 + n / 100 % 3] ELSE '' END, 5, '#' || n,
       CASE WHEN s = 'parked' THEN 'netsuite/main' END, md5(n::text), convert_to('{"number":' || n || '}', 'UTF8'),
       durable.now(), durable.now(), CASE WHEN s = 'done' THEN durable.now() END
FROM generate_series($1::int, $2::int) n,
     LATERAL (SELECT CASE WHEN n % 100 < 2 THEN 'dead' WHEN n % 100 < 10 THEN 'parked'
                          WHEN n % 100 < 30 THEN 'done' ELSE 'ready' END AS s) status"""


async def fill(journal: Journal, runs: int) -> None:
    async with journal.connection() as connection:
        for first in range(0, runs, 20_000):
            await connection.execute(FILL, first, min(first + 20_000, runs) - 1, timeout=120)


async def timed_ms(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measure(journal: Journal, runs: int) -> dict[str, float]:
    await fill(journal, runs)
    await journal.call("SELECT durable.fold()")  # as every worker does each second
    async with journal.connection() as connection:
        await connection.execute("VACUUM (ANALYZE) durable.run", timeout=300)  # as autovacuum does within a minute
    size = await journal.value("SELECT pg_total_relation_size('durable.run')")
    worker = await journal.value(
        "INSERT INTO durable.worker (name, dead_after_s, beat_at, processes, versions)"
        " VALUES ('w', 1e6, now(), '{}', '{}') RETURNING id"
    )
    names = [f"p{n}" for n in range(5)]
    for _ in range(10):  # plans and cache, as in a worker that has run for a while
        await journal.call(CLAIM, worker, names, [1] * 5, 50)
    claims = [await timed_ms(lambda: journal.call(CLAIM, worker, names, [1] * 5, 50)) for _ in range(300)]
    starts = [await timed_ms(lambda n=n: journal.start("p1", f"new-{n}", Order(n))) for n in range(200)]
    middle = runs // 2
    lists: dict[str, Callable[[], Awaitable[object]]] = {
        "all": journal.list_items,
        "deep page": lambda: journal.list_items(cursor=middle),
        "dead": lambda: journal.list_items(status="dead"),
        "class": lambda: journal.list_items(failure_class="V"),
        "process": lambda: journal.list_items(process="p3"),
        "process, class": lambda: journal.list_items(process="p3", failure_class="X"),
        "process, status, deep": lambda: journal.list_items(process="p2", status="done", cursor=middle),
        "backend": lambda: journal.list_items(backend="netsuite/main"),
        "counts": journal.counts,
        "one item": lambda: journal.get_item(middle),
    }
    took = {name: percentile([await timed_ms(call) for _ in range(5)][1:], 1) for name, call in lists.items()}
    return {
        "runs": runs,
        "bytes_per_run": size / runs,
        "claim50_p50_ms": percentile(claims, 0.5),
        "claim50_p99_ms": percentile(claims, 0.99),
        "start_p50_ms": percentile(starts, 0.5),
        "start_p99_ms": percentile(starts, 0.99),
        "slowest_list_ms": max(took.values()),
    } | {f"list {name}": ms for name, ms in took.items()}


class TestBacklog:
    async def test_twenty_thousand_runs(self, journal: Journal) -> None:
        found = await measure(journal, 20_000)
        print(json.dumps(found, indent=1))
        # medians with room, for other tests share the machine; the plans below and the soak test hold the contract
        assert found["claim50_p50_ms"] < 60
        assert found["start_p50_ms"] < 40
        assert found["slowest_list_ms"] < 500

    @pytest.mark.soak
    @pytest.mark.timeout(1800)
    async def test_a_million_runs(self, journal: Journal) -> None:
        found = await measure(journal, int(os.environ.get("STRATA_SOAK_RUNS", "1000000")))
        print(json.dumps(found, indent=1))
        assert found["claim50_p99_ms"] < 20
        assert found["start_p99_ms"] < 10
        assert found["slowest_list_ms"] < 100

    async def test_the_claim_walks_the_index_of_ready_heads(self, journal: Journal) -> None:
        await fill(journal, 2_000)
        async with journal.connection() as connection:
            rows = await connection.fetch("EXPLAIN (FORMAT TEXT) " + CLAIM, 1, ["p1", "p2"], [1, 1], 50)
        plan = "\n".join(row[0] for row in rows)
        assert "Index Scan using run_ready" in plan or "Index Only Scan using run_ready" in plan, plan
        assert "Seq Scan on run" not in plan, plan

    async def test_due_timers_parked_runs_and_queues_have_their_index_too(self, journal: Journal) -> None:
        await fill(journal, 2_000)
        queries = {
            "run_timer": "status IN ('sleeping', 'waiting') AND next_at <= durable.now() ORDER BY next_at LIMIT 500",
            "run_backend": "backend = 'b' AND status = 'parked' ORDER BY id LIMIT 1000",
            "run_behind": "order_key = 'k' AND status = 'queued' ORDER BY id LIMIT 1",
        }
        async with journal.connection() as connection:
            for index, query in queries.items():
                explain = f"EXPLAIN SELECT id FROM durable.run WHERE {query}"  # noqa: S608  # from the table above
                plan = "\n".join(row[0] for row in await connection.fetch(explain))
                assert index in plan, plan
                assert "Sort" not in plan, plan

    async def test_hot_tables_are_vacuumed_early(self, journal: Journal) -> None:
        rows = await journal.call(
            "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'durable'::regnamespace AND relkind = 'r'"
        )
        options = {row[0]: row[1] or [] for row in rows}
        for table in ("run", "tally", "worker"):
            assert any(o.startswith("autovacuum_vacuum_scale_factor") for o in options[table]), table


class TestIdle:
    async def test_an_idle_worker_costs_less_than_three_percent_of_a_core(self, journal: Journal, working: Any) -> None:
        async def nothing(run: Run[None], order: Order) -> None:
            """Without steps."""

        async with working({"p": nothing}, poll_s=0.25):
            await asyncio.sleep(0.5)
            shares: list[float] = []
            for _ in range(3):  # the quietest of three: what runs beside costs caches, which counts as ours
                began, cpu = time.perf_counter(), time.process_time()
                await asyncio.sleep(1.5)
                shares.append((time.process_time() - cpu) / (time.perf_counter() - began))
        assert min(shares) < 0.03, shares

    async def test_idling_writes_nothing_but_heartbeats(self, server: Any, working: Any) -> None:
        """On a server of its own: transaction ids are counted for all databases together."""

        async def nothing(run: Run[None], order: Order) -> None:
            """Without steps."""

        written = "SELECT txid_snapshot_xmax(txid_current_snapshot())"
        async with await Journal.open(server.url) as journal:
            await journal.migrate()
            await journal.pause("netsuite/main", by="ann", why="maintenance")
            await journal.resume("netsuite/main", by="ann", why="done")
            async with working({"p": nothing}, poll_s=0.02, dead_after_s=60, on=journal):
                await asyncio.sleep(0.5)
                before = await journal.value(written)
                await asyncio.sleep(1.5)
                assert await journal.value(written) - before <= 1
