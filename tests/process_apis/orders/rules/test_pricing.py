"""From a shop's order to the lines of the ERP's: equal to the minor unit (BR1 to BR5)."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings

from process_apis.orders.rules.causes import Causes
from process_apis.orders.rules.pricing import price, wanted_skus
from process_apis.orders.rules.routing import route
from process_apis.orders.tables import (
    DISCOUNT_ITEMS,
    ROUTING,
    SHIPPING_METHODS,
    SPECIAL_ITEMS,
    TAX_CODES,
    DiscountItem,
    OrderTables,
)
from strata.canonical.money import Money
from strata.canonical.orders import (
    ChannelOrder,
    ChannelOrderTotals,
    ChannelPayment,
    ChannelShippingLine,
    SalesOrder,
    TaxLine,
)
from strata.errors import FieldError, Invalid
from tests.process_apis.fakes import FakeErp, netsuite_total
from tests.process_apis.orders.rules.generated import orders
from tests.process_apis.orders.samples import BERLIN, ca_tax, discounted, line, order, usd

TABLES = OrderTables(
    ROUTING.defaults, TAX_CODES.defaults, DISCOUNT_ITEMS.defaults, SHIPPING_METHODS.defaults, SPECIAL_ITEMS.defaults
)
ITEMS = FakeErp().items


def priced(source: ChannelOrder, tables: OrderTables = TABLES) -> SalesOrder:
    causes = Causes()
    way = route(source, tables.routing, causes)
    assert way is not None
    made = price(source, way, ITEMS, tables, causes)
    causes.raise_if_any("no")
    assert made is not None
    return made


def causes_of(source: ChannelOrder, tables: OrderTables = TABLES) -> list[FieldError]:
    with pytest.raises(Invalid) as refused:
        priced(source, tables)
    return list(refused.value.errors)


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


class TestTheTotal:
    @settings(max_examples=1200, deadline=None)
    @given(source=orders())
    def test_the_erp_comes_to_what_the_shop_says(self, source: ChannelOrder) -> None:
        assert netsuite_total(priced(source)) == source.totals.total.amount

    @settings(max_examples=200, deadline=None)
    @given(source=orders())
    def test_the_taxes_are_those_that_the_shop_charged(self, source: ChannelOrder) -> None:
        made = priced(source)
        ours = sum((x.tax.amount for x in made.lines if x.tax), Decimal(0))
        ours += made.shipping_tax.amount if made.shipping_tax else 0
        assert ours == source.totals.tax.amount

    @settings(max_examples=200, deadline=None)
    @given(source=orders())
    def test_a_rounding_line_is_at_most_a_unit_for_each_line_of_the_source(self, source: ChannelOrder) -> None:
        made = priced(source)
        rounding = [x.amount.amount for x in made.lines if x.kind == "rounding"]
        most = (len(source.lines) + len(source.shipping_lines)) * (
            Decimal(1) if source.currency == "JPY" else Decimal("0.01")
        )
        assert len(rounding) <= 1
        assert all(abs(amount) <= most for amount in rounding)

    def test_a_bigger_difference_is_told_with_both_figures(self) -> None:
        source = order(totals=ChannelOrderTotals(usd("210"), usd("0"), usd("5"), usd("15.59"), usd("231.59")))
        [cause] = causes_of(source)
        assert cause.code == "total-differs"
        assert "231.59 USD" in cause.detail
        assert "230.59 USD" in cause.detail


class TestLines:
    def test_amounts_are_net_and_taxes_carried_when_prices_exclude_tax(self) -> None:
        made = priced(order())
        assert [(x.kind, x.item_id, x.quantity, x.amount.amount, x.tax) for x in made.lines] == [
            ("item", "1", 2, Decimal("200.00"), usd("14.50")),
            ("item", "2", 1, Decimal("10.00"), usd("0.73")),
        ]
        assert {x.tax_code for x in made.lines} == {"11"}

    def test_amounts_are_net_when_prices_include_tax(self) -> None:
        vat = TaxLine("DE MwSt", Decimal("0.19"), euro("19.00"))
        source = order(
            shop="northwind-eu", currency="EUR", taxes_included=True, shipping_address=BERLIN, shipping_lines=(),
            lines=(msgspec.structs.replace(line(1, "NW-A", 1, "0", vat), unit_price=euro("119.00")),),
            totals=ChannelOrderTotals(euro("119"), euro("0"), euro("0"), euro("19"), euro("119.00")),
        )  # fmt: skip
        [item] = priced(source).lines
        assert (item.amount, item.tax, item.tax_code) == (euro("100.00"), euro("19.00"), "18")

    def test_a_discount_is_a_line_after_its_item_and_takes_its_tax_back(self) -> None:
        made = priced(discounted())
        assert [(x.kind, x.amount.amount, x.tax) for x in made.lines] == [
            ("item", Decimal("200.00"), usd("14.50")),
            ("discount", Decimal("-20.00"), usd("-1.45")),
            ("item", Decimal("10.00"), usd("0.73")),
        ]

    def test_a_discount_code_has_an_item_of_its_own_where_the_table_says_so(self) -> None:
        own = (DiscountItem(item="Rounding", code="summer10"), *TABLES.discount_items)
        made = priced(discounted(), msgspec.structs.replace(TABLES, discount_items=own))
        assert [x.sku for x in made.lines if x.kind == "discount"] == ["Rounding"]

    def test_a_line_without_pieces_is_left_out(self) -> None:
        source = order()
        gone = msgspec.structs.replace(line(3, "NW-NOWHERE", 1, "5.00"), quantity=0)
        made = priced(msgspec.structs.replace(source, lines=(*source.lines, gone)))
        assert len(made.lines) == 2

    def test_a_gift_card_sold_is_a_gift_certificate_without_tax(self) -> None:
        card = line(1, "GIFT-25", 1, "25.00", gift_card=True, requires_shipping=False)
        source = order(
            lines=(card,), shipping_lines=(),
            totals=ChannelOrderTotals(usd("25"), usd("0"), usd("0"), usd("0"), usd("25.00")),
        )  # fmt: skip
        [sold] = priced(source).lines
        assert (sold.kind, sold.item_id, sold.tax, sold.amount) == ("gift_card", "7", usd("0"), usd("25.00"))

    def test_a_taxed_gift_card_is_refused(self) -> None:
        card = line(1, "NW-GIFT-50", 1, "50.00", ca_tax("3.63"), gift_card=True)
        source = order(
            lines=(card,), shipping_lines=(),
            totals=ChannelOrderTotals(usd("50"), usd("0"), usd("0"), usd("3.63"), usd("53.63")),
        )  # fmt: skip
        assert [cause.code for cause in causes_of(source)] == ["taxed-gift-card"]

    def test_a_gift_card_redeemed_changes_nothing(self) -> None:
        paid = (ChannelPayment("1", "sale", "success", "gift_card", usd("50.00")),)
        assert priced(order(payments=paid)) == priced(order())

    def test_a_kit_is_one_line(self) -> None:
        source = order(
            lines=(line(1, "NW-KIT", 1, "10.00"),), shipping_lines=(),
            totals=ChannelOrderTotals(usd("10"), usd("0"), usd("0"), usd("0"), usd("10.00")),
        )  # fmt: skip
        [kit] = priced(source).lines
        assert (kit.item_id, kit.kind) == ("5", "item")


class TestShipping:
    def test_one_charge_whose_tax_the_erp_comes_to_by_itself_is_on_the_header(self) -> None:
        made = priced(order())
        assert (made.shipping_cost, made.shipping_tax, made.shipping_tax_code) == (usd("5.00"), usd("0.36"), "11")
        assert made.shipping_method == "201"

    def test_the_method_follows_its_title(self) -> None:
        express = ChannelShippingLine("Express", usd("5.00"), taxes=(ca_tax("0.36"),))
        assert priced(order(shipping_lines=(express,))).shipping_method == "202"

    def test_a_tax_that_the_erp_would_round_otherwise_makes_a_line(self) -> None:
        odd = ChannelShippingLine("Standard", usd("5.00"), taxes=(ca_tax("0.37"),))
        totals = ChannelOrderTotals(usd("210"), usd("0"), usd("5"), usd("15.60"), usd("230.60"))
        made = priced(order(shipping_lines=(odd,), totals=totals))
        assert made.shipping_cost is None
        [charge] = [x for x in made.lines if x.kind == "shipping"]
        assert (charge.item_id, charge.amount, charge.tax) == ("209", usd("5.00"), usd("0.37"))

    def test_state_and_city_tax_together_have_one_code(self) -> None:
        both = (
            TaxLine("New York State Tax", Decimal("0.04"), usd("0.40")),
            TaxLine("New York City Tax", Decimal("0.045"), usd("0.45")),
        )
        new_york = msgspec.structs.replace(order().shipping_address, region="NY")  # pyright: ignore[reportArgumentType, reportUnknownVariableType]  # samples have one
        source = order(
            lines=(line(1, "NW-B", 1, "10.00", *both),), shipping_lines=(), shipping_address=new_york,
            totals=ChannelOrderTotals(usd("10"), usd("0"), usd("0"), usd("0.85"), usd("10.85")),
        )  # fmt: skip
        [item] = priced(source).lines
        assert (item.tax_code, item.tax_rate, item.tax) == ("12", Decimal("0.085"), usd("0.85"))


class TestCauses:
    def test_everything_that_is_wrong_is_told_at_once(self) -> None:
        lines = (
            line(1, "NW-NEW", 1, "10.00"),
            line(2, "NW-OFF", 1, "10.00"),
            line(3, "", 1, "10.00"),
            line(4, "NW-A", 1, "10.00", TaxLine("Moon Tax", Decimal("0.5"), usd("5.00"))),
        )
        found = causes_of(order(lines=lines))
        assert [(c.code, c.pointer) for c in found] == [
            ("unknown-sku", "/lines/0/sku"),
            ("inactive-item", "/lines/1/sku"),
            ("missing-sku", "/lines/2/sku"),
            ("unmapped-tax", "/lines/3/taxes"),
        ]
        assert all(c.remedy and c.detail for c in found)
        assert [c.value for c in found[:2]] == ["NW-NEW", "NW-OFF"]

    def test_a_shipping_method_without_a_row_is_told(self) -> None:
        only = tuple(row for row in TABLES.shipping_methods if row.title == "Express")
        [cause] = causes_of(order(), msgspec.structs.replace(TABLES, shipping_methods=only))
        assert cause.code == "unmapped-shipping"

    def test_a_rounding_item_that_is_missing_is_told_when_it_is_needed(self) -> None:
        source = order(totals=ChannelOrderTotals(usd("210"), usd("0"), usd("5"), usd("15.59"), usd("230.60")))
        without = msgspec.structs.replace(TABLES, special_items=())
        assert [c.code for c in causes_of(source, without)] == ["unmapped-item"]
        assert priced(order(), without).lines

    def test_a_currency_that_does_not_exist_is_told(self) -> None:
        assert [c.code for c in causes_of(order(currency="XQX"))] == ["unknown-currency"]


class TestWantedSkus:
    def test_articles_and_those_of_the_tables_each_once(self) -> None:
        assert wanted_skus(discounted(), TABLES, "erp") == ["NW-A", "NW-B", "Line Discount", "Rounding", "Shipping"]
