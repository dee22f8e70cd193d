"""From Shopify's words to ours and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from strata.canonical.money import Money
from strata.canonical.orders import ChannelOrder, Discount
from strata.contracts.system.channel_fulfilments import FulfilLine, NewFulfilment, Tracking
from strata.errors import StrataError
from system_apis.shopify import mapping, wire


def bag(amount: str, currency: str = "CAD") -> dict[str, Any]:
    return {"presentmentMoney": {"amount": amount, "currencyCode": currency}}


def order(**changed: Any) -> dict[str, Any]:
    """An order as the query `order` answers it: bought in Canadian dollars in an American shop."""
    return {
        "id": "gid://shopify/Order/42",
        "name": "#1001",
        "createdAt": "2026-11-20T17:00:00Z",
        "updatedAt": "2026-11-20T17:05:00Z",
        "cancelledAt": None,
        "currencyCode": "USD",
        "presentmentCurrencyCode": "CAD",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "taxesIncluded": False,
        "test": False,
        "email": "guest@example.com",
        "tags": ["vip"],
        "discountCodes": ["SUMMER"],
        "customAttributes": [{"key": "gift", "value": None}],
        "subtotalPriceSet": bag("90.00"),
        "totalDiscountsSet": bag("10.00"),
        "totalShippingPriceSet": bag("7.95"),
        "totalTaxSet": bag("4.50"),
        "totalPriceSet": bag("102.45"),
        "currentSubtotalPriceSet": bag("90.00"),
        "currentTotalDiscountsSet": bag("10.00"),
        "currentTotalTaxSet": bag("4.50"),
        "currentTotalPriceSet": bag("102.45"),
        "risk": {"recommendation": "INVESTIGATE"},
        "customer": None,
        "purchasingEntity": None,
        "billingAddress": {"firstName": "Zoë", "lastName": "Kim", "address1": "1 Main", "countryCodeV2": "CA",
                           "provinceCode": "AB"},
        "shippingAddress": None,
        "shippingLines": {"nodes": [
            {"title": "Standard", "code": "STD", "isRemoved": False, "originalPriceSet": bag("7.95"),
             "discountAllocations": [], "taxLines": []},
            {"title": "Express", "isRemoved": True, "originalPriceSet": bag("20.00")},
        ]},
        "transactions": [
            {"id": "gid://shopify/OrderTransaction/9", "kind": "SALE", "status": "SUCCESS", "gateway": "gift_card",
             "amountSet": bag("50.00")},
        ],
        "lineItems": {"pageInfo": {"hasNextPage": False}, "nodes": [
            {"id": "gid://shopify/LineItem/7", "title": "Jacket", "variantTitle": "M", "sku": "NW-1", "quantity": 2,
             "currentQuantity": 2, "originalUnitPriceSet": bag("50.00"),
             "customAttributes": [{"key": "engraving", "value": "Z"}],
             "discountAllocations": [
                 {"allocatedAmountSet": bag("10.00"), "discountApplication": {"code": "SUMMER"}},
                 {"allocatedAmountSet": bag("0.00"), "discountApplication": {"title": "Nothing"}}],
             "taxLines": [{"title": "GST", "rate": 0.05, "priceSet": bag("4.50")}]},
        ]},
        **changed,
    }  # fmt: skip


def mapped(**changed: Any) -> ChannelOrder:
    found = msgspec.convert(order(**changed), wire.Order)
    return mapping.channel_order(found, found.line_items.nodes, shop="acme", connection="acme")


class TestChannelOrder:
    def test_all_money_is_what_the_customer_was_charged_in(self) -> None:
        found = mapped()
        assert (found.currency, found.shop_currency) == ("CAD", "USD")
        assert found.totals.total == Money(Decimal("102.45"), "CAD")
        assert found.lines[0].unit_price == Money(Decimal("50.00"), "CAD")
        assert found.payments[0].amount == Money(Decimal("50.00"), "CAD")

    def test_a_line_carries_its_discounts_and_taxes(self) -> None:
        [line] = mapped().lines
        assert (line.id, line.sku, line.title, line.quantity) == ("7", "NW-1", "Jacket - M", 2)
        assert line.discounts == (Discount(Money(Decimal("10.00"), "CAD"), "SUMMER"),)
        assert [(t.title, t.rate, t.amount.amount) for t in line.taxes] == [("GST", Decimal("0.05"), Decimal("4.50"))]
        assert line.properties == {"engraving": "Z"}

    def test_the_rate_keeps_its_digits(self) -> None:
        line = msgspec.json.decode(
            b'{"title":"NJ","rate":0.06625,"priceSet":{"presentmentMoney":{"amount":"1","currencyCode":"USD"}}}',
            type=wire.TaxLine,
        )
        assert line.rate == Decimal("0.06625")

    def test_a_shipping_line_that_was_removed_is_gone(self) -> None:
        assert [line.title for line in mapped().shipping_lines] == ["Standard"]

    def test_a_guest_is_known_by_the_order_alone(self) -> None:
        customer = mapped().customer
        assert customer is not None
        assert (customer.id, customer.email, customer.first_name) == ("", "guest@example.com", "Zoë")

    def test_an_order_without_anybody_has_no_customer(self) -> None:
        assert mapped(email=None, billingAddress=None).customer is None

    def test_a_known_customer_brings_the_erp_id_written_earlier(self) -> None:
        known = {
            "id": "gid://shopify/Customer/5",
            "firstName": None,
            "taxExempt": True,
            "defaultEmailAddress": {"emailAddress": "k@example.com"},
            "erpCustomerId": {"value": "301"},
        }
        customer = mapped(customer=known).customer
        assert customer is not None
        assert (customer.id, customer.email, customer.erp_id, customer.tax_exempt) == (
            "5",
            "k@example.com",
            "301",
            True,
        )

    def test_a_company_makes_it_b2b(self) -> None:
        entity = {"__typename": "PurchasingCompany", "company": {"name": "Weiß GmbH"}}
        found = mapped(purchasingEntity=entity)
        assert found.b2b
        assert found.customer is not None
        assert found.customer.company == "Weiß GmbH"

    def test_an_address_without_a_country_is_nowhere(self) -> None:
        address = mapped(billingAddress={"city": "X"}).billing_address
        assert address is not None
        assert address.country == "ZZ"

    def test_the_vendors_own_id_version_and_link_are_carried(self) -> None:
        ref = mapped().ref
        assert (ref.id, ref.version) == ("42", "2026-11-20T17:05:00Z")
        assert ref.link == "https://admin.shopify.com/store/acme/orders/42"

    @pytest.mark.parametrize("field", ["displayFinancialStatus", "displayFulfillmentStatus"])
    def test_a_value_that_is_not_in_the_table_is_named(self, field: str) -> None:
        with pytest.raises(StrataError, match="'NEW_VALUE'"):
            mapped(**{field: "NEW_VALUE"})


def with_left(pieces: int, **changed: Any) -> ChannelOrder:
    """The same with so many of its two jackets left: Shopify tells price, discount and tax for both all the same."""
    line = {**order()["lineItems"]["nodes"][0], "currentQuantity": pieces}
    now = {
        "lineItems": {"pageInfo": {"hasNextPage": False}, "nodes": [line]},
        "currentSubtotalPriceSet": bag("45.00"),
        "currentTotalDiscountsSet": bag("5.00"),
        "currentTotalTaxSet": bag("2.25"),
        "currentTotalPriceSet": bag("55.20"),
    }
    return mapped(**(now | changed))


class TestAnOrderThatWasEdited:
    """`quantity`, discounts, taxes and `total...Set` include what was removed (schema 2026-10); the buyer owes less."""

    def test_pieces_that_were_removed_are_not_ordered_any_more(self) -> None:
        [line] = with_left(1).lines
        assert line.quantity == 1
        assert [d.amount.amount for d in line.discounts] == [Decimal("5.00")]
        assert [t.amount.amount for t in line.taxes] == [Decimal("2.25")]

    def test_its_totals_are_those_of_now(self) -> None:
        totals = with_left(1).totals
        found = (totals.subtotal, totals.discounts, totals.tax, totals.total)
        assert [m.amount for m in found] == [Decimal("45.00"), Decimal("5.00"), Decimal("2.25"), Decimal("55.20")]

    def test_a_line_that_was_removed_has_no_piece_no_discount_and_no_tax(self) -> None:
        [line] = with_left(0).lines
        assert line.quantity == 0
        assert not any(d.amount for d in line.discounts)
        assert not any(t.amount for t in line.taxes)

    def test_a_cancelled_order_is_told_as_it_was_ordered(self) -> None:
        found = with_left(0, cancelledAt="2026-11-20T18:00:00Z", currentTotalPriceSet=bag("0.00"))
        assert found.lines[0].quantity == 2
        assert found.totals.total.amount == Decimal("102.45")


class TestFulfilmentInput:
    def test_lines_are_grouped_by_fulfilment_order(self) -> None:
        lines = (FulfilLine("1", "11", 2), FulfilLine("2", "21", 1), FulfilLine("1", "12", 1))
        found = mapping.fulfilment_input(NewFulfilment(lines, Tracking("UPS", ("1Z",)), notify_customer=False))
        assert found == {
            "lineItemsByFulfillmentOrder": [
                {
                    "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/1",
                    "fulfillmentOrderLineItems": [
                        {"id": "gid://shopify/FulfillmentOrderLineItem/11", "quantity": 2},
                        {"id": "gid://shopify/FulfillmentOrderLineItem/12", "quantity": 1},
                    ],
                },
                {
                    "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/2",
                    "fulfillmentOrderLineItems": [{"id": "gid://shopify/FulfillmentOrderLineItem/21", "quantity": 1}],
                },
            ],
            "notifyCustomer": False,
            "trackingInfo": {"company": "UPS", "numbers": ["1Z"]},
        }

    def test_without_tracking_none_is_sent(self) -> None:
        assert "trackingInfo" not in mapping.fulfilment_input(NewFulfilment((FulfilLine("1", "11", 1),)))


def fulfilment_order(status: str, remaining: int) -> tuple[wire.FulfillmentOrder, list[wire.FulfillmentOrderLine]]:
    line = wire.FulfillmentOrderLine(mapping.gid("FulfillmentOrderLineItem", "11"), remaining, wire.Id("gid://x/7"))
    nowhere = wire.AssignedLocation(None)
    return wire.FulfillmentOrder(mapping.gid("FulfillmentOrder", "1"), status, nowhere, wire.Connection((line,))), [
        line
    ]


class TestOpenLines:
    @pytest.mark.parametrize(("status", "open_"), [("OPEN", 1), ("IN_PROGRESS", 1), ("CLOSED", 0), ("CANCELLED", 0)])
    def test_a_closed_fulfilment_order_has_nothing_open(self, status: str, open_: int) -> None:
        assert len(mapping.open_lines(*fulfilment_order(status, 2))) == open_

    def test_a_line_with_nothing_left_is_not_open(self) -> None:
        assert mapping.open_lines(*fulfilment_order("OPEN", 0)) == ()


class TestIds:
    def test_digits_of_a_global_id(self) -> None:
        assert mapping.digits("gid://shopify/InventoryLevel/123?inventory_item_id=456") == "123"
        assert mapping.digits(mapping.gid("Order", "42")) == "42"
