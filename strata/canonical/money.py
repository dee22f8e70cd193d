"""Amounts of money: a Decimal and a currency, never a float."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from iso4217 import Currency as _Iso
from msgspec import Meta, Struct

Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 currency code", examples=["EUR"])]

_EXPONENTS: dict[str, int] = {c.code: c.exponent or 0 for c in _Iso}


def exponent(currency: str) -> int:
    """Decimals of the minor unit: 2 for EUR, 0 for JPY. Raises ValueError for a code ISO 4217 does not know."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency") from None


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 1 for JPY."""
    return Decimal(1).scaleb(-exponent(currency))


class Money(Struct, frozen=True):
    """An amount in units of `currency`. On the wire `{"amount": "12.50", "currency": "EUR"}`."""

    amount: Decimal
    currency: Currency

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def rounded(self) -> Money:
        """To the minor unit, halves away from zero (how both Shopify and NetSuite round)."""
        return Money(self.amount.quantize(minor_unit(self.currency), ROUND_HALF_UP), self.currency)

    def allocate(self, weights: Sequence[Decimal | int]) -> list[Money]:
        """Split by weight with the largest remainder, to the minor unit; the parts sum exactly to the whole."""
        unit = minor_unit(self.currency)
        whole = self.rounded()
        total = sum((Decimal(w) for w in weights), Decimal(0))
        if not weights:
            return []
        if total == 0:
            weights, total = [1] * len(weights), Decimal(len(weights))
        units = whole.amount / unit
        exact = [units * Decimal(w) / total for w in weights]
        floors = [Decimal(int(e)) for e in exact]
        left = int(units - sum(floors, Decimal(0)))
        step = 1 if left >= 0 else -1
        order = sorted(range(len(exact)), key=lambda i: (-abs(exact[i] - floors[i]), i))
        for i in order[: abs(left)]:
            floors[i] += step
        return [Money(f * unit, self.currency) for f in floors]

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")


def zero(currency: str) -> Money:
    """Nothing, in a currency."""
    return Money(Decimal(0), currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts of one currency; zero when there are none."""
    return sum(amounts, zero(currency))
