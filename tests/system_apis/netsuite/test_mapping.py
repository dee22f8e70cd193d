"""From our words to NetSuite's and back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.canonical.common import Address
from strata.canonical.customers import CustomerDraft
from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus, SalesOrder, SalesOrderLine
from strata.errors import FieldError, Invalid, StrataError
from system_apis.netsuite import mapping, wire

NAMES = mapping.Names("erp", "1234567_SB1")
AMOUNTS = st.decimals(min_value="-99999999.999", max_value="99999999.999", places=3)
ENCODER = msgspec.json.Encoder(decimal_format="number")


def line(amount: str = "10.00", quantity: int = 2, **more: object) -> SalesOrderLine:
    given = {"kind": "item", "item_id": "12", "quantity": quantity, "amount": Money(Decimal(amount), "USD"), "sku": "A"}
    return SalesOrderLine(**{**given, **more})


def order(*lines: SalesOrderLine, **more: object) -> SalesOrder:
    given = {
        "key": "sh:s:order:1",
        "number": "#1001",
        "ordered_at": datetime(2026, 11, 21, 2, 30, tzinfo=UTC),
        "currency": "USD",
        "customer_id": "7",
        "selling_entity": "1",
        "lines": lines or (line(),),
        "expected_total": Money(Decimal("10.00"), "USD"),
    }
    return SalesOrder(**{**given, **more})


def sent(of: SalesOrder) -> dict[str, object]:
    return json.loads(ENCODER.encode(mapping.new_order(of, "2", ZoneInfo("America/Los_Angeles"))), parse_float=Decimal)


class TestNewOrder:
    def test_header(self) -> None:
        body = sent(order(location="4", terms="5", shipping_method="6", shipping_cost=Money(Decimal("7.95"), "USD"),
                          shipping_tax_code="8", memo="M", email="a@example.com"))  # fmt: skip
        assert body["entity"] == {"id": "7"}
        assert body["subsidiary"] == {"id": "1"}
        assert body["currency"] == {"id": "2"}
        assert body["tranDate"] == "2026-11-20"  # the day on the account's clocks
        assert body["otherRefNum"] == "#1001"
        assert body["shippingCost"] == Decimal("7.95")
        assert body["shipMethod"] == {"id": "6"}
        assert body["shippingTaxCode"] == {"id": "8"}
        assert body["location"] == {"id": "4"}
        assert body["terms"] == {"id": "5"}

    def test_what_is_not_known_is_not_sent(self) -> None:
        assert set(sent(order())) == {"entity", "subsidiary", "currency", "tranDate", "item", "otherRefNum", "memo"}

    def test_an_item_line_carries_its_own_price_and_tax(self) -> None:
        taxed = line(tax_code="9", tax=Money(Decimal("0.83"), "USD"), tax_rate=Decimal("0.0825"))
        [sent_line] = sent(order(taxed))["item"]["items"]  # pyright: ignore[reportIndexIssue, reportCallIssue, reportArgumentType]
        assert sent_line == {
            "item": {"id": "12"},
            "amount": Decimal("10.00"),
            "quantity": 2,
            "rate": 5,
            "price": {"id": "-1"},
            "taxCode": {"id": "9"},
            "tax1Amt": Decimal("0.83"),
        }

    def test_a_discount_has_no_quantity(self) -> None:
        cut = line("-3.33", 1, kind="discount", description="SUMMER")
        items = sent(order(line(), cut))["item"]["items"]  # pyright: ignore[reportIndexIssue]
        assert items[1] == {
            "item": {"id": "12"},
            "amount": Decimal("-3.33"),
            "rate": Decimal("-3.33"),
            "description": "SUMMER",
        }

    def test_a_price_that_does_not_come_out_even_is_left_to_the_amount(self) -> None:
        items = sent(order(line("10.00", 3)))["item"]["items"]  # pyright: ignore[reportIndexIssue]
        assert "rate" not in items[0]
        assert items[0]["amount"] == Decimal("10.00")

    def test_a_gift_card_says_for_whom_it_is(self) -> None:
        place = Address("US", "Zoë", "Kim")
        items = sent(order(line(kind="gift_card"), email="z@example.com", shipping_address=place))["item"]["items"]  # pyright: ignore[reportIndexIssue]
        assert items[0]["giftCertRecipientName"] == "Zoë Kim"
        assert items[0]["giftCertRecipientEmail"] == "z@example.com"

    @given(amount=AMOUNTS, quantity=st.integers(1, 10_000), tax=AMOUNTS)
    @settings(max_examples=300, deadline=None)
    def test_amounts_travel_to_the_last_digit_and_rates_never_change_them(
        self, amount: Decimal, quantity: int, tax: Decimal
    ) -> None:
        one = line(str(amount), quantity, tax=Money(tax, "USD"))
        body = ENCODER.encode(mapping.new_order(order(one), "2", ZoneInfo("UTC")))
        assert b"e" not in re.sub(rb'"[^"]*"', b"", body).lower()  # no exponent in any number
        [back] = json.loads(body, parse_float=Decimal, parse_int=Decimal)["item"]["items"]
        assert back["amount"] == amount
        assert back["tax1Amt"] == tax
        assert "rate" not in back or back["rate"] * quantity == amount

    @given(amount=AMOUNTS)
    @settings(max_examples=200, deadline=None)
    def test_amounts_are_read_to_the_last_digit(self, amount: Decimal) -> None:
        body = b'{"id":"1","tranId":"SO-1","total":%s,"status":{"id":"B"},"currency":{"id":"1"}}' % str(amount).encode()
        assert msgspec.json.decode(body, type=wire.SalesOrderRecord, strict=False).total == amount


class TestStatus:
    @pytest.mark.parametrize(
        ("letter", "status"),
        [
            ("A", OrderStatus.ON_HOLD),
            ("B", OrderStatus.ACCEPTED),
            ("C", OrderStatus.CANCELLED),
            ("D", OrderStatus.PARTIALLY_SHIPPED),
            ("E", OrderStatus.PARTIALLY_SHIPPED),
            ("F", OrderStatus.SHIPPED),
            ("G", OrderStatus.BILLED),
            ("H", OrderStatus.CLOSED),
            ("SalesOrd:G", OrderStatus.BILLED),
        ],
    )
    def test_each_letter_is_a_status_of_ours(self, letter: str, status: OrderStatus) -> None:
        assert mapping.looked_up(mapping.ORDER_STATUS, mapping.letter(letter), "order status") is status

    def test_a_letter_that_is_not_in_the_table_is_named(self) -> None:
        with pytest.raises(StrataError, match="'Z'"):
            mapping.looked_up(mapping.ORDER_STATUS, "Z", "order status")


class TestExplained:
    def test_a_refused_article_is_named_as_the_order_names_it(self) -> None:
        refused = Invalid("x", errors=(FieldError("invalid", "/item/items/1/item"),))
        [cause] = mapping.explained(refused, order(line(), line(sku="NW-RAIN-ONE"))).errors
        assert (cause.pointer, cause.value) == ("/lines/1/sku", "NW-RAIN-ONE")
        assert "NW-RAIN-ONE" in cause.detail
        assert cause.remedy

    def test_a_refused_reference_is_named_in_our_words(self) -> None:
        refused = Invalid("x", errors=(FieldError("invalid", "/shipMethod"),))
        [cause] = mapping.explained(refused, order()).errors
        assert cause.pointer == "/shipping_method"

    @pytest.mark.parametrize("path", ["", "/item/items/9/item", "/item/items/x", "/memo"])
    def test_what_cannot_be_placed_is_told_as_it_came(self, path: str) -> None:
        cause = FieldError("why", path)
        assert mapping.explained(Invalid("x", errors=(cause,)), order()).errors == (cause,)


class TestAddress:
    def test_a_company_is_the_addressee_and_the_person_stands_beside_it(self) -> None:
        found = mapping.address(Address("DE", "Jürgen", "Groß", "Weiß GmbH", "Weg 1", "", "Köln", "", "50667", "+49"))
        assert found == wire.Address(
            addressee="Weiß GmbH",
            attention="Jürgen Groß",
            addr1="Weg 1",
            city="Köln",
            zip="50667",
            country=wire.Ref("DE"),
            addr_phone="+49",
        )


class TestNewCustomer:
    def test_one_address_serves_both_when_they_are_the_same(self) -> None:
        place = Address("US", "A", "B", "", "1 Main")
        draft = CustomerDraft(
            "k", "1", "USD", first_name="A", last_name="B", billing_address=place, shipping_address=place
        )
        book = mapping.new_customer(draft, "1").address_book
        assert book is not None
        assert [(x.default_billing, x.default_shipping) for x in book.items] == [(True, True)]

    def test_two_addresses_are_two_entries(self) -> None:
        draft = CustomerDraft(
            "k", "1", "USD", billing_address=Address("US", line1="1"), shipping_address=Address("US", line1="2")
        )
        book = mapping.new_customer(draft, "1").address_book
        assert book is not None
        assert [(x.default_billing, x.default_shipping) for x in book.items] == [(True, False), (False, True)]


class TestCustomers:
    def test_rows_of_one_customer_are_one_match_with_all_its_subsidiaries(self) -> None:
        rows = [
            wire.CustomerRow("7", firstname="A", lastname="B", subsidiary="1", currency="1", isinactive="T"),
            wire.CustomerRow("7", firstname="A", lastname="B", subsidiary="2", currency="1", isinactive="T"),
            wire.CustomerRow("8", companyname="C", currency="9"),
        ]
        first, second = mapping.customers(rows, {"1": "USD"}, NAMES)
        assert (first.name, first.active, first.selling_entities, first.currencies) == (
            "A B",
            False,
            ("1", "2"),
            ("USD",),
        )
        assert (second.name, second.selling_entities, second.currencies) == ("C", (), ())


class TestCarrier:
    @pytest.mark.parametrize(
        ("method", "carrier"),
        [
            ("UPS Ground", "UPS"),
            ("DHL Paket", "DHL"),
            ("Standard", "Standard"),
            ("", ""),
            ("UPS", "UPS"),
            ("UPS-Ground", "UPS"),
            ("Upstate Courier", "Upstate Courier"),
        ],
    )
    def test_it_is_told_by_the_name_of_the_method(self, method: str, carrier: str) -> None:
        assert mapping.carrier(method) == carrier
