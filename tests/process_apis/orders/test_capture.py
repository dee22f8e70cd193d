"""O2C-01: an order of a shop becomes a sales order in the ERP, once and to the cent."""

from __future__ import annotations

from strata.canonical.orders import OrderStatus
from strata.durable import Status
from tests.process_apis.orders.conftest import House
from tests.process_apis.orders.samples import order


class TestAPlainOrder:
    async def test_it_is_in_the_erp_with_the_right_total_and_linked_both_ways(self, house: House) -> None:
        placed = order()
        house.us.place(placed)

        await house.webhook(placed)
        detail = await house.captured(placed)

        assert list(house.erp.orders) == [placed.key]
        assert house.erp.totals[placed.key] == placed.totals.total.amount
        link = house.us.links["5001"]
        assert (link.erp_order_id, link.erp_order_number) == ("1000", "SO-1000")
        assert detail.item.label == "#5001"
        assert detail.item.facts["erp_order_number"] == "SO-1000"
        state = await house.api.get_order(placed.key)
        assert state.status is OrderStatus.ACCEPTED
        assert state.total == placed.totals.total
        assert {(x.vendor, x.id, x.number) for x in state.links} == {
            ("shopify", "5001", "#5001"),
            ("netsuite", "1000", "SO-1000"),
        }
        assert await house.context.crossref.get("order:erp", placed.key) == "1000"
        assert house.us.customer_links == {"7001": "9000"}

    async def test_the_steps_of_other_flows_are_recorded_as_skipped(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        await house.webhook(placed)
        detail = await house.captured(placed)
        skipped = {s.name: s.result for s in detail.steps if s.kind == "skip"}
        assert set(skipped.values()) == {b'"not configured"'}
        assert [name.split()[0] for name in skipped] == ["O2C-05", "INV-01", "CUS-02", "SHS-01"]

    async def test_created_paid_and_updated_make_one_order(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        for what in ("created", "paid", "updated", "updated"):
            await house.webhook(placed, what)
        await house.captured(placed)
        assert house.erp.put_orders == 1
        assert await house.runs("order_capture") == 1

    async def test_a_known_customer_costs_four_erp_calls_and_an_order_no_more(self, house: House) -> None:
        first, second = order(5001), order(5002)
        house.us.place(first)
        house.us.place(second)
        await house.webhook(first)
        await house.captured(first)
        house.erp.faults.calls.clear()
        await house.webhook(second)
        await house.captured(second)
        assert house.erp.faults.calls == ["find_items", "get_customer", "put_order"]

    async def test_the_run_tells_which_rows_of_which_table_version_decided(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        await house.webhook(placed)
        detail = await house.captured(placed)
        prepared = next(s.result for s in detail.steps if s.name == "prepare")
        assert b'"versions":{"order_routing":0' in prepared
        assert b'"title":"California State Tax"' in prepared

    async def test_it_stands_in_the_ledger_although_the_shop_is_down(self, house: House) -> None:
        placed = order()
        await house.webhook(placed)
        await house.stands("order_capture", placed.key, status=Status.DEAD)
        state = await house.api.get_order("5001")
        assert state.status is OrderStatus.RECEIVED
        assert state.problem is not None
        assert state.problem.detail == "no order 5001"
