"""An order as the order process tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus
from strata.contracts.process.orders import Milestone, OrderState, StatusLine, StatusShipment, SystemLink

T0 = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def state(**changes: Any) -> OrderState:
    """Two lines, one of them on its way."""
    fields: dict[str, Any] = {
        "key": "sh:northwind-us:order:5001",
        "number": "#1001",
        "shop": "northwind-us",
        "status": OrderStatus.PARTIALLY_SHIPPED,
        "received_at": T0,
        "updated_at": T0 + timedelta(hours=3),
        "financial_state": "paid",
        "total": usd("230.59"),
        "tax": usd("15.59"),
        "shipping": usd("5.00"),
        "discounts": usd("0.00"),
        "customer_name": "Ada Lovelace",
        "customer_email": "ada.lovelace@example.com",
        "po_number": "PO-77",
        "destination_country": "US",
        "destination_city": "Los Angeles",
        "lines": (
            StatusLine("NW-A", "Jacket", 2, 1, usd("100.00")),
            StatusLine("NW-B", "Mug", 1, 0, usd("10.00")),
        ),
        "shipments": (
            StatusShipment(
                "31", T0 + timedelta(hours=2), {"NW-A": 1}, "UPS", ("1Z1",), ("https://ups.example/1Z1",), True
            ),
        ),
        "milestones": (
            Milestone(OrderStatus.RECEIVED, T0),
            Milestone(OrderStatus.QUEUED, T0 + timedelta(seconds=1)),
            Milestone(OrderStatus.ACCEPTED, T0 + timedelta(seconds=2)),
            Milestone(OrderStatus.PARTIALLY_SHIPPED, T0 + timedelta(hours=2)),
        ),
        "links": (
            SystemLink("netsuite", "erp", "1000", "SO-1000"),
            SystemLink("shopify", "northwind-us", "5001", "#1001"),
        ),
    }
    return OrderState(**(fields | changes))
