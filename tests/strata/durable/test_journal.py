"""What intake relies on: starts, events, subscriptions, watermarks, schedules, retention."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec import Struct

from strata.durable import At, InboundEvent, Journal, Run, Schedule, Started, Subscription
from strata.errors import Poison, StoreUnavailable, Transient


class Order(Struct, frozen=True):
    number: str


async def nothing(run: Run[None], order: Order) -> None:
    """A process without steps."""


def delivery(
    number: int, *, version: str = "1", kind: str = "shopify.order.created", subject: str = "order:1"
) -> InboundEvent:
    return InboundEvent(
        source="shopify/main",
        delivery_id=f"d-{number}",
        type=kind,
        subject=subject,
        version=version,
        body=b'{ "id": 1 }',
        headers={"x-shopify-topic": "orders/create"},
        data=msgspec.json.encode(Order(str(number))),
    )


class TestStart:
    async def test_twenty_starts_of_one_key_at_once_are_one_run(self, journal: Journal) -> None:
        started = await asyncio.gather(*(journal.start("p", "k", Order(str(n))) for n in range(20)))
        assert len({s.run_id for s in started}) == 1
        assert [s.created for s in started].count(True) == 1
        assert await journal.start("p", "k", Order("another body")) == Started(started[0].run_id, False)

    async def test_a_value_that_cannot_be_stored_is_refused_and_harms_nobody(self, journal: Journal) -> None:
        results = await asyncio.gather(
            *(journal.start("p", f"k{n}", Order("1")) for n in range(5)),
            journal.start("p", "a NUL \x00 in the key", Order("1")),
            journal.start("p", "x" * 100_000 + "".join(map(str, range(20_000))), Order("1")),
            return_exceptions=True,
        )
        assert [type(r) for r in results] == [Started] * 5 + [Poison] * 2

    async def test_without_a_store_nothing_is_acknowledged(self) -> None:
        async with await Journal.open("postgresql://postgres@127.0.0.1:1/none", patience_s=0.1) as journal:
            with pytest.raises(StoreUnavailable):
                await journal.start("p", "k", Order("1"))
            with pytest.raises(StoreUnavailable):
                await journal.receive(delivery(1))

    async def test_a_later_start_waits_for_its_time(self, journal: Journal, working: Any, item: Any) -> None:
        async with working({"p": nothing}):
            later = msgspec.convert(await journal.now(), type=object)
            started = await journal.start("p", "k", Order("1"), not_before=later.replace(year=later.year + 1))
            await item(started.run_id, "sleeping")
            await journal.advance_clock(366 * 86400)
            await item(started.run_id, "done")


class TestEvents:
    async def test_an_event_starts_the_runs_that_are_subscribed(self, journal: Journal) -> None:
        await journal.subscribe(
            [
                Subscription(event="shopify.order.*", process="capture"),
                Subscription(event="shopify.order.created", process="audit", key="{source}:{delivery_id}"),
                Subscription(event="shopify.refund.*", process="refund"),
            ]
        )
        received = await journal.receive(delivery(1))
        assert not received.duplicate
        items = [(await journal.get_item(run)).item for run in received.runs]
        assert sorted((i.process, i.key, i.order_key) for i in items) == [
            ("audit", "shopify/main:d-1", "order:1"),
            ("capture", "order:1", "order:1"),
        ]
        event = await journal.get_item(received.inbox_id)
        assert (event.input, event.item.status) == (b'{ "id": 1 }', "routed")

    async def test_a_delivery_counts_once(self, journal: Journal) -> None:
        await journal.subscribe([Subscription(event="shopify.order.*", process="capture")])
        first = await journal.receive(delivery(1))
        again = await asyncio.gather(*(journal.receive(delivery(1)) for _ in range(5)))
        assert {(r.inbox_id, r.runs) for r in again} == {(first.inbox_id, first.runs)}
        assert all(r.duplicate for r in again)

    async def test_a_later_version_signals_the_run_that_is_there_once(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def capture(run: Run[None], order: Order) -> list[str]:
            got = await run.wait_for("changed", reason="unpaid")
            return [order.number, got.decode(Order).number if got else "timeout"]

        await journal.subscribe([Subscription(event="shopify.order.*", process="capture", on_existing="changed")])
        [run_id] = (await journal.receive(delivery(1))).runs
        await journal.receive(delivery(2, version="2", kind="shopify.order.paid"))
        await journal.receive(delivery(3, version="2", kind="shopify.order.updated"))
        async with working({"capture": capture}):
            await item(run_id, "done")
        detail = await journal.get_item(run_id)
        assert detail.result == b'["1","2"]'
        assert len(detail.signals) == 1, "two deliveries of one version are the same fact"

    async def test_events_that_came_before_the_subscription_are_routed_when_it_comes(self, journal: Journal) -> None:
        early = [await journal.receive(delivery(n, subject=f"order:{n}")) for n in range(3)]
        assert [r.runs for r in early] == [(), (), ()]
        await journal.subscribe([Subscription(event="shopify.order.*", process="capture")])
        assert [i.key for i in (await journal.list_items(process="capture")).items] == ["order:2", "order:1", "order:0"]

    async def test_no_event_is_missed_while_subscriptions_come_and_events_too(self, journal: Journal) -> None:
        async def deliver(n: int) -> None:
            await journal.receive(delivery(n, subject=f"order:{n}"))

        async def subscribe() -> None:
            await asyncio.sleep(0.02)
            await journal.subscribe([Subscription(event="shopify.order.*", process="capture")])

        await asyncio.gather(subscribe(), *(deliver(n) for n in range(60)))
        assert sum(c.n for c in await journal.counts()) == 60

    async def test_an_unreadable_event_is_an_item_and_blocks_nothing(self, journal: Journal) -> None:
        await journal.subscribe([Subscription(event="shopify.order.*", process="capture")])
        bad = InboundEvent(source="s", delivery_id="1", type="shopify.order.created", subject="", body=b"\x00 not JSON")
        inbox_id = await journal.quarantine(bad, "line 1: not JSON")
        [found] = (await journal.list_items(failure_class="P")).items
        assert (found.id, found.kind, found.status, found.reason) == (
            inbox_id,
            "event",
            "quarantined",
            "line 1: not JSON",
        )
        assert (await journal.get_item(inbox_id)).input == b"\x00 not JSON"
        assert not (await journal.receive(delivery(1))).duplicate


class TestWatermarks:
    async def test_a_watermark_moves_only_from_where_it_was_expected(self, journal: Journal) -> None:
        assert await journal.watermark("ns") is None
        assert await journal.advance_watermark("ns", "10", expected=None)
        assert not await journal.advance_watermark("ns", "20", expected="5")
        assert await journal.advance_watermark("ns", "20", expected="10")
        assert await journal.advance_watermark("ns", "20", expected="10"), "a repeat after a lost reply"
        assert await journal.watermark("ns") == "20"


class TestSchedules:
    async def test_a_schedule_catches_up_after_a_downtime_with_one_run(
        self, journal: Journal, working: Any, until: Any
    ) -> None:
        sweep = Schedule(name="sweep", process="p", every_s=600, input=Order("all"))

        async def ended() -> int:
            return sum(c.n for c in await journal.counts() if c.status == "done")

        async with working({"p": nothing}, schedules=[sweep]):
            await until(ended)
        await journal.advance_clock(24 * 3600)
        async with working({"p": nothing}, schedules=[sweep]):
            await until(lambda: _equals(ended, 2))
            await asyncio.sleep(0.3)
            assert await ended() == 2
            await journal.advance_clock(600)
            await until(lambda: _equals(ended, 3))

    async def test_at_most_one_run_of_a_schedule_is_unfinished(
        self, journal: Journal, working: Any, until: Any
    ) -> None:
        async def stuck(run: Run[None], order: Order) -> None:
            await run.wait_for("go", reason="slow")

        async with working({"p": stuck}, schedules=[Schedule(name="sweep", process="p", every_s=1, input=Order("1"))]):
            await until(lambda: _waiting(journal))
            for _ in range(5):
                await journal.advance_clock(10)
                await asyncio.sleep(0.1)
            assert sum(c.n for c in await journal.counts()) == 1

    async def test_a_dead_run_gives_way_to_the_next_one(self, journal: Journal, working: Any, until: Any) -> None:
        async def dies(run: Run[None], order: Order) -> None:
            raise ValueError("bug")

        async def dead() -> bool:
            return any(c.status == "dead" for c in await journal.counts())

        async with working({"p": dies}, schedules=[Schedule(name="sweep", process="p", every_s=60, input=Order("1"))]):
            await until(dead)
            [first] = (await journal.list_items(status="dead")).items
            await journal.advance_clock(61)
            await until(lambda: _is(journal, first.id, "discarded"))
            await until(dead)
        assert (await journal.get_item(first.id)).audit[0].actor == "schedule"


class TestRetention:
    async def test_what_ended_long_ago_goes_and_what_is_open_stays(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def fails(at: At[None]) -> None:
            raise Transient("503")

        async def open_(run: Run[None], order: Order) -> None:
            await run.step(fails)

        old, still = await journal.start("p", "old", Order("1")), await journal.start("q", "open", Order("1"))
        async with working({"p": nothing, "q": open_}):
            await item(old.run_id, "done")
            await item(still.run_id, "sleeping")
        await journal.advance_clock(31 * 86400)
        assert await journal.purge(30 * 86400) == 1
        assert [(c.process, c.n) for c in await journal.counts()] == [("q", 1)]

    async def test_an_event_stays_while_its_run_is_open_and_while_nobody_took_it(self, journal: Journal) -> None:
        unrouted = await journal.receive(delivery(1, kind="of.nobody"))
        await journal.subscribe([Subscription(event="shopify.order.created", process="p")])
        ended = await journal.receive(delivery(2, subject="order:2"))
        open_ = await journal.receive(delivery(3, subject="order:3"))
        bad = await journal.quarantine(delivery(4), "not JSON")
        await journal.discard(ended.runs[0], by="ann", why="a test")
        await journal.advance_clock(8 * 86400)
        assert await journal.purge(30 * 86400, events_older_than_s=7 * 86400) == 1
        kept = {row["id"] for row in await journal.call("SELECT id FROM durable.inbox")}
        assert kept == {unrouted.inbox_id, open_.inbox_id, bad}
        assert (await journal.receive(delivery(3, subject="order:3"))).duplicate


class TestMigrations:
    async def test_migrating_at_once_from_many_processes_happens_once(self, postgres_url: str) -> None:
        journals = [await Journal.open(postgres_url) for _ in range(4)]
        versions = await asyncio.gather(*(j.migrate() for j in journals))
        assert len(set(versions)) == 1
        for journal in journals:
            await journal.close()

    async def test_a_pool_of_the_caller_is_used_and_left_open(self, postgres_url: str) -> None:
        async with asyncpg.create_pool(postgres_url, min_size=1, max_size=4) as pool:
            async with await Journal.open(pool) as journal:
                await journal.migrate()
                assert (await journal.start("p", "k", Order("1"))).created
            assert await pool.fetchval("SELECT 1") == 1


async def _equals(value: Any, wanted: object) -> bool:
    return await value() == wanted


async def _waiting(journal: Journal) -> bool:
    return any(c.status == "waiting" for c in await journal.counts())


async def _is(journal: Journal, item_id: int, status: str) -> bool:
    return (await journal.get_item(item_id)).item.status == status
