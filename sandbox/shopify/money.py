"""Amounts in shop and presentment money, and how they are rounded, shared out and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import msgspec

ZERO = Decimal(0)
ZERO_DECIMAL_CURRENCIES = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMAL_CURRENCIES = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


@lru_cache(maxsize=256)
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01, or 1 for yen."""
    if currency in ZERO_DECIMAL_CURRENCIES:
        return Decimal(1)
    return Decimal("0.001") if currency in THREE_DECIMAL_CURRENCIES else Decimal("0.01")


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the minor unit, half away from zero."""
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP)


def money_text(amount: Decimal, currency: str) -> str:
    """The scalar `Money` and REST amounts: always with the currency's decimals, "12.50"."""
    return f"{rounded(amount, currency):f}"


def decimal_text(amount: Decimal) -> str:
    """The scalar `Decimal` (MoneyV2.amount): no more decimals than needed but at least one, "12.5", "30.0"."""
    text = f"{amount:f}"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text


class Bag(msgspec.Struct, frozen=True, array_like=True):
    """One amount in the shop's currency and in the buyer's (presentment)."""

    shop: Decimal
    presentment: Decimal
    currency: str
    presentment_currency: str

    def __add__(self, other: Bag) -> Bag:
        return self._with(self.shop + other.shop, self.presentment + other.presentment)

    def __sub__(self, other: Bag) -> Bag:
        return self._with(self.shop - other.shop, self.presentment - other.presentment)

    def __mul__(self, times: int) -> Bag:
        return self._with(self.shop * times, self.presentment * times)

    def _with(self, shop: Decimal, presentment: Decimal) -> Bag:
        return Bag(shop, presentment, self.currency, self.presentment_currency)

    def scaled(self, factor: Decimal) -> Bag:
        """Times a factor, each side rounded to its minor unit."""
        return self._with(
            rounded(self.shop * factor, self.currency), rounded(self.presentment * factor, self.presentment_currency)
        )

    def at_most(self, other: Bag) -> Bag:
        return self._with(min(self.shop, other.shop), min(self.presentment, other.presentment))

    def zero(self) -> Bag:
        return self._with(ZERO, ZERO)

    def is_zero(self) -> bool:
        return not self.shop and not self.presentment


def total(bags: Iterable[Bag], start: Bag) -> Bag:
    """The sum; `start` (usually a zero) gives the currencies of an empty sum."""
    for bag in bags:
        start = start + bag
    return start


def share_out(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split an amount over weights to the minor unit so that the parts sum to it exactly.

    Each part is the difference of rounded running totals, so no part is off by more than one minor unit; nothing
    goes to a weight of zero. Nothing to weigh: all parts are zero.
    """
    whole = sum(weights, ZERO)
    if not whole:
        return [ZERO for _ in weights]
    parts: list[Decimal] = []
    seen = given = ZERO
    for weight in weights:
        seen += weight
        upto = rounded(amount * seen / whole, currency)
        parts.append(upto - given)
        given = upto
    return parts


def share_bag(amount: Bag, weights: Sequence[Bag]) -> list[Bag]:
    """`share_out` on both sides of a bag."""
    shop = share_out(amount.shop, [w.shop for w in weights], amount.currency)
    presentment = share_out(amount.presentment, [w.presentment for w in weights], amount.presentment_currency)
    pairs = zip(shop, presentment, strict=True)
    return [Bag(s, p, amount.currency, amount.presentment_currency) for s, p in pairs]
