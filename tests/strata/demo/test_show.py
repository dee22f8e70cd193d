"""What the demonstration says of orders: whole amounts, and of each that has not arrived where it is."""

from __future__ import annotations

import pytest

from strata.demo.journey import Journey
from strata.demo.shop import Placed
from strata.demo.show import line, summary


def placed(total: str = "118.6", currency: str = "USD") -> Placed:
    return Placed("sh:northwind-us:order:1", "gid://shopify/Order/1", "#1001", total, currency)


@pytest.mark.parametrize(
    ("total", "currency", "said"),
    [("118.6", "USD", "118.60 USD"), ("30", "EUR", "30.00 EUR"), ("500.0", "JPY", "500 JPY")],
)
def test_an_amount_has_the_digits_of_its_currency(total: str, currency: str, said: str) -> None:
    assert said in line(Journey(placed(total, currency), done=True))


def test_the_summary_says_where_an_order_is_that_has_not_arrived() -> None:
    there = Journey(placed(), done=True, accepted_s=0.01, in_erp_s=0.2, written_back_s=0.3)
    said = "\n".join(summary([there, Journey(placed(), step="waits: erp is paused")]))
    assert "1 of 2 orders went all the way" in said
    assert "#1001 is on its way: waits: erp is paused" in said


def test_the_summary_names_the_item_of_an_order_that_needs_a_person() -> None:
    said = "\n".join(summary([Journey(placed(), item=412, failed="article NW-1 is not in the ERP")]))
    assert "item 412 (#1001): article NW-1 is not in the ERP" in said
    assert "on its way" not in said
