"""O2C-01 when something is wrong: every cause at once, and the run goes on after the cause is mended."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec

from process_apis.orders.tables import ROUTING, TAX_CODES, OrderRoute, TaxCode
from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus, TaxLine
from strata.durable import ItemDetail, Status
from strata.errors import AuthRefused, FieldError, Invalid, Throttled, Transient
from tests.process_apis.fakes import item
from tests.process_apis.orders.conftest import House
from tests.process_apis.orders.samples import line, order, usd


def causes(detail: ItemDetail) -> list[FieldError]:
    assert detail.problem is not None
    return list(detail.problem.errors)


async def put_rows(house: House, name: str, rows: list[OrderRoute] | list[TaxCode]) -> None:
    await house.context.tables.put(name, msgspec.to_builtins(rows), by="ops", why="test")


class TestInvalidOrders:
    async def test_all_causes_come_at_once_and_nothing_was_written_to_the_erp(self, house: House) -> None:
        lines = (
            line(1, "NW-NEW", 1, "10.00"),
            line(2, "NW-OFF", 1, "10.00"),
            line(3, "NW-A", 1, "10.00", TaxLine("Moon Tax", Decimal("0.5"), usd("5.00"))),
        )
        await put_rows(house, "order_routing", [OrderRoute("erp", "2", shop="northwind-eu", tax_nexus="eu")])
        bad = order(lines=lines)
        house.us.place(bad)
        await house.webhook(bad)
        detail = await house.stands("order_capture", bad.key, status=Status.DEAD)

        assert detail.item.failure_class == "V"
        assert [c.code for c in causes(detail)] == [
            "unroutable-store", "unknown-sku", "inactive-item", "unmapped-tax", "unmapped-tax",
        ]  # fmt: skip
        assert all(c.remedy for c in causes(detail))
        assert not house.erp.orders
        assert not house.erp.customers
        state = await house.api.get_order(bad.key)
        assert state.status is OrderStatus.QUEUED
        assert state.problem is not None
        assert "NW-NEW" in state.problem.detail
        assert "order_routing" in state.problem.remedy
        assert state.problem.item == str(detail.item.id)

    async def test_after_tables_and_items_are_mended_the_same_run_goes_on(self, house: House) -> None:
        lines = (
            line(1, "NW-NEW", 1, "10.00"),
            line(2, "NW-OFF", 1, "10.00"),
            line(3, "NW-A", 1, "10.00", TaxLine("Moon Tax", Decimal("0.5"), usd("5.00"))),
        )
        await put_rows(house, "order_routing", [OrderRoute("erp", "2", shop="northwind-eu", tax_nexus="eu")])
        total = Money(Decimal("40.36"), "USD")
        bad = order(lines=lines, totals=msgspec.structs.replace(order().totals, total=total))
        house.us.place(bad)
        await house.webhook(bad)
        detail = await house.stands("order_capture", bad.key, status=Status.DEAD)

        await put_rows(house, "order_routing", list(ROUTING.defaults))
        await put_rows(house, "tax_codes", [*TAX_CODES.defaults, TaxCode("21", "Moon Tax")])
        house.erp.items["NW-NEW"] = item("NW-NEW", 90)
        house.erp.items["NW-OFF"] = item("NW-OFF", 4)
        await house.retry(detail)

        done = await house.captured(bad)
        assert house.erp.totals[bad.key] == Decimal("40.36")
        prepared = next(s.result for s in done.steps if s.name == "prepare")
        assert b'"tax_codes":1' in prepared
        assert sum(s.name == "read_order" for s in done.steps) == 1

    async def test_an_order_that_was_corrected_in_the_shop_is_read_again(self, house: House) -> None:
        bad = order(lines=(line(1, "NW-TYPO", 2, "100.00"), order().lines[1]))
        house.us.place(bad)
        await house.webhook(bad)
        detail = await house.stands("order_capture", bad.key, status=Status.DEAD)
        house.us.place(order())
        await house.retry(detail)
        await house.captured(bad)
        assert [x.sku for x in house.erp.orders[bad.key].lines] == ["NW-A", "NW-B"]
        assert [x.sku for x in (await house.api.get_order(bad.key)).lines] == ["NW-A", "NW-B"]

    async def test_an_order_that_was_cancelled_instead_is_left_alone(self, house: House) -> None:
        bad = order(lines=(line(1, "NW-TYPO", 2, "100.00"),))
        house.us.place(bad)
        await house.webhook(bad)
        detail = await house.stands("order_capture", bad.key, status=Status.DEAD)
        house.us.place(order(cancelled_at=order().created_at, financial_state="refunded"))
        await house.retry(detail)
        await house.captured(bad)
        assert not house.erp.orders
        assert (await house.api.get_order(bad.key)).status is OrderStatus.CANCELLED

    async def test_a_failing_order_blocks_no_other(self, house: House) -> None:
        bad, good = order(5001, lines=(line(1, "NW-NEW", 1, "10.00"),)), order(5002)
        for one in (bad, good):
            house.us.place(one)
            await house.webhook(one)
        await house.captured(good)
        await house.stands("order_capture", bad.key, status=Status.DEAD)

    async def test_an_erp_total_that_differs_is_told_with_both_figures_and_read_again(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        house.erp.surcharge = Decimal("1.00")
        await house.webhook(placed)
        detail = await house.stands("order_capture", placed.key, status=Status.DEAD)
        assert detail.item.failure_class == "V"
        assert "231.59 USD" in (detail.item.reason or "")
        assert "230.59 USD" in (detail.item.reason or "")

        house.erp.totals[placed.key] = Decimal("230.59")
        await house.retry(detail)
        await house.captured(placed)
        assert house.erp.put_orders == 1

    async def test_what_the_erp_refuses_is_decided_again_after_the_table_was_mended(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        await put_rows(
            house, "order_routing", [OrderRoute("erp", "9", shop="northwind-us", tax_nexus="us", location="1")]
        )
        house.erp.add_customer("50", "ada.lovelace@example.com", "Ada Lovelace")
        house.erp.faults.before["put_order"] = [Invalid("location 1 is not of subsidiary 9")]
        await house.webhook(placed)
        detail = await house.stands("order_capture", placed.key, status=Status.DEAD)
        await put_rows(house, "order_routing", list(ROUTING.defaults))
        await house.retry(detail)
        await house.captured(placed)
        assert house.erp.orders[placed.key].selling_entity == "1"


class TestBackendsThatFail:
    async def test_an_order_whose_answer_was_lost_is_not_written_twice(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        house.erp.faults.lose_answer("put_order")
        await house.webhook(placed)
        await house.captured(placed)
        assert house.erp.put_orders == 1
        assert house.us.links["5001"].erp_order_id == "1000"

    async def test_an_order_cancelled_while_the_erp_was_away_is_not_written(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        house.erp.faults.before["put_order"] = [Transient("503")]
        await house.webhook(placed)
        while house.erp.faults.count("put_order") == 0:  # noqa: ASYNC110  # the fake has no event to wait for
            await asyncio.sleep(0.01)
        house.us.place(order(cancelled_at=order().created_at, financial_state="refunded"))
        await house.captured(placed)
        assert not house.erp.orders
        assert (await house.api.get_order(placed.key)).status is OrderStatus.CANCELLED

    async def test_a_customer_whose_answer_was_lost_is_not_made_twice(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        house.erp.faults.lose_answer("put_customer")
        await house.webhook(placed)
        await house.captured(placed)
        assert len(house.erp.customers) == 1

    async def test_a_backend_that_recovers_is_tried_again(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        house.erp.faults.before["find_items"] = [Transient("503")]
        house.erp.faults.before["put_order"] = [Throttled("slow down", retry_after_s=0.05)]
        house.us.faults.before["link_to_erp"] = [Transient("502")]
        await house.webhook(placed)
        await house.captured(placed)
        assert house.erp.put_orders == 1

    async def test_a_refused_credential_pauses_the_erp_and_not_the_intake(self, house: House) -> None:
        placed, other = order(5001), order(5002)
        house.us.place(placed)
        house.us.place(other)
        house.erp.faults.before["find_items"] = [AuthRefused("token expired")]
        await house.webhook(placed)
        await house.stands("order_capture", placed.key, status=Status.PARKED)
        assert [p.backend for p in await house.journal.paused()] == ["erp"]
        await house.webhook(other)
        assert (await house.api.get_order(placed.key)).status is OrderStatus.QUEUED
        await house.journal.resume("erp", by="ops", why="new token")
        await house.captured(placed)
        await house.captured(other)

    async def test_an_order_of_hundreds_of_articles_asks_for_them_at_once(self, house: House) -> None:
        skus = [f"NW-LONG-ARTICLE-NUMBER-{n:04d}" for n in range(500)]
        for number, sku in enumerate(skus):
            house.erp.items[sku] = item(sku, 10_000 + number)
        lines = tuple(line(n, sku, 1, "1.00") for n, sku in enumerate(skus))
        zero = usd("0")
        totals = msgspec.structs.replace(order().totals, total=usd("500.00"), shipping=zero, tax=zero)
        big = order(lines=lines, shipping_lines=(), totals=totals)
        house.us.place(big)
        await house.webhook(big)
        await house.captured(big)
        assert len(house.erp.orders[big.key].lines) == 500
        assert house.erp.faults.count("find_items") == 1


class TestHolds:
    async def test_a_pending_order_waits_in_plain_words_and_goes_on_when_paid(self, house: House) -> None:
        pending = order(financial_state="pending")
        house.us.place(pending)
        await house.webhook(pending)
        detail = await house.stands("order_capture", pending.key, status=Status.WAITING)
        assert detail.item.reason == "The payment is pending. It goes on when the order is paid."
        state = await house.api.get_order(pending.key)
        assert (state.status, state.held_because) == (OrderStatus.ON_HOLD, detail.item.reason)
        assert state.problem is None

        house.us.place(order())
        await house.webhook(order(), "paid")
        await house.captured(pending)
        state = await house.api.get_order(pending.key)
        assert (state.status, state.held_because, state.financial_state) == (OrderStatus.ACCEPTED, "", "paid")
        reached = [m.status for m in state.milestones]
        assert reached == [OrderStatus.RECEIVED, OrderStatus.ON_HOLD, OrderStatus.QUEUED, OrderStatus.ACCEPTED]

    async def test_a_change_that_does_not_release_it_keeps_it_waiting(self, house: House) -> None:
        pending = order(financial_state="pending")
        house.us.place(pending)
        await house.webhook(pending)
        await house.stands("order_capture", pending.key, status=Status.WAITING)
        house.us.place(order(financial_state="partially_paid"))
        await house.webhook(pending, "updated")
        while (await house.item("order_capture", pending.key)).item.reason != (
            "It is paid only in part. It goes on when the rest is paid."
        ):
            await house.stands("order_capture", pending.key)
        assert not house.erp.orders

    async def test_without_any_event_a_held_order_is_looked_at_again(self, house: House) -> None:
        pending = order(fraud_risk="high")
        house.us.place(pending)
        await house.webhook(pending)
        await house.stands("order_capture", pending.key, status=Status.WAITING)
        house.us.place(order())
        await house.journal.advance_clock(3601)
        await house.captured(pending)

    async def test_a_held_order_that_is_cancelled_ends_without_the_erp(self, house: House) -> None:
        pending = order(financial_state="pending")
        house.us.place(pending)
        await house.webhook(pending)
        await house.stands("order_capture", pending.key, status=Status.WAITING)
        cancelled = order(financial_state="voided", cancelled_at=order().created_at)
        house.us.place(cancelled)
        await house.webhook(cancelled, "cancelled")
        detail = await house.captured(pending)
        assert detail.result is not None
        assert b"skipped" in detail.result
        assert (await house.api.get_order(pending.key)).status is OrderStatus.CANCELLED
        assert not house.erp.orders

    async def test_a_test_order_is_left_alone(self, house: House) -> None:
        test = order(test=True)
        house.us.place(test)
        await house.webhook(test)
        await house.captured(test)
        state = await house.api.get_order(test.key)
        assert (state.status, state.held_because) == (OrderStatus.CLOSED, "It is a test order.")
        assert not house.erp.orders

    async def test_an_authorised_order_of_a_business_is_released_on_terms(self, house: House) -> None:
        terms = order(financial_state="authorized", b2b=True)
        house.us.place(terms)
        await house.webhook(terms)
        await house.captured(terms)
        assert house.erp.orders[terms.key].terms == "2"
