"""New code under runs in flight, versions side by side, and errors nobody classified (contract points 10 and 13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from strata.durable import At, Journal, Run, define
from strata.errors import CodeChanged, Invalid


class Order(Struct, frozen=True):
    number: int


class Code:
    """Step functions that count, and the versions of a process that call them."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.broken = True

    async def a(self, at: At[None]) -> str:
        self.calls.append("a")
        return "a"

    async def b(self, at: At[None]) -> str:
        self.calls.append("b")
        return "b"

    async def extra(self, at: At[None]) -> str:
        self.calls.append("extra")
        return "extra"

    async def last(self, at: At[None]) -> str:
        self.calls.append("last")
        if self.broken:
            raise Invalid("not yet")
        return "last"

    def process(self, *names: str) -> Callable[..., Any]:
        async def work(run: Run[None], order: Order) -> list[str]:
            return [await run.step(getattr(self, name.split(":")[0]), name=name.split(":")[-1]) for name in names]

        return work


CHANGES = {
    "inserted": ("extra", "a", "b", "last"),
    "renamed": ("a", "b:renamed", "last"),
    "removed": ("a", "last"),
    "reordered": ("b", "a", "last"),
    "all removed": (),
}


class TestChangedCode:
    @pytest.mark.parametrize("change", CHANGES)
    async def test_recorded_steps_that_do_not_fit_stop_the_run_until_the_code_does(
        self, journal: Journal, working: Any, item: Any, change: str
    ) -> None:
        code = Code()
        original, changed = code.process("a", "b", "last"), code.process(*CHANGES[change])
        run = await journal.start("work", "k", Order(1), order_key="o")
        behind = await journal.start("work", "k2", Order(2), order_key="o")
        async with working({"work": original}):
            await item(run.run_id, "dead")
        code.calls.clear()
        code.broken = False
        async with working({"work": changed}):
            await journal.retry(run.run_id, by="ann", why="deployed")
            found = await item(run.run_id, "dead")
            assert found.failure_class == CodeChanged.failure_class
            assert found.behind == 1, "its key is blocked"
        assert code.calls == [], "nothing was called on the strength of the wrong records"
        async with working({"work": original}):
            await journal.retry(run.run_id, by="ann", why="fixed")
            await item(run.run_id, "done")
            await item(behind.run_id, "done")
        assert code.calls == ["last", "a", "b", "last"]

    async def test_a_step_added_at_the_end_is_no_trouble(self, journal: Journal, working: Any, item: Any) -> None:
        code = Code()
        run = await journal.start("work", "k", Order(1))
        async with working({"work": code.process("a", "last")}):
            await item(run.run_id, "dead")
        code.broken = False
        async with working({"work": code.process("a", "last", "extra")}):
            await journal.retry(run.run_id, by="ann", why="deployed")
            await item(run.run_id, "done")
        assert code.calls == ["a", "last", "last", "extra"]


class TestVersions:
    async def test_versions_stand_side_by_side_and_a_run_keeps_its_own(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        code = Code()
        one = define("work", code.process("a", "last"), version=1)
        two = define("work", code.process("b", "last"), version=2)
        async with working([one]):
            old = await journal.start("work", "old", Order(1))
            assert (await item(old.run_id, "dead")).version == 1
        code.broken = False
        async with working([one, two]):
            new = await journal.start("work", "new", Order(1))
            assert (await item(new.run_id, "done")).version == 2
            await journal.retry(old.run_id, by="ann", why="mended")
            assert (await item(old.run_id, "done")).version == 1
        assert (await journal.get_item(old.run_id)).result == b'["a","last"]'
        assert (await journal.get_item(new.run_id)).result == b'["b","last"]'

    async def test_a_version_that_no_worker_knows_is_told_and_not_forgotten(
        self, journal: Journal, working: Any, item: Any, until: Any
    ) -> None:
        code = Code()
        code.broken = False
        run = await journal.start("work", "k", Order(1), version=7)
        async with working([define("work", code.process("a"), version=6)]):
            [alert] = await until(journal.alerts)
            assert (alert.kind, alert.subject) == ("unknown process", "work v7")
            assert "1 unfinished run" in alert.message
        async with working([define("work", code.process("a"), version=7)]):
            await item(run.run_id, "done")

            async def silent() -> bool:
                return await journal.alerts() == ()

            await until(silent)


class TestUnclassified:
    @pytest.mark.parametrize("where", ["process", "step", "input", "result", "recorded result"])
    async def test_an_error_nobody_foresaw_stops_the_run_and_keeps_its_raw_input(
        self, journal: Journal, working: Any, item: Any, where: str
    ) -> None:
        async def step(at: At[None]) -> Any:
            if where == "step":
                raise ZeroDivisionError("bug")
            return object() if where == "recorded result" else 1

        async def work(run: Run[None], order: Order) -> Any:
            await run.step(step)
            if where == "process":
                raise KeyError("total")
            return object() if where == "result" else None

        raw = b'{"number": "not a number"}' if where == "input" else b'{"number":  1}'
        run = await journal.start("work", "k", raw, order_key="o")
        behind = await journal.start("work", "k2", b'{"number": 2}', order_key="o")
        other = await journal.start("other", "k", b'{"number": 2}')

        async def fine(run: Run[None], order: Order) -> None:
            """Without steps."""

        async with working({"work": work, "other": fine}):
            found = await item(run.run_id, "dead")
            await item(other.run_id, "done")
        assert (found.failure_class, found.behind) == ("P", 1)
        assert (await journal.get_item(run.run_id)).input == raw
        assert (await journal.get_item(behind.run_id)).item.status == "queued"
