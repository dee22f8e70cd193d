"""O2C-08: orders whose webhook never came are found, whatever was missed, and nothing is done twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from strata.canonical.orders import ChannelOrder
from strata.durable import Status
from strata.errors import Transient
from tests.process_apis.orders.conftest import House
from tests.process_apis.orders.samples import order


async def fresh(house: House, number: int, after_s: float = 0, **changes: Any) -> ChannelOrder:
    """An order that was changed just now."""
    made = order(number, **changes)
    return msgspec.structs.replace(made, updated_at=await house.journal.now() + timedelta(seconds=after_s))


async def sweep(house: House, nth: int) -> bytes:
    schedule = house.schedule("order_sweep:northwind-us")
    detail = await house.stands("order_sweep", await house.start(schedule, nth), status=Status.DONE)
    assert detail.result is not None
    return detail.result


class TestTheSweep:
    async def test_orders_without_a_webhook_are_captured(self, house: House) -> None:
        placed = [await fresh(house, number) for number in range(5001, 5004)]
        for one in placed:
            house.us.place(one)
        assert await sweep(house, 1) == b'{"seen":3,"started":3}'
        for one in placed:
            await house.captured(one)
        assert len(house.erp.orders) == 3

    async def test_orders_that_we_have_cost_nothing(self, house: House) -> None:
        placed = await fresh(house, 5001)
        house.us.place(placed)
        await house.webhook(placed)
        await house.captured(placed)
        assert await sweep(house, 1) == b'{"seen":1,"started":0}'
        house.us.links.clear()  # even when the shop has forgotten the link
        assert await sweep(house, 2) == b'{"seen":1,"started":0}'
        assert house.erp.put_orders == 1

    async def test_a_payment_that_nobody_told_us_of_releases_the_order(self, house: House) -> None:
        pending = await fresh(house, 5001, financial_state="pending")
        house.us.place(pending)
        await house.webhook(pending)
        await house.stands("order_capture", pending.key, status=Status.WAITING)
        paid = await fresh(house, 5001, after_s=1)
        house.us.place(paid)
        await sweep(house, 1)
        await house.captured(paid)

    async def test_a_change_within_the_same_second_is_heard_all_the_same(self, house: House) -> None:
        pending = await fresh(house, 5001, financial_state="pending")
        house.us.place(pending)
        await house.webhook(pending)
        await house.stands("order_capture", pending.key, status=Status.WAITING)
        await sweep(house, 1)
        await house.stands("order_capture", pending.key, status=Status.WAITING)
        house.us.place(msgspec.structs.replace(pending, financial_state="paid"))
        await sweep(house, 2)
        await house.captured(pending)

    async def test_a_failed_order_is_left_to_the_person_who_mends_it(self, house: House) -> None:
        bad = await fresh(house, 5001, lines=())
        house.us.place(bad)
        await house.webhook(bad)
        dead = await house.stands("order_capture", bad.key, status=Status.DEAD)
        assert await sweep(house, 1) == b'{"seen":1,"started":0}'
        assert (await house.item("order_capture", bad.key)).item.id == dead.item.id

    async def test_the_webhook_that_comes_after_the_sweep_changes_nothing(self, house: House) -> None:
        placed = await fresh(house, 5001)
        house.us.place(placed)
        await sweep(house, 1)
        await house.webhook(placed)
        await house.captured(placed)
        assert await house.runs("order_capture") == 1
        assert house.erp.put_orders == 1

    async def test_many_pages_and_the_watermark_after_the_last(self, house: House) -> None:
        tests = [await fresh(house, n, after_s=n / 1000, test=True) for n in range(250)]
        for one in tests:
            house.us.place(one)
        assert await sweep(house, 1) == b'{"seen":250,"started":250}'
        mark = await house.journal.watermark("orders:northwind-us")
        assert mark == max(o.updated_at for o in tests).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def test_what_happened_while_we_were_down_is_found_from_the_watermark(self, house: House) -> None:
        first = await fresh(house, 5001)
        house.us.place(first)
        await sweep(house, 1)
        await house.captured(first)
        await house.journal.advance_clock(5 * 3600)
        missed = msgspec.structs.replace(order(5002), updated_at=first.updated_at + timedelta(seconds=30))
        house.us.place(missed)
        await sweep(house, 2)
        await house.captured(missed)

    async def test_a_shop_that_is_down_for_a_moment_is_asked_again(self, house: House) -> None:
        placed = await fresh(house, 5001)
        house.us.place(placed)
        house.us.faults.before["list_orders"] = [Transient("503")]
        await sweep(house, 1)
        await house.captured(placed)
