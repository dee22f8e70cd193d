"""Orders by the thousand, added up as Shopify does: each tax rounded by itself, the total the sum of the parts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import msgspec
from hypothesis import strategies as st

from strata.canonical.common import Address, VendorRef
from strata.canonical.money import Money
from strata.canonical.orders import (
    ChannelOrder,
    ChannelOrderLine,
    ChannelOrderTotals,
    ChannelShippingLine,
    Discount,
    TaxLine,
)
from tests.process_apis.fakes import EXPONENTS, T0

US = (
    ("CA", (("California State Tax", "0.0725"),)),
    ("NY", (("New York State Tax", "0.04"), ("New York City Tax", "0.045"))),
    ("NJ", (("New Jersey State Tax", "0.06625"),)),
    ("OR", ()),
)
EU = (
    ("DE", (("DE MwSt", "0.19"),)),
    ("DE", (("DE MwSt reduced", "0.07"),)),
    ("FR", (("FR TVA", "0.2"),)),
)
SKUS = ("NW-A", "NW-B", "NW-C", "NW-KIT", "NW-SRV")

Rates = tuple[tuple[str, str], ...]


def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-EXPONENTS.get(currency, 2))


def _round(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(_unit(currency), ROUND_HALF_UP)


def _taxes(
    amount: Decimal, rates: tuple[tuple[str, str], ...], currency: str, *, included: bool
) -> tuple[TaxLine, ...]:
    together = sum((Decimal(rate) for _, rate in rates), Decimal(0))
    base = amount / (1 + together) if included else amount
    return tuple(
        TaxLine(title, Decimal(rate), Money(_round(base * Decimal(rate), currency), currency)) for title, rate in rates
    )


@st.composite
def amounts(draw: st.DrawFn, currency: str, most: int = 200_000) -> Decimal:
    return Decimal(draw(st.integers(0, most))) * _unit(currency)


@st.composite
def lines(draw: st.DrawFn, number: int, currency: str, rates: Rates, included: bool) -> ChannelOrderLine:
    quantity, price = draw(st.integers(1, 7)), draw(amounts(currency))
    gross = price * quantity
    left, discounts = gross, list[Discount]()
    for code in draw(st.lists(st.sampled_from(("SUMMER10", "VIP", "")), max_size=2)):
        cut = min(left, draw(amounts(currency, 50_000)))
        if cut:
            discounts.append(Discount(Money(cut, currency), code, "" if code else "Automatic"))
            left -= cut
    gift = draw(st.integers(0, 12)) == 0
    taxed = not gift and draw(st.booleans())
    taxes = _taxes(left, rates, currency, included=included) if taxed else ()
    sku = "NW-GIFT-50" if gift else draw(st.sampled_from(SKUS))
    return ChannelOrderLine(
        f"L{number}", sku, quantity, Money(price, currency), sku, tuple(discounts), taxes, taxed, not gift, gift
    )


@st.composite
def shipping(draw: st.DrawFn, currency: str, rates: Rates, included: bool) -> ChannelShippingLine:
    price = draw(amounts(currency, 5_000))
    cut = draw(st.sampled_from((Decimal(0), price)))
    left = price - cut
    kind = draw(st.sampled_from(("taxed", "untaxed", "split")))
    taxes = _taxes(left, rates, currency, included=included) if kind == "taxed" else ()
    if kind == "split" and rates and rates[0][0] == "DE MwSt":
        first = _round(left / 3, currency)
        taxes = (
            *_taxes(first, (("DE MwSt", "0.19"),), currency, included=included),
            *_taxes(left - first, (("DE MwSt reduced", "0.07"),), currency, included=included),
        )
    discounts = (Discount(Money(cut, currency), "FREESHIP"),) if cut else ()
    title = draw(st.sampled_from(("Standard", "Express")))
    return ChannelShippingLine(title, Money(price, currency), "", discounts, taxes)


@st.composite
def orders(draw: st.DrawFn) -> ChannelOrder:
    """An order of either shop in one of its currencies, that adds up but for at most a unit a line."""
    us = draw(st.booleans())
    shop = "northwind-us" if us else "northwind-eu"
    currency = draw(st.sampled_from(("USD", "JPY", "KWD") if us else ("EUR", "GBP", "JPY", "KWD")))
    included = draw(st.booleans())
    region, rates = draw(st.sampled_from(US if us else EU))
    country, region = ("US", region) if us else (region, "")
    count = draw(st.integers(1, 5))
    goods = tuple(draw(lines(n, currency, rates, included)) for n in range(1, count + 1))
    ships = tuple(draw(st.lists(shipping(currency, rates, included), max_size=3)))
    subtotal = sum(
        (x.unit_price.amount * x.quantity - sum((d.amount.amount for d in x.discounts), Decimal(0)) for x in goods),
        Decimal(0),
    )
    shipped = sum((x.price.amount - sum((d.amount.amount for d in x.discounts), Decimal(0)) for x in ships), Decimal(0))
    tax = sum((t.amount.amount for x in (*goods, *ships) for t in x.taxes), Decimal(0))
    slack = draw(st.integers(-(len(goods) + len(ships)), len(goods) + len(ships))) * _unit(currency)
    total = subtotal + shipped + (0 if included else tax) + slack
    money = [Money(value, currency) for value in (subtotal, Decimal(0), shipped, tax, total)]
    return ChannelOrder(
        key=f"sh:{shop}:order:1", ref=VendorRef(shop, "shopify", "1"), shop=shop, number="#1", created_at=T0,
        updated_at=T0, currency=currency, shop_currency="USD" if us else "EUR", financial_state="paid",
        fulfilment_state="unfulfilled", totals=ChannelOrderTotals(*money), lines=goods, shipping_lines=ships,
        shipping_address=msgspec.convert({"country": country, "region": region}, Address), taxes_included=included,
    )  # fmt: skip
