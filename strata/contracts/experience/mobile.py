"""Orders for mobile apps: small."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from strata.canonical.common import Timestamp
from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus
from strata.contracts.experience.web import READ_ERRORS, OrderId, OrderNumber, ShopName
from strata.contracts.operation import Contract, Example, Layer, declared, operation


class MobileOrder(Struct, frozen=True, omit_defaults=True):
    """What fits on a phone's order card; a few hundred bytes whatever the order's size."""

    id: str
    number: str
    status: OrderStatus
    text: str
    updated_at: Timestamp
    total: Money | None = None
    items: int = 0
    shipped: int = 0
    tracking_url: str = ""
    """Of the newest parcel."""


SHIPPED = Example(
    "A shipped order",
    MobileOrder(
        id="sh:northwind-us:order:5001",
        number="#1001",
        status=OrderStatus.SHIPPED,
        text="Your order is on its way.",
        updated_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        total=Money(Decimal("59.90"), "USD"),
        items=2,
        shipped=2,
        tracking_url="https://parcels.example.com/1Z999",
    ),
)


class MobileOrders(Contract):
    """Order status for mobile apps, in few bytes."""

    name, layer, version, title = "mobile", Layer.EXPERIENCE, "v1", "Orders for mobile"

    @operation("GET", "/orders/{order_id}", scope="orders:read", errors=READ_ERRORS, examples=(SHIPPED,))
    async def get_order(self, order_id: OrderId) -> MobileOrder:
        """Read one order by id."""
        declared()

    @operation("GET", "/orders/by_number/{number}", scope="orders:read", errors=READ_ERRORS, examples=(SHIPPED,))
    async def find_order(self, number: OrderNumber, *, shop: ShopName = "") -> MobileOrder:
        """Read one order by the number the shopper sees."""
        declared()
