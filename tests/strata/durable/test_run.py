"""What process code may rely on: steps, waits, skips, time, retries by class."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Struct

from strata.durable import At, Journal, Run
from strata.errors import (
    AuthRefused,
    Conflict,
    Invalid,
    Missing,
    Poison,
    StrataError,
    Throttled,
    Transient,
    UnknownOutcome,
)


class Order(Struct, frozen=True):
    number: str
    total: Decimal = Decimal("10.00")


class Placed(Struct, frozen=True):
    erp_id: str
    total: Decimal


class TestUnstorable:
    """What PostgreSQL refuses ends as an item of class P; it never leaves a run that stands as running for ever."""

    async def test_a_fact_that_cannot_be_stored_with_the_end_of_the_run(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def capture(run: Run[None], order: Order) -> None:
            run.note(names=["a NUL \x00 inside"])

        started = await journal.start("capture", "order-1", Order("1"))
        async with working({"capture": capture}):
            assert (await item(started.run_id, "dead")).failure_class == "P"

    async def test_a_write_that_fails_for_no_known_reason_is_tried_again(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def capture(run: Run[None], order: Order) -> None: ...

        await journal.call("ALTER TABLE durable.run ADD CONSTRAINT odd CHECK (status <> 'done')")
        started = await journal.start("capture", "order-1", Order("1"))
        async with working({"capture": capture}):
            while (await journal.get_item(started.run_id)).item.status != "running":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await journal.call("ALTER TABLE durable.run DROP CONSTRAINT odd")
            await item(started.run_id, "done")


class TestSteps:
    async def test_a_run_goes_through_its_steps_and_keeps_their_typed_results(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def place(at: At[None], order: Order) -> Placed:
            return Placed(f"erp-{order.number}", order.total)

        async def tell(at: At[None], placed: Placed) -> str:
            return f"{placed.erp_id} {placed.total}"

        async def capture(run: Run[None], order: Order) -> str:
            return await run.step(tell, await run.step(place, order))

        started = await journal.start("capture", "order-1", Order("1"))
        async with working({"capture": capture}):
            await item(started.run_id, "done")
        detail = await journal.get_item(started.run_id)
        assert detail.result == b'"erp-1 10.00"'
        assert [(s.name, s.result) for s in detail.steps] == [
            ("place", b'{"erp_id":"erp-1","total":"10.00"}'),
            ("tell", b'"erp-1 10.00"'),
        ]

    async def test_done_steps_are_not_called_again_when_a_later_one_fails(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        seen: list[tuple[str, str, int, bool]] = []

        async def first(at: At[None]) -> int:
            seen.append(("first", at.key, at.attempt, at.repeated))
            return 1

        async def second(at: At[None]) -> int:
            seen.append(("second", at.key, at.attempt, at.repeated))
            if at.attempt < 3:
                raise Transient("503")
            return 2

        async def third(at: At[None]) -> int:
            seen.append(("third", at.key, at.attempt, at.repeated))
            return 3

        async def work(run: Run[None], order: Order) -> int:
            return await run.step(first) + await run.step(second) + await run.step(third)

        await journal.set_clock(speed=20)
        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            await item(started.run_id, "done")
        assert [s[0] for s in seen] == ["first", "second", "second", "second", "third"]
        assert [s[2:] for s in seen] == [(1, False), (1, False), (2, True), (3, True), (1, False)]
        assert len({s[1] for s in seen}) == 3, "one idempotency key per step, the same on every try"
        history = (await journal.get_item(started.run_id)).history
        assert [(f.failure_class, f.attempt, f.step) for f in history] == [("T", 1, "second"), ("T", 2, "second")]

    async def test_a_step_called_twice_is_two_steps(self, journal: Journal, working: Any, item: Any) -> None:
        async def add(at: At[None], n: int) -> int:
            return n + 1

        async def work(run: Run[None], order: Order) -> int:
            return await run.step(add, await run.step(add, 1))

        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            await item(started.run_id, "done")
        assert [s.name for s in (await journal.get_item(started.run_id)).steps] == ["add", "add#2"]

    async def test_a_failure_that_the_process_caught_is_raised_again_on_replay(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        calls: list[str] = []

        async def find(at: At[None]) -> str:
            calls.append("find")
            raise Missing("no such customer") if calls.count("find") == 1 else AssertionError("found now: other path")

        async def create(at: At[None]) -> str:
            calls.append("create")
            if calls.count("create") == 1:
                raise Transient("503")
            return "created"

        async def work(run: Run[None], order: Order) -> str:
            try:
                return await run.step(find)
            except Missing:
                return await run.step(create)

        await journal.set_clock(speed=20)
        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            await item(started.run_id, "done")
        assert calls == ["find", "create", "create"]

    async def test_skips_and_time_are_recorded(self, journal: Journal, working: Any, item: Any) -> None:
        async def flaky(at: At[None], moment: datetime) -> datetime:
            if at.attempt == 1:
                raise Transient("503")
            return moment

        async def work(run: Run[None], order: Order) -> datetime:
            moment = await run.now()
            await run.skip("O2C-05", "not configured")
            run.note(label="#1001", erp_id=7)
            return await run.step(flaky, moment)

        await journal.set_clock(speed=20)
        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            found = await item(started.run_id, "done")
        detail = await journal.get_item(started.run_id)
        assert [(s.name, s.kind) for s in detail.steps] == [("now", "now"), ("O2C-05", "skip"), ("flaky", "step")]
        assert detail.steps[1].result == b'"not configured"'
        assert detail.steps[0].result == detail.result, "the replay saw the time of the first pass"
        assert (found.label, found.facts) == ("#1001", {"label": "#1001", "erp_id": 7})


class TestWaiting:
    async def test_a_run_waits_for_a_signal_and_takes_each_once(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        async def work(run: Run[None], order: Order) -> list[str]:
            got = [await run.wait_for("paid", reason="held by BR9"), await run.wait_for("paid", reason="second part")]
            return [s.decode(Order).number for s in got if s]

        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}) as worker:
            waiting = await item(started.run_id, "waiting")
            assert waiting.reason == "held by BR9"
            await until(lambda: _idle(worker))  # a waiting run holds no task
            assert await journal.signal("work", "k", "paid", Order("a"), dedupe="1")
            assert not await journal.signal("work", "k", "paid", Order("again"), dedupe="1")
            assert await journal.signal("work", "k", "paid", Order("b"), dedupe="2")
            await item(started.run_id, "done")
        assert (await journal.get_item(started.run_id)).result == b'["a","b"]'

    async def test_a_signal_that_came_before_the_wait_counts(self, journal: Journal, working: Any, item: Any) -> None:
        async def work(run: Run[None], order: Order) -> str:
            got = await run.wait_for("paid", reason="held")
            return got.decode(Order).number if got else "timeout"

        started = await journal.start("work", "k", Order("1"))
        await journal.signal("work", "k", "paid", Order("early"), dedupe="1")
        async with working({"work": work}):
            await item(started.run_id, "done")
        assert (await journal.get_item(started.run_id)).result == b'"early"'

    async def test_a_wait_ends_at_its_timeout(self, journal: Journal, working: Any, item: Any) -> None:
        async def work(run: Run[None], order: Order) -> str:
            return "timeout" if await run.wait_for("paid", reason="held", timeout_s=3600) is None else "signal"

        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            await item(started.run_id, "waiting")
            await journal.advance_clock(3500)
            await item(started.run_id, "waiting")
            await journal.advance_clock(101)
            await item(started.run_id, "done")
        assert (await journal.get_item(started.run_id)).result == b'"timeout"'

    async def test_a_signal_to_nobody_is_an_error(self, journal: Journal) -> None:
        with pytest.raises(Missing):
            await journal.signal("work", "nobody", "paid", b"{}", dedupe="1")


FATES = [
    (Transient("503"), "sleeping", "T", 1),
    (UnknownOutcome("no answer"), "sleeping", "U", 1),
    (Throttled("429", retry_after_s=30), "sleeping", "R", 0),
    (AuthRefused("401"), "sleeping", "A", 0),
    (Missing("customer 7"), "waiting", "D", 1),
    (Invalid("unknown SKU"), "dead", "V", 1),
    (Conflict("ETag"), "dead", "X", 1),
    (Poison("not JSON"), "dead", "P", 1),
    (StrataError("unforeseen"), "dead", "P", 1),
    (KeyError("total"), "dead", "P", 1),
]


class TestFailureClasses:
    @pytest.mark.parametrize("fate", FATES, ids=lambda fate: type(fate[0]).__name__)
    async def test_each_class_has_its_fate(
        self, journal: Journal, working: Any, item: Any, fate: tuple[Exception, str, str, int]
    ) -> None:
        error, status, failure_class, attempt = fate

        async def fails(at: At[None]) -> None:
            raise error

        async def work(run: Run[None], order: Order) -> None:
            await run.step(fails)

        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            found = await item(started.run_id, status)
        assert (found.failure_class, found.attempt, found.step) == (failure_class, attempt, "fails")
        assert str(error).strip("'") in (found.reason or "")
        if isinstance(error, Throttled):
            assert 28 < (found.next_at - await journal.now()).total_seconds() <= 30

    async def test_transient_failures_end_as_a_dead_letter_by_time_not_by_attempts(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        tries: list[datetime] = []

        async def fails(at: At[None]) -> None:
            tries.append(await journal.now())
            raise Transient("503")

        async def work(run: Run[None], order: Order) -> None:
            await run.step(fails)

        await journal.set_clock(speed=10_000)
        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}, poll_s=0.01):
            found = await item(started.run_id, "dead", within_s=20)
        assert found.failure_class == "T"
        assert 4 * 3600 < (tries[-1] - tries[0]).total_seconds() < 8 * 3600

    async def test_a_dependency_is_looked_at_again_when_a_signal_says_it_landed(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        landed: list[bool] = []

        async def needs(at: At[None]) -> str:
            if not landed:
                raise Missing("customer 7")
            return "there"

        async def work(run: Run[None], order: Order) -> str:
            return await run.step(needs)

        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            await item(started.run_id, "waiting")
            landed.append(True)
            await journal.signal("work", "k", "customer-created", b"{}", dedupe="7")
            await item(started.run_id, "done")

    async def test_a_dependency_that_never_lands_becomes_a_validation_error(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def needs(at: At[None]) -> str:
            raise Missing("customer 7")

        async def work(run: Run[None], order: Order) -> str:
            return await run.step(needs)

        started = await journal.start("work", "k", Order("1"))
        async with working({"work": work}):
            await item(started.run_id, "waiting")
            await journal.advance_clock(25 * 3600)
            assert (await item(started.run_id, "dead")).failure_class == "V"


async def _idle(worker: Any) -> bool:
    return not worker._tasks
