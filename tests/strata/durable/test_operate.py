"""What a person may do to an item (contract point 11)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import Struct, structs

from strata.durable import At, InboundEvent, ItemFilter, Journal, Run, Subscription
from strata.errors import Conflict, Invalid, NotFound


class Order(Struct, frozen=True):
    number: str


class Erp:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.knows_skus = False

    async def customer(self, at: At[Any], order: Order) -> str:
        self.calls.append(("customer", order.number))
        return "c-1"

    async def order(self, at: At[Any], order: Order) -> str:
        self.calls.append(("order", order.number))
        if not self.knows_skus and order.number == "bad":
            raise Invalid("unknown SKU X")
        return f"so-{order.number}"

    def flow(self) -> dict[str, Any]:
        async def capture(run: Run[None], order: Order) -> str:
            await run.step(self.customer, order)
            return await run.step(self.order, order)

        return {"capture": capture}


@pytest.fixture
def erp() -> Erp:
    return Erp()


BY = {"by": "ann", "why": "mended"}


class TestDeadRuns:
    async def test_retry_goes_on_from_the_failed_step(
        self, journal: Journal, working: Any, item: Any, erp: Erp
    ) -> None:
        run = await journal.start("capture", "k", Order("bad"))
        async with working(erp.flow()):
            await item(run.run_id, "dead")
            erp.knows_skus = True
            await journal.retry(run.run_id, by="ann", why="SKU created")
            await item(run.run_id, "done")
        assert [name for name, _ in erp.calls] == ["customer", "order", "order"]
        detail = await journal.get_item(run.run_id)
        assert [(a.actor, a.action, a.why) for a in detail.audit] == [("ann", "retry", "SKU created")]
        assert detail.problem is None

    async def test_edit_replaces_the_input_and_keeps_the_old_one(
        self, journal: Journal, working: Any, item: Any, erp: Erp
    ) -> None:
        run = await journal.start("capture", "k", Order("bad"))
        async with working(erp.flow()):
            await item(run.run_id, "dead")
            await journal.edit(run.run_id, Order("good"), **BY)
            await item(run.run_id, "done")
        assert erp.calls == [("customer", "bad"), ("order", "bad"), ("order", "good")]
        assert (await journal.get_item(run.run_id)).audit[0].before == b'{"number":"bad"}'

    async def test_a_skipped_step_gets_its_result_by_hand(
        self, journal: Journal, working: Any, item: Any, erp: Erp
    ) -> None:
        run = await journal.start("capture", "k", Order("bad"))
        async with working(erp.flow()):
            await item(run.run_id, "dead")
            await journal.skip_step(run.run_id, "order", "so-by-hand", **BY)
            await item(run.run_id, "done")
            with pytest.raises(Conflict):
                await journal.skip_step(run.run_id, "order", "again", **BY)
        assert [name for name, _ in erp.calls] == ["customer", "order"]
        assert (await journal.get_item(run.run_id)).result == b'"so-by-hand"'

    async def test_discard_lets_the_next_of_the_key_go(
        self, journal: Journal, working: Any, item: Any, erp: Erp
    ) -> None:
        head = await journal.start("capture", "k1", Order("bad"), order_key="o")
        behind = [await journal.start("capture", f"k{n}", Order("good"), order_key="o") for n in (2, 3)]
        other = await journal.start("capture", "other", Order("good"))
        async with working(erp.flow()):
            assert (await item(head.run_id, "dead")).behind == 2
            await item(other.run_id, "done")
            assert (await item(behind[0].run_id, "queued")).status == "queued"
            await journal.discard(head.run_id, **BY)
            await journal.discard(head.run_id, **BY)
            for run in behind:
                await item(run.run_id, "done")
        assert len((await journal.get_item(head.run_id)).audit) == 1

    async def test_a_run_in_the_middle_of_the_queue_may_be_discarded(
        self, journal: Journal, working: Any, item: Any, erp: Erp
    ) -> None:
        runs = [await journal.start("capture", f"k{n}", Order("good"), order_key="o") for n in range(3)]
        await journal.discard(runs[1].run_id, **BY)
        async with working(erp.flow()):
            await item(runs[2].run_id, "done")
        assert (await journal.get_item(runs[1].run_id)).item.status == "discarded"

    async def test_nothing_is_done_to_a_running_or_ended_run(self, journal: Journal, working: Any, item: Any) -> None:
        go = asyncio.Event()

        async def slow(at: At[None]) -> None:
            await go.wait()

        async def work(run: Run[None], order: Order) -> None:
            await run.step(slow)

        run = await journal.start("work", "k", Order("1"))

        async def refused() -> None:
            with pytest.raises(Conflict):
                await journal.retry(run.run_id, **BY)
            with pytest.raises(Conflict):
                await journal.edit(run.run_id, Order("2"), **BY)
            with pytest.raises(Conflict):
                await journal.skip_step(run.run_id, "slow", None, **BY)
            with pytest.raises(Conflict):
                await journal.discard(run.run_id, **BY)

        async with working({"work": work}):
            await item(run.run_id, "running")
            await refused()
            go.set()
            await item(run.run_id, "done")
            await refused()
        assert (await journal.get_item(run.run_id)).audit == ()

    async def test_an_item_that_is_not_there_is_not_found(self, journal: Journal) -> None:
        with pytest.raises(NotFound):
            await journal.retry(404, **BY)
        with pytest.raises(NotFound):
            await journal.get_item(404)

    async def test_many_are_retried_at_once_each_audited(
        self, journal: Journal, working: Any, item: Any, erp: Erp
    ) -> None:
        runs = [await journal.start("capture", f"k{n}", Order("bad")) for n in range(25)]
        async with working(erp.flow()):
            for run in runs:
                await item(run.run_id, "dead")
            erp.knows_skus = True
            assert await journal.retry_many(ItemFilter(failure_class="V", process="capture"), **BY) == 25
            for run in runs:
                await item(run.run_id, "done")
        assert all([len((await journal.get_item(run.run_id)).audit) == 1 for run in runs])


class TestEvents:
    async def test_a_quarantined_event_is_edited_read_again_and_routed(self, journal: Journal) -> None:
        def reparse(event: InboundEvent) -> InboundEvent:
            return structs.replace(event, subject=event.body.decode(), data=b'{"number":"7"}')

        await journal.subscribe([Subscription(event="shopify.order.*", process="capture")])
        bad = InboundEvent(source="s", delivery_id="1", type="shopify.order.created", subject="", body=b"?")
        inbox_id = await journal.quarantine(bad, "no id")
        journal.reparse = reparse
        await journal.edit(inbox_id, b"order:7", by="ann", why="id added")
        [run] = (await journal.list_items(process="capture")).items
        assert (run.key, (await journal.get_item(run.id)).input) == ("order:7", b'{"number":"7"}')
        detail = await journal.get_item(inbox_id)
        assert (detail.item.status, detail.input, detail.audit[0].before) == ("routed", b"order:7", b"?")
        with pytest.raises(Conflict):
            await journal.retry(inbox_id, **BY)

    async def test_a_quarantined_event_may_be_discarded_with_a_reason(self, journal: Journal) -> None:
        bad = InboundEvent(source="s", delivery_id="1", type="t", subject="", body=b"?")
        inbox_id = await journal.quarantine(bad, "no id")
        await journal.discard(inbox_id, **BY)
        assert (await journal.list_items(status="quarantined")).items == ()
        assert [a.action for a in (await journal.get_item(inbox_id)).audit] == ["discard"]


class TestLists:
    async def test_pages_follow_one_another_without_gap_or_double(self, journal: Journal) -> None:
        ids = [(await journal.start(f"p{n % 3}", f"k{n}", Order("1"))).run_id for n in range(25)]
        seen: list[int] = []
        cursor = None
        while True:
            page = await journal.list_items(cursor=cursor, limit=10)
            seen += [i.id for i in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == sorted(ids, reverse=True)
        assert len((await journal.list_items(process="p1", status=["ready", "dead"])).items) == 8
        assert (await journal.list_items(process="p1", status="dead")).items == ()
