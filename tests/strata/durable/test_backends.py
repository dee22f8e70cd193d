"""A paused or dark backend: nobody calls it, nobody waits in memory, nobody else is held up (points 4, 12)."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct

from strata.durable import At, Journal, Run
from strata.errors import AuthRefused, Throttled, Transient


class Order(Struct, frozen=True):
    number: int


class Backend:
    """A system that can be told to fail, and remembers who called."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls: list[int] = []
        self.done: list[int] = []

    async def call(self, at: At[Any], number: int) -> int:
        self.calls.append(number)
        if self.error is not None:
            raise self.error
        self.done.append(number)
        return number


def flows(erp: Backend, shop: Backend) -> dict[str, Any]:
    async def to_erp(run: Run[None], order: Order) -> int:
        return await run.step(erp.call, order.number, backend="netsuite/main")

    async def to_shop(run: Run[None], order: Order) -> int:
        return await run.step(shop.call, order.number, backend="shopify/main")

    return {"to_erp": to_erp, "to_shop": to_shop}


class TestPause:
    async def test_a_paused_backend_is_not_called_and_nobody_else_waits(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        async with working(flows(erp, shop), capacity=4) as worker:
            await journal.pause("netsuite/main", by="ann", why="maintenance")
            held = [await journal.start("to_erp", f"k{n}", Order(n)) for n in range(20)]
            for run in held:
                assert (await item(run.run_id, "parked")).attempt == 0
            await until(lambda: _idle(worker))
            started = asyncio.get_running_loop().time()
            other = await journal.start("to_shop", "other", Order(1))
            await item(other.run_id, "done")
            assert asyncio.get_running_loop().time() - started < 1.0
            assert erp.calls == []
            [paused] = await journal.paused()
            assert (paused.backend, paused.reason, paused.by, paused.why, paused.parked) == (
                "netsuite/main",
                "operator",
                "ann",
                "maintenance",
                20,
            )
            await journal.resume("netsuite/main", by="ann", why="done")
            for run in held:
                await item(run.run_id, "done")
        assert [(await journal.get_item(run.run_id)).history for run in held] == [()] * 20
        assert await journal.paused() == ()

    async def test_a_pause_ends_by_itself_when_it_was_given_an_end(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        async with working(flows(erp, shop)):
            now = await journal.now()
            await journal.pause("netsuite/main", by="ann", why="window", until=now.replace(year=now.year + 1))
            run = await journal.start("to_erp", "k", Order(1))
            await item(run.run_id, "parked")
            await journal.advance_clock(367 * 86400)
            await item(run.run_id, "done")

    async def test_after_the_resume_the_oldest_goes_first_whatever_its_order_key(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        await journal.pause("netsuite/main", by="ann", why="maintenance")
        async with working(flows(erp, shop), capacity=2):
            held = [await journal.start("to_erp", f"k{n}", Order(n), order_key=f"o{n % 7}") for n in range(60)]
            await item(held[6].run_id, "parked")
            await asyncio.sleep(0.2)
            await journal.resume("netsuite/main", by="ann", why="done")
            for run in held:
                await item(run.run_id, "done")
        for key in range(7):
            of_key = [n for n in erp.done if n % 7 == key]
            assert of_key == sorted(of_key)

    async def test_pause_and_resume_reach_every_worker_within_two_seconds(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        async with working(flows(erp, shop)) as one, working(flows(erp, shop)) as two:
            await journal.pause("netsuite/main", by="ann", why="maintenance")

            async def known() -> bool:
                return all("netsuite/main" in w._backends and w._backends["netsuite/main"].paused for w in (one, two))

            async def forgotten() -> bool:
                return not any(w._backends["netsuite/main"].paused for w in (one, two))

            await until(known, within_s=2)
            await journal.resume("netsuite/main", by="ann", why="done")
            await until(forgotten, within_s=2)


class TestCircuit:
    async def test_while_it_is_open_only_probes_call_and_one_success_closes_it(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        erp.error = Transient("503")
        async with working(flows(erp, shop), capacity=3):
            runs = [await journal.start("to_erp", f"k{n}", Order(n)) for n in range(40)]
            await until(lambda: _parked(journal, 40))
            opened = len(erp.calls)
            assert opened <= 5 + 2, "five failures open it; calls under way then may fail too"
            await asyncio.sleep(1)
            assert len(erp.calls) == opened
            await journal.advance_clock(2)
            await until(lambda: _calls(erp, opened + 1))
            await asyncio.sleep(0.3)
            assert len(erp.calls) == opened + 1, "one probe, then twice the pause"
            [paused] = await journal.paused()
            assert (paused.reason, paused.why) == ("circuit", "503")
            assert 3 < (paused.until - await journal.now()).total_seconds() <= 4
            assert [a.subject for a in await journal.alerts()] == ["netsuite/main"]
            erp.error = None
            await journal.advance_clock(5)
            for run in runs:
                await item(run.run_id, "done")
            assert await journal.paused() == ()
            assert await journal.alerts() == ()

    async def test_the_pause_between_probes_grows_to_thirty_seconds(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        erp.error = Transient("503")
        async with working(flows(erp, shop)):
            for n in range(6):
                await journal.start("to_erp", f"k{n}", Order(n))
            await until(lambda: _parked(journal, 6))
            for _ in range(6):
                before = len(erp.calls)
                await journal.advance_clock(31)
                await until(lambda before=before: _calls(erp, before + 1))
                await until(lambda: _parked(journal, 6))
            [paused] = await journal.paused()
            assert 28 < (paused.until - await journal.now()).total_seconds() <= 30

    async def test_failures_with_successes_between_open_nothing(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        calls: list[int] = []

        async def every_other(at: At[None], number: int) -> int:
            calls.append(number)
            if len(calls) % 2:
                raise Transient("503")
            return number

        async def work(run: Run[None], order: Order) -> int:
            return await run.step(every_other, order.number, backend="b")

        await journal.set_clock(speed=20)
        async with working({"work": work}, capacity=1):
            for n in range(8):
                await item((await journal.start("work", f"k{n}", Order(n))).run_id, "done")
        assert await journal.paused() == ()

    async def test_a_refused_credential_pauses_the_backend_and_a_probe_tests_it(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        erp.error = AuthRefused("401")
        async with working(flows(erp, shop)):
            first = await journal.start("to_erp", "first", Order(1))
            assert (await item(first.run_id, "parked")).attempt == 0
            assert [p.reason for p in await journal.paused()] == ["auth"]
            second = await journal.start("to_erp", "second", Order(2))
            await item(second.run_id, "parked")
            assert erp.calls == [1]
            erp.error = None
            await journal.advance_clock(6)
            await item(first.run_id, "done")
            await item(second.run_id, "done")

    async def test_throttling_burns_no_attempts_however_long_it_lasts(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        erp, shop = Backend(), Backend()
        erp.error = Throttled("429", retry_after_s=3600)
        async with working(flows(erp, shop)):
            run = await journal.start("to_erp", "k", Order(1))
            for n in range(8):
                await until(lambda n=n: _calls(erp, n + 1))
                assert (await item(run.run_id, "sleeping")).attempt == 0
                await journal.advance_clock(3601)
            erp.error = None
            await journal.advance_clock(3601)
            await item(run.run_id, "done")


async def _parked(journal: Journal, wanted: int) -> bool:
    return sum(c.n for c in await journal.counts() if c.status == "parked") == wanted


async def _idle(worker: Any) -> bool:
    return not worker._tasks


async def _calls(backend: Backend, wanted: int) -> bool:
    return len(backend.calls) >= wanted
