# ruff: noqa: E501  # GraphQL documents read better on one line
from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.shopify.money import decimal_text, minor_unit, share_out
from sandbox.shopify.order_input import OrderReader
from sandbox.shopify.totals import sums

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])


def amounts(currency, most=100_000):
    unit = minor_unit(currency)
    return st.integers(0, most).map(lambda n: n * unit)


@st.composite
def orders(draw):
    """(shop currency, presentment currency, an OrderCreateOrderInput)."""
    shop, presentment = draw(CURRENCIES), draw(CURRENCIES)

    def bag(most=100_000):
        own = {"amount": draw(amounts(shop, most)), "currencyCode": shop}
        if not draw(st.booleans()):
            return {"shopMoney": own}
        return {
            "shopMoney": own,
            "presentmentMoney": {"amount": draw(amounts(presentment, most)), "currencyCode": presentment},
        }

    rates = st.sampled_from([Decimal(r) for r in ("0", "0.07", "0.0725", "0.19", "0.2", "0.08875")])
    on_order = draw(st.booleans())

    def taxes():
        return [
            {"title": f"T{i}", "rate": draw(rates), **({"priceSet": bag(500)} if draw(st.booleans()) else {})}
            for i in range(draw(st.integers(0, 2)))
        ]

    lines = [
        {
            "title": "x", "quantity": draw(st.integers(1, 7)), "priceSet": bag(), "taxable": draw(st.booleans()),
            "giftCard": draw(st.sampled_from([False, False, False, True])), "taxLines": [] if on_order else taxes(),
        }
        for _ in range(draw(st.integers(1, 6)))
    ]  # fmt: skip
    discount = draw(
        st.sampled_from([None, "freeShippingDiscountCode", "itemFixedDiscountCode", "itemPercentageDiscountCode"])
    )
    values = {
        "freeShippingDiscountCode": {"code": "F"},
        "itemFixedDiscountCode": {"code": "X", "amountSet": bag(3000)} if discount == "itemFixedDiscountCode" else None,
        "itemPercentageDiscountCode": {"code": "P", "percentage": draw(st.integers(0, 1000)) / 10},
    }
    return shop, presentment, {
        "lineItems": lines,
        "shippingLines": [{"title": "s", "priceSet": bag(3000), "taxLines": taxes()} for _ in range(draw(st.integers(0, 2)))],
        "taxLines": taxes() if on_order else [],
        "taxesIncluded": draw(st.booleans()),
        "discountCode": {discount: values[discount]} if discount else None,
    }  # fmt: skip


def read(order):
    shop, presentment, given = order
    numbers = iter(range(1, 1000))
    reader = OrderReader(
        given,
        currency=shop,
        presentment=presentment,
        convert=Decimal("1.37"),
        variant=lambda _: None,
        new_id=lambda _: next(numbers),
    )
    lines, shipping = reader.lines(), reader.shipping()
    applications = reader.discounts(lines, shipping)
    taxes = reader.taxes(lines, shipping)
    reader.check()
    return (
        reader,
        lines,
        shipping,
        applications,
        taxes,
        sums(lines, shipping, taxes, reader.zero, included=reader.included),
    )


class TestSums:
    @settings(max_examples=150, deadline=None)
    @given(orders())
    def test_the_parts_are_the_total_to_the_minor_unit(self, order):
        reader, lines, shipping, applications, taxes, whole = read(order)
        for side, currency in (("shop", order[0]), ("presentment", order[1])):
            line_total = sum(getattr(x.price, side) * x.quantity for x in lines)
            discounts = sum(getattr(a.amount, side) for x in [*lines, *shipping] for a in x.allocations)
            ship = sum(getattr(x.price, side) for x in shipping)
            tax = sum(getattr(t.price, side) for t in taxes)
            expected = line_total + ship - discounts + (0 if reader.included else tax)
            assert getattr(whole.total, side) == expected
            assert getattr(whole.discounts, side) == discounts == sum(getattr(a.amount, side) for a in applications)
            every = [
                whole.total,
                whole.tax,
                *(t.price for t in taxes),
                *(a.amount for x in lines for a in x.allocations),
            ]
            assert all(getattr(bag, side) % minor_unit(currency) == 0 for bag in every)

    @settings(max_examples=100, deadline=None)
    @given(orders())
    def test_the_taxes_of_the_order_are_those_of_its_parts(self, order):
        _, lines, shipping, _, taxes, _ = read(order)
        parts = sum(t.price.shop for x in [*lines, *shipping] for t in x.taxes)
        nothing_taxable = all(not x.taxable or not (x.original_total - x.discount).shop for x in lines)
        assert parts == sum(t.price.shop for t in taxes) or nothing_taxable

    @settings(max_examples=100, deadline=None)
    @given(orders())
    def test_nothing_is_discounted_below_zero_and_no_gift_card_at_all(self, order):
        _, lines, shipping, _, _, _ = read(order)
        for line in lines:
            assert (line.original_total - line.discount).shop >= 0
            assert not (line.gift_card and line.allocations)
        assert all((x.price - x.discount).shop >= 0 for x in shipping)


class TestShareOut:
    @given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), max_size=12), CURRENCIES)
    def test_the_parts_sum_up_and_are_fair(self, amount, weights, currency):
        unit = minor_unit(currency)
        whole = amount * unit
        parts = share_out(whole, [Decimal(w) for w in weights], currency)
        total = sum(weights)
        assert sum(parts) == (whole if total else 0)
        for part, weight in zip(parts, weights, strict=True):
            assert part >= 0
            assert abs(part - (whole * weight / total if total else 0)) <= unit
            assert weight or not part


class TestText:
    def test_decimal_as_ruby_writes_it(self):
        assert [decimal_text(Decimal(x)) for x in ("10", "10.50", "10.55", "0.00", "1E+2")] == [
            "10.0",
            "10.5",
            "10.55",
            "0.0",
            "100.0",
        ]
