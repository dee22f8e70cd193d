"""Which orders go on (BR9) and where to (BR7, BR8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from process_apis.orders.rules.causes import Causes
from process_apis.orders.rules.filter import judge
from process_apis.orders.rules.routing import route
from process_apis.orders.tables import FILTER, ROUTING, FilterRule, OrderRoute
from strata.canonical.common import Address
from tests.process_apis.orders.samples import BERLIN, order


class TestTheFilter:
    @pytest.mark.parametrize(
        ("changes", "action"),
        [
            ({"financial_state": "paid"}, "release"),
            ({"financial_state": "authorized"}, "hold"),
            ({"financial_state": "authorized", "b2b": True}, "release"),
            ({"financial_state": "partially_paid"}, "hold"),
            ({"financial_state": "partially_paid", "b2b": True}, "hold"),
            ({"financial_state": "pending"}, "hold"),
            ({"financial_state": "voided"}, "hold"),
            ({"financial_state": "refunded"}, "hold"),
            ({"financial_state": "paid", "fraud_risk": "high"}, "hold"),
            ({"financial_state": "paid", "fraud_risk": "medium"}, "release"),
            ({"financial_state": "paid", "test": True}, "skip"),
            ({"financial_state": "paid", "cancelled_at": order().created_at}, "skip"),
        ],
    )
    def test_the_rows_that_come_with_the_product(self, changes: dict[str, Any], action: str) -> None:
        verdict = judge(order(**changes), FILTER.defaults)
        assert verdict.action == action
        assert (verdict.reason == "") == (action == "release")
        assert "{" not in verdict.reason

    def test_the_first_row_that_fits_decides(self) -> None:
        rules = (FilterRule("hold", "by hand", shop="northwind-us"), FilterRule("release"))
        assert judge(order(), rules).reason == "by hand"
        assert judge(order(shop="northwind-eu"), rules).action == "release"

    def test_orders_of_the_time_before_can_be_left_alone(self) -> None:
        placed = order().created_at
        rules = (FilterRule("skip", "old", placed_before=placed), FilterRule("release"))
        assert judge(order(), rules).action == "release"
        assert judge(order(created_at=placed - timedelta(seconds=1)), rules).action == "skip"

    def test_what_left_the_counter_already_can_be_told_apart(self) -> None:
        rules = (FilterRule("skip", "till", channel="pos", fulfilment_state="fulfilled"), FilterRule("release"))
        assert judge(order(channel="pos", fulfilment_state="fulfilled"), rules).action == "skip"
        assert judge(order(channel="pos"), rules).action == "release"

    def test_an_order_that_no_row_names_is_held(self) -> None:
        assert judge(order(), ()).action == "hold"


def chosen(rows: tuple[OrderRoute, ...], **changes: Any) -> str | None:
    found = route(order(**changes), rows, Causes())
    return found.selling_entity if found else None


class TestRouting:
    ROWS = (
        OrderRoute("erp", "any"),
        OrderRoute("erp", "shop", shop="northwind-us"),
        OrderRoute("erp", "shop-cad", shop="northwind-us", currency="CAD"),
        OrderRoute("erp", "shop-cad-vip", shop="northwind-us", currency="CAD", tag="vip"),
        OrderRoute("erp", "business", shop="northwind-us", b2b=True),
        OrderRoute("erp", "germany", shop="northwind-us", country="DE"),
    )

    @pytest.mark.parametrize(
        ("changes", "entity"),
        [
            ({}, "shop"),
            ({"shop": "other"}, "any"),
            ({"currency": "CAD"}, "shop-cad"),
            ({"currency": "CAD", "tags": ("new", "VIP")}, "shop-cad-vip"),
            ({"b2b": True}, "business"),
            ({"shipping_address": BERLIN}, "germany"),
            ({"shipping_address": None, "billing_address": BERLIN}, "germany"),
        ],
    )
    def test_the_most_specific_row_wins(self, changes: dict[str, Any], entity: str) -> None:
        assert chosen(self.ROWS, **changes) == entity
        assert chosen(tuple(reversed(self.ROWS)), **changes) == entity

    def test_of_equally_specific_rows_the_higher_priority_wins_then_the_first(self) -> None:
        low, high = OrderRoute("erp", "low", shop="northwind-us"), OrderRoute("erp", "high", currency="USD", priority=1)
        assert chosen((low, high)) == "high"
        even = msgspec.structs.replace(high, priority=0)
        assert (chosen((low, even)), chosen((even, low))) == ("low", "high")

    def test_priority_never_beats_a_more_specific_row(self) -> None:
        loud = OrderRoute("erp", "loud", priority=999_999)
        assert chosen((loud, OrderRoute("erp", "quiet", shop="northwind-us"))) == "quiet"

    def test_a_store_that_is_routed_nowhere_is_a_cause(self) -> None:
        causes = Causes()
        assert route(order(shop="new-shop", shipping_address=Address("AT")), ROUTING.defaults, causes) is None
        [cause] = causes.found
        assert (cause.code, cause.value) == ("unroutable-store", "new-shop")
        assert "AT" in cause.detail

    @pytest.mark.parametrize("shop", ["northwind-us", "northwind-eu"])
    def test_the_rows_that_come_with_the_product_take_every_order_of_the_sandbox_shops(self, shop: str) -> None:
        for currency in ("USD", "CAD", "JPY", "EUR", "GBP"):
            assert chosen(ROUTING.defaults, shop=shop, currency=currency, shipping_address=None)
