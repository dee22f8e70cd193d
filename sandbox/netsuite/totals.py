"""How NetSuite adds up a sales order: pure arithmetic on decimals.

Amounts are in the order's currency and rounded half up to its precision, line by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import msgspec

HUNDRED = Decimal(100)


def rounded(amount: Decimal, precision: int) -> Decimal:
    """Half up to `precision` decimals, away from zero at the middle; never minus zero."""
    result = amount.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)
    return result if result else abs(result)


def percent_of(rate: str | None) -> Decimal | None:
    """The number in a rate such as `-12.5%`; None if it is not a percentage."""
    if rate is None or not rate.strip().endswith("%"):
        return None
    return Decimal(rate.strip()[:-1])


class Line(msgspec.Struct, frozen=True):
    """What a line brings. amount, tax: where the caller gave them; tax_rate: percent; percent: of a discount item."""

    quantity: Decimal | None
    rate: Decimal | None
    amount: Decimal | None
    tax_rate: Decimal = Decimal(0)
    tax: Decimal | None = None
    is_discount: bool = False
    percent: Decimal | None = None


class LineSum(msgspec.Struct, frozen=True):
    amount: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.amount + self.tax


class Extra(msgspec.Struct, frozen=True):
    """Shipping or handling: what it costs, and the tax on it in percent."""

    cost: Decimal = Decimal(0)
    tax_rate: Decimal = Decimal(0)


class Sums(msgspec.Struct, frozen=True):
    """The order's totals. subtotal has the line discounts in it; discount_total is the header discount, <= 0."""

    lines: tuple[LineSum, ...]
    subtotal: Decimal
    discount_total: Decimal
    shipping_tax: Decimal
    handling_tax: Decimal
    tax_total: Decimal
    gift_applied: Decimal
    total: Decimal


class FirstLineDiscount(Exception):
    """A discount line with nothing before it to discount."""

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number} discounts nothing")
        self.number = number


def line_sums(lines: Sequence[Line], precision: int) -> tuple[LineSum, ...]:
    """Amount and tax of each line. Raises FirstLineDiscount."""
    sums: list[LineSum] = []
    discounted: Decimal | None = None
    for number, line in enumerate(lines):
        if line.is_discount:
            if discounted is None:
                raise FirstLineDiscount(number)
            amount = _discount(line, discounted)
        elif line.amount is not None:
            amount = line.amount
        else:
            quantity = Decimal(1) if line.quantity is None else line.quantity
            amount = (line.rate or Decimal(0)) * quantity
        amount = rounded(amount, precision)
        if not line.is_discount:
            discounted = amount
        tax = line.tax if line.tax is not None else amount * line.tax_rate / HUNDRED
        sums.append(LineSum(amount, rounded(tax, precision)))
    return tuple(sums)


def _discount(line: Line, discounted: Decimal) -> Decimal:
    if line.amount is not None:
        return line.amount
    if line.rate is not None:
        return line.rate * (Decimal(1) if line.quantity is None else line.quantity)
    return discounted * (line.percent or Decimal(0)) / HUNDRED


def order_sums(
    lines: Sequence[Line],
    precision: int,
    *,
    shipping: Extra,
    handling: Extra,
    discount_rate: str | None,
    discount_before_tax: bool = False,
    gift_applied: Decimal = Decimal(0),
) -> Sums:
    """All totals of an order. discount_rate: of the header discount item, `-10%` or `-5.00`.

    A discount before tax lowers the tax of all lines in proportion. Raises FirstLineDiscount.
    """
    sums = line_sums(lines, precision)
    subtotal = sum((s.amount for s in sums), Decimal(0))
    percent = percent_of(discount_rate)
    if discount_rate is None:
        discount = Decimal(0)
    elif percent is not None:
        discount = rounded(subtotal * percent / HUNDRED, precision)
    else:
        discount = rounded(Decimal(discount_rate), precision)
    line_tax = sum((s.tax for s in sums), Decimal(0))
    if discount_before_tax and subtotal and discount:
        line_tax = rounded(line_tax * (subtotal + discount) / subtotal, precision)
    shipping_cost, handling_cost = rounded(shipping.cost, precision), rounded(handling.cost, precision)
    shipping_tax = rounded(shipping_cost * shipping.tax_rate / HUNDRED, precision)
    handling_tax = rounded(handling_cost * handling.tax_rate / HUNDRED, precision)
    tax_total = line_tax + shipping_tax + handling_tax
    total = subtotal + discount + shipping_cost + handling_cost + tax_total - gift_applied
    return Sums(
        sums,
        rounded(subtotal, precision),
        discount,
        shipping_tax,
        handling_tax,
        rounded(tax_total, precision),
        rounded(gift_applied, precision),
        rounded(total, precision),
    )
