"""Sales orders add up as NetSuite adds them up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.netsuite.totals import Extra, FirstLineDiscount, Line, order_sums, rounded

NONE = Extra()


def line(quantity: str | None = "1", rate: str | None = None, amount: str | None = None, **more: object) -> Line:
    def number(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return Line(number(quantity), number(rate), number(amount), **more)  # type: ignore[arg-type]


def sums(*lines: Line, precision: int = 2, **more: object):
    options = {"shipping": NONE, "handling": NONE, "discount_rate": None, **more}
    return order_sums(lines, precision, **options)  # type: ignore[arg-type]


def test_an_amount_that_is_given_wins_over_rate_times_quantity() -> None:
    result = sums(line("3", "17.33", "52.00"), line("3", "17.33"))
    assert [s.amount for s in result.lines] == [Decimal("52.00"), Decimal("51.99")]


@pytest.mark.parametrize(
    ("amount", "precision", "expected"),
    [("1.005", 2, "1.01"), ("-1.005", 2, "-1.01"), ("2.5", 0, "3"), ("0.004", 2, "0.00"), ("-0.004", 2, "0.00")],
)
def test_rounding_is_half_up_to_the_currency(amount: str, precision: int, expected: str) -> None:
    assert str(rounded(Decimal(amount), precision)) == expected


def test_tax_is_what_the_line_says_or_else_its_rate() -> None:
    rate = Decimal("7.25")
    result = sums(line(amount="51.99", tax_rate=rate), line(amount="10.00", tax_rate=rate, tax=Decimal("0.72")))
    assert [s.tax for s in result.lines] == [Decimal("3.77"), Decimal("0.72")]
    assert result.tax_total == Decimal("4.49")


def test_a_discount_line_follows_its_item() -> None:
    result = sums(line(amount="80.00"), line(None, is_discount=True, percent=Decimal("-10")), line(amount="5.00"))
    assert result.subtotal == Decimal("77.00")
    with pytest.raises(FirstLineDiscount):
        sums(line(None, amount="-5", is_discount=True))


def test_header_discount_shipping_and_gift_card_make_the_total() -> None:
    result = sums(
        line(amount="100.00", tax_rate=Decimal(10)),
        shipping=Extra(Decimal("9.90"), Decimal(10)),
        discount_rate="-10%",
        discount_before_tax=True,
        gift_applied=Decimal("20.00"),
    )
    assert result.discount_total == Decimal("-10.00")
    assert result.tax_total == Decimal("9.99")
    assert result.total == Decimal("89.89")


amounts = st.decimals(min_value=-10_000, max_value=10_000, places=2)


@given(st.lists(st.tuples(amounts, st.decimals(0, 30, places=3)), min_size=1, max_size=20), amounts)
def test_the_total_is_the_sum_of_what_is_shown(rows: list[tuple[Decimal, Decimal]], shipping: Decimal) -> None:
    lines = [Line(Decimal(1), None, amount, tax_rate=rate) for amount, rate in rows]
    result = order_sums(lines, 2, shipping=Extra(shipping), handling=NONE, discount_rate=None)
    shown = sum((s.gross for s in result.lines), Decimal(0)) + shipping
    assert result.total == shown
    assert all(s.amount == amount for s, (amount, _) in zip(result.lines, rows, strict=True))


@given(st.integers(1, 500), st.decimals(0, 500, places=5))
def test_yen_have_no_decimals(quantity: int, rate: Decimal) -> None:
    result = order_sums([Line(Decimal(quantity), rate, None)], 0, shipping=NONE, handling=NONE, discount_rate=None)
    assert result.total == result.total.to_integral_value()
    assert abs(result.total - quantity * rate) <= Decimal("0.5")
