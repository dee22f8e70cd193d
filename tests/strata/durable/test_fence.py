"""Late writes of a worker that was taken for dead are refused, each of them (contract point 7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import Struct

from strata.durable import At, Journal, Run
from strata.errors import Transient


class Order(Struct, frozen=True):
    number: int


LATE = ["record", "park", "finish", "wait", "skip"]


class TestFence:
    @pytest.mark.parametrize("late", LATE)
    async def test_a_late_write_is_refused(
        self, journal: Journal, working: Any, item: Any, until: Any, late: str
    ) -> None:
        """The first worker is held inside a step while a second one takes the run over and ends it."""
        held, go = asyncio.Event(), asyncio.Event()
        who: list[str] = []

        async def hold(at: At[str]) -> str:
            who.append(at.services)
            if at.services == "first":
                held.set()
                await go.wait()
                if late == "park":
                    raise Transient("503")
            return at.services

        async def work(run: Run[str], order: Order) -> str:
            if late == "record":
                return await run.step(hold)
            at: At[str] = At(
                run.services, key="", attempt=1, repeated=False, run_id=run.id, correlation_id="", traceparent=None
            )
            if late == "park":
                return await run.step(hold)
            result = await hold(at)  # outside any step: what is written next is the late write
            if late == "wait":
                await run.wait_for("go", reason="late", timeout_s=0.0)
            if late == "skip":
                await run.skip("O2C-05", "not configured")
            return result

        started = await journal.start("work", "k", Order(1))
        async with working({"work": work}, "first", dead_after_s=60) as first:
            await held.wait()
            await journal.call("UPDATE durable.worker SET beat_at = beat_at - interval '1 hour'")
            async with working({"work": work}, "second", dead_after_s=60):
                await item(started.run_id, "done")
                before = await everything(journal)
                go.set()
                await until(lambda: _idle(first))
                assert await everything(journal) == before
        assert who == ["first", "second"]
        assert (await journal.get_item(started.run_id)).result == b'"second"'

    async def test_between_the_take_over_and_the_next_claim_it_is_refused_too(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        held, go = asyncio.Event(), asyncio.Event()

        async def hold(at: At[None]) -> None:
            held.set()
            await go.wait()

        async def work(run: Run[None], order: Order) -> None:
            await run.step(hold)

        started = await journal.start("work", "k", Order(1))
        async with working({"work": work}, dead_after_s=60) as worker:
            await held.wait()
            await journal.call("UPDATE durable.worker SET beat_at = beat_at - interval '1 hour', processes = '{}'")
            assert await journal.value("SELECT durable.housekeep(0)") == 1
            go.set()
            await until(lambda: _idle(worker))
            assert (await journal.get_item(started.run_id)).item.status == "ready"
            assert (await journal.get_item(started.run_id)).steps == ()


class TestShutdown:
    async def test_a_stopping_worker_finishes_what_is_quick_and_hands_back_the_rest(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        began: list[int] = []

        async def lasts(at: At[None], seconds: float) -> None:
            began.append(at.run_id)
            await asyncio.sleep(seconds)

        async def work(run: Run[None], order: Order) -> None:
            await run.step(lasts, 0.2 if order.number == 1 else 60.0)

        quick, slow = await journal.start("work", "1", Order(1)), await journal.start("work", "2", Order(2))
        async with working({"work": work}, grace_s=1.0):
            await item(quick.run_id, "running")
            await item(slow.run_id, "running")
            await until(lambda: _both(began))
        assert (await journal.get_item(quick.run_id)).item.status == "done"
        detail = await journal.get_item(slow.run_id)
        assert (detail.item.status, detail.item.attempt, detail.history) == ("ready", 0, ())

    async def test_a_cancellation_from_within_is_a_failure_not_a_loop(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def cancels(at: At[None]) -> None:
            raise asyncio.CancelledError("from a library")

        async def work(run: Run[None], order: Order) -> None:
            await run.step(cancels)

        started = await journal.start("work", "k", Order(1))
        async with working({"work": work}):
            assert (await item(started.run_id, "dead")).failure_class == "P"


async def everything(journal: Journal) -> list[Any]:
    rows = await journal.call(
        "SELECT id, status, fence, attempt, step, reason, result, facts::text, updated_at FROM durable.run"
    )
    steps = await journal.call("SELECT run_id, pos, name, result, fence FROM durable.step ORDER BY 1, 2")
    history = await journal.call("SELECT run_id, status FROM durable.history")
    return [tuple(row) for row in [*rows, *steps, *history]]


async def _idle(worker: Any) -> bool:
    return not worker._tasks


async def _both(began: list[int]) -> bool:
    return len(began) == 2
