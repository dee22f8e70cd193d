"""Four hours without a backend (contract point 4): nothing is held, nobody else waits, everything drains in order."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import psutil
import pytest
from msgspec import Struct

from strata.durable import At, Journal, Run
from strata.errors import Transient


class Order(Struct, frozen=True):
    number: int


class Outage:
    """An ERP that is away and a shop that is not."""

    def __init__(self) -> None:
        self.away = True
        self.failed = 0
        self.done: list[int] = []
        self.at_once = 0
        self.shop_started = 0.0
        self.shop_ms: list[float] = []

    async def erp(self, at: At[Any]) -> None:
        if self.away:
            self.failed += 1
            raise Transient("503")
        self.done.append(at.run_id)

    async def shop(self, at: At[Any]) -> None:
        self.shop_ms.append((time.perf_counter() - self.shop_started) * 1000)

    async def with_circuit(self, run: Run[None], order: Order) -> None:
        await run.step(self.erp, backend="netsuite/main")

    async def alone(self, run: Run[None], order: Order) -> None:
        await run.step(self.erp)

    async def to_shop(self, run: Run[None], order: Order) -> None:
        await run.step(self.shop, backend="shopify/main")


def rss_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


async def waiting_for(journal: Journal, status: str) -> int:
    return sum(c.n for c in await journal.counts() if c.status == status)


def in_order(done: list[int], keys: dict[int, int]) -> bool:
    last: dict[int, int] = {}
    for run in done:
        if last.get(keys[run], 0) > run:
            return False
        last[keys[run]] = run
    return True


async def outage(
    journal: Journal, intake: Journal, working: Any, until: Any, *, runs: int, turns: int
) -> dict[str, float]:
    """`runs` orders (four per key) accepted over four hours of an outage with the circuit open."""
    seen = Outage()
    keys: dict[int, int] = {}
    async with working({"order": seen.with_circuit, "shop": seen.to_shop}, poll_s=0.1) as worker:
        for n in range(50):
            keys[(await intake.start("order", f"w{n}", Order(n), order_key=f"o{n}")).run_id] = n
        await until(lambda: _circuit(journal))
        opened, before, slots, began = seen.failed, rss_mb(), 0, time.perf_counter()
        for turn in range(turns):
            first, last = runs * turn // turns, runs * (turn + 1) // turns
            for block in range(first, last, 10):
                numbers = range(block, min(block + 10, last))
                made = await asyncio.gather(
                    *(intake.start("order", f"{n}", Order(n), order_key=f"o{n // 4}") for n in numbers)
                )
                keys.update({m.run_id: n // 4 for n, m in zip(numbers, made, strict=True)})
            await journal.advance_clock(4 * 3600 / turns)
            await asyncio.sleep(0.12)
            seen.shop_started = time.perf_counter()
            await intake.start("shop", f"{turn}", Order(turn))
            await until(lambda turn=turn: _many(seen.shop_ms, turn + 1))
            slots = max(slots, len(worker._tasks))
        intake_s = time.perf_counter() - began
        await until(lambda: _nobody(worker))
        grown = rss_mb() - before
        heads = await waiting_for(journal, "parked")
        assert seen.done == []
        assert await waiting_for(journal, "running") == 0
        seen.away = False
        began = time.perf_counter()
        await journal.advance_clock(31)
        await until(lambda: _many(seen.done, len(keys)), within_s=60 + runs / 50)
        drain_s = time.perf_counter() - began
    assert len(seen.done) == len(set(seen.done)) == len(keys), "each exactly once"
    assert in_order(seen.done, keys), "in order per key"
    first_of: dict[int, int] = {}
    for run in sorted(keys):
        first_of.setdefault(keys[run], run)
    heads_done = [run for run in seen.done if first_of[keys[run]] == run]
    rank = {run: i for i, run in enumerate(sorted(heads_done))}
    displaced = max(abs(i - rank[run]) for i, run in enumerate(heads_done))
    shop = sorted(seen.shop_ms)
    return {
        "runs": len(keys), "heads_parked": heads, "calls_to_the_dead_backend": seen.failed,
        "calls_before_it_opened": opened,
        "probes_possible": turns, "rss_grown_mb": grown, "slots_while_waiting": slots, "displaced_heads": displaced,
        "other_backend_p50_ms": shop[len(shop) // 2], "other_backend_max_ms": shop[-1],
        "intake_per_s": runs / intake_s, "drain_per_s": len(keys) / drain_s,
    }  # fmt: skip


class TestOpenCircuit:
    async def test_an_outage_holds_nothing_and_drains_in_order(
        self, journal: Journal, postgres_url: str, working: Any, until: Any
    ) -> None:
        async with await Journal.open(postgres_url) as intake:
            found = await outage(journal, intake, working, until, runs=400, turns=12)
        print(json.dumps(found, indent=1))
        assert found["calls_to_the_dead_backend"] <= found["calls_before_it_opened"] + found["probes_possible"] + 2
        assert found["other_backend_p50_ms"] < 400
        assert found["displaced_heads"] <= 64, "oldest first across keys, within what is carried at once"

    @pytest.mark.soak
    @pytest.mark.timeout(1200)
    async def test_four_hours_and_forty_thousand_orders(
        self, journal: Journal, postgres_url: str, working: Any, until: Any
    ) -> None:
        async with await Journal.open(postgres_url) as intake:
            found = await outage(journal, intake, working, until, runs=40_000, turns=240)
        print(json.dumps(found, indent=1))
        assert found["calls_to_the_dead_backend"] <= found["calls_before_it_opened"] + found["probes_possible"] + 2
        assert found["rss_grown_mb"] < 20
        assert found["other_backend_p50_ms"] < 100
        assert found["displaced_heads"] <= 64


class TestIndividualRetries:
    @pytest.mark.parametrize(
        ("runs", "speed"),
        [(30, 1200), pytest.param(2000, 60, marks=[pytest.mark.soak, pytest.mark.timeout(600)])],
    )
    async def test_without_a_circuit_retries_outlive_four_hours_and_hold_nothing(
        self, journal: Journal, working: Any, until: Any, runs: int, speed: float
    ) -> None:
        seen = Outage()
        await journal.set_clock(speed=speed)
        keys: dict[int, int] = {}
        for n in range(runs):
            keys[(await journal.start("order", f"{n}", Order(n), order_key=f"o{n // 2}")).run_id] = n // 2
        began = await journal.now()
        async with working({"order": seen.alone}, poll_s=0.05) as worker:
            await until(lambda: _several(seen, runs // 2))
            before, held = rss_mb(), []
            while (await journal.now() - began).total_seconds() < 4 * 3600:
                await asyncio.sleep(0.2)
                held.append(len(worker._tasks))
            grown = rss_mb() - before
            assert await waiting_for(journal, "dead") == 0
            seen.away = False
            await until(lambda: _many(seen.done, runs), within_s=30)
        print(json.dumps({"attempts": seen.failed, "rss_grown_mb": grown, "held_mean": sum(held) / len(held)}))
        assert in_order(seen.done, keys)
        assert grown < 20


async def _circuit(journal: Journal) -> bool:
    return bool(await journal.paused())


async def _many(done: list[Any], wanted: int) -> bool:
    return len(done) >= wanted


async def _several(seen: Outage, wanted: int) -> bool:
    return seen.failed >= wanted


async def _nobody(worker: Any) -> bool:
    return not worker._tasks
