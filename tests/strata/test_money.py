"""Money adds up to the minor unit, always."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.canonical.money import Money, exponent, minor_unit, total, zero

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD"])


@given(CURRENCIES, st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_the_parts_of_an_allocation_sum_to_the_whole(currency: str, units: int, weights: list[int]) -> None:
    whole = Money(units * minor_unit(currency), currency)
    parts = whole.allocate(weights)
    assert total(parts, currency) == whole


@given(CURRENCIES, st.integers(-(10**9), 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_no_part_is_off_by_a_minor_unit_or_more(currency: str, units: int, weights: list[int]) -> None:
    whole = Money(units * minor_unit(currency), currency)
    for part, weight in zip(whole.allocate(weights), weights, strict=True):
        exact = whole.amount * weight / sum(weights)
        assert abs(part.amount - exact) < minor_unit(currency)


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_has_its_own_minor_unit(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


def test_a_code_that_is_no_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="EURO"):
        exponent("EURO")


def test_halves_round_away_from_zero() -> None:
    assert Money(Decimal("0.125"), "EUR").rounded().amount == Decimal("0.13")
    assert Money(Decimal("-0.125"), "EUR").rounded().amount == Decimal("-0.13")


def test_two_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="EUR with USD"):
        _ = zero("EUR") + zero("USD")
