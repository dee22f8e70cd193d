"""The order process as an API: single orders, lists, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from process_apis.orders.ledger import Ledger
from process_apis.orders.reading import decode_cursor, encode_cursor
from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus
from strata.errors import BadParameter, Conflict, NotFound
from tests.process_apis.orders.conftest import House
from tests.process_apis.orders.samples import ADA, order


async def listed(house: House, count: int) -> None:
    ledger = Ledger(house.context.database)
    for number in range(count):
        shop = "northwind-us" if number % 2 else "northwind-eu"
        await ledger.register(f"sh:{shop}:order:{number}", f"#{number}", vendor="shopify", connection=shop)


class TestLists:
    async def test_pages_are_newest_first_without_gaps_or_repeats(self, house: House) -> None:
        await listed(house, 25)
        seen: list[str] = []
        cursor = ""
        while True:
            page = await house.api.list_orders(cursor=cursor, limit=10)
            seen.extend(item.number for item in page.items)
            cursor = page.next
            if not cursor:
                break
        assert seen == [f"#{n}" for n in reversed(range(25))]

    async def test_filters_by_shop_and_status(self, house: House) -> None:
        await listed(house, 4)
        await Ledger(house.context.database).set_status("sh:northwind-us:order:1", OrderStatus.CANCELLED)
        assert len((await house.api.list_orders(shops="northwind-us")).items) == 2
        [gone] = (await house.api.list_orders(status="cancelled")).items
        assert gone.number == "#1"
        assert (await house.api.list_orders(shops="")).items == ()

    async def test_what_is_not_a_status_or_cursor_is_refused(self, house: House) -> None:
        with pytest.raises(BadParameter):
            await house.api.list_orders(status="lost")
        for cursor in ("x", "////", encode_cursor(1)[:-1] + "!", "bzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"):
            with pytest.raises(BadParameter):
                await house.api.list_orders(cursor=cursor)
        assert decode_cursor(encode_cursor(42)) == 42


class TestSingleOrders:
    async def test_amounts_have_all_decimals_of_their_currency(self, house: House) -> None:
        placed = order(totals=msgspec.structs.replace(order().totals, total=Money(Decimal("230.5"), "USD")))
        ledger = Ledger(house.context.database)
        await ledger.register(placed.key, placed.number, vendor="shopify", connection="northwind-us")
        await ledger.describe(placed, OrderStatus.QUEUED)
        state = await house.api.get_order(placed.key)
        assert str(state.total) == "230.50 USD"

    async def test_by_key_by_source_id_and_by_number(self, house: House) -> None:
        await listed(house, 2)
        for found in (
            await house.api.get_order("sh:northwind-us:order:1"),
            await house.api.get_order("1"),
            await house.api.find_order("1"),
            await house.api.find_order("#1", shop="northwind-us"),
        ):
            assert found.key == "sh:northwind-us:order:1"

    async def test_an_id_that_two_shops_have_is_ambiguous(self, house: House) -> None:
        ledger = Ledger(house.context.database)
        for shop in ("northwind-us", "northwind-eu"):
            await ledger.register(f"sh:{shop}:order:7", "#7", vendor="shopify", connection=shop)
        with pytest.raises(Conflict):
            await house.api.get_order("7")
        assert (await house.api.get_order("7", shops="northwind-eu")).shop == "northwind-eu"

    async def test_what_is_not_there_is_not_found(self, house: House) -> None:
        for order_id in ("sh:northwind-us:order:404", "404", "'; DROP TABLE orders.sales_order; --"):
            with pytest.raises(NotFound):
                await house.api.get_order(order_id)


class TestTheLedger:
    async def test_a_status_never_goes_back_but_for_cancel(self, house: House) -> None:
        await listed(house, 1)
        ledger, key = Ledger(house.context.database), "sh:northwind-eu:order:0"
        for status in (OrderStatus.SHIPPED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_SHIPPED):
            await ledger.set_status(key, status)
        assert (await house.api.get_order(key)).status is OrderStatus.SHIPPED
        await ledger.set_status(key, OrderStatus.CANCELLED)
        assert (await house.api.get_order(key)).status is OrderStatus.CANCELLED

    async def test_what_the_channel_says_later_does_not_undo_the_erps_word(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        await house.webhook(placed)
        await house.captured(placed)
        await Ledger(house.context.database).describe(placed, OrderStatus.ON_HOLD, held_because="late")
        state = await house.api.get_order(placed.key)
        assert (state.status, state.held_because) == (OrderStatus.ACCEPTED, "")

    async def test_texts_that_postgresql_does_not_take_are_kept_without_what_offends(self, house: House) -> None:
        base = order()
        odd = msgspec.structs.replace(
            base,
            customer=msgspec.structs.replace(ADA, first_name="A\x00da"),
            lines=(msgspec.structs.replace(base.lines[0], title="Ja\x00cket \U0001f9e5 'quoted' \\u0000"),),
        )
        ledger = Ledger(house.context.database)
        await ledger.register(odd.key, odd.number, vendor="shopify", connection="northwind-us")
        await ledger.describe(odd, OrderStatus.QUEUED)
        state = await house.api.get_order(odd.key)
        assert state.customer_name == "Ada Lovelace"
        assert state.lines[0].title.startswith("Jacket \U0001f9e5 'quoted'")

    async def test_registering_again_changes_nothing(self, house: House) -> None:
        ledger, key = Ledger(house.context.database), "sh:northwind-us:order:1"
        await ledger.register(key, "#1", vendor="shopify", connection="northwind-us")
        before = await house.api.get_order(key)
        await ledger.register(key, "#other", vendor="shopify", connection="northwind-us")
        assert await house.api.get_order(key) == before
