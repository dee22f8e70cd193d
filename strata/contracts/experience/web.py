"""Orders for the web: everything an order page shows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from strata.canonical.common import Timestamp
from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus
from strata.contracts.operation import Contract, Example, Layer, declared, operation
from strata.errors import Conflict, NotFound, StoreUnavailable

OrderId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=120,
        pattern=r"^[A-Za-z0-9:_.-]+$",
        description="our key of the order, or the shop's numeric id",
        examples=["sh:northwind-us:order:5001"],
    ),
]
OrderNumber = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[#A-Za-z0-9._-]+$",
        description="the number the shopper sees, with or without `#`",
        examples=["1001"],
    ),
]
ShopName = Annotated[str, Meta(max_length=60, pattern="^[a-z0-9-]*$", description="subdomain of the shop")]
READ_ERRORS = (NotFound, Conflict, StoreUnavailable)


class WebLine(Struct, frozen=True, omit_defaults=True):
    """One line of the order page."""

    sku: str
    title: str
    quantity: int
    shipped: int
    unit_price: Money | None = None


class WebShipment(Struct, frozen=True, omit_defaults=True):
    """One parcel on the order page."""

    shipped_at: Timestamp
    lines: dict[str, int]
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    tracking_urls: tuple[str, ...] = ()


class WebStep(Struct, frozen=True):
    """One step of the progress bar."""

    label: str
    status: OrderStatus
    reached_at: Timestamp | None


class WebTotals(Struct, frozen=True, omit_defaults=True):
    """What it came to."""

    total: Money
    tax: Money | None = None
    shipping: Money | None = None
    discounts: Money | None = None


class WebOrder(Struct, frozen=True, omit_defaults=True):
    """An order as the order page of a web shop shows it."""

    id: str
    number: str
    status: OrderStatus
    status_text: str
    """The status as a sentence for the shopper."""
    placed_at: Timestamp
    updated_at: Timestamp
    lines: tuple[WebLine, ...]
    progress: tuple[WebStep, ...]
    totals: WebTotals | None = None
    shipments: tuple[WebShipment, ...] = ()
    ship_to: str = ""
    """City and country, never the street."""
    erp_number: str = ""


_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PARTLY_SHIPPED = Example(
    "An order of which one parcel has left",
    WebOrder(
        id="sh:northwind-us:order:5001",
        number="#1001",
        status=OrderStatus.PARTIALLY_SHIPPED,
        status_text="Part of your order is on its way.",
        placed_at=_AT,
        updated_at=_AT,
        lines=(WebLine("NW-MUG-BLUE", "Enamel mug, blue", 2, 1, Money(Decimal("24.95"), "USD")),),
        progress=(
            WebStep("Received", OrderStatus.RECEIVED, _AT),
            WebStep("Accepted", OrderStatus.ACCEPTED, _AT),
            WebStep("Shipped", OrderStatus.SHIPPED, None),
        ),
        totals=WebTotals(Money(Decimal("59.90"), "USD"), shipping=Money(Decimal("10.00"), "USD")),
        shipments=(WebShipment(_AT, {"NW-MUG-BLUE": 1}, "UPS", ("1Z999",)),),
        ship_to="Portland, US",
        erp_number="SO-1042",
    ),
)


class WebOrders(Contract):
    """Order status for web shops and customer portals."""

    name, layer, version, title = "web", Layer.EXPERIENCE, "v1", "Orders for the web"

    @operation("GET", "/orders/{order_id}", scope="orders:read", errors=READ_ERRORS, examples=(PARTLY_SHIPPED,))
    async def get_order(self, order_id: OrderId) -> WebOrder:
        """Read one order by id."""
        declared()

    @operation("GET", "/orders/by_number/{number}", scope="orders:read", errors=READ_ERRORS, examples=(PARTLY_SHIPPED,))
    async def find_order(self, number: OrderNumber, *, shop: ShopName = "") -> WebOrder:
        """Read one order by the number the shopper sees."""
        declared()
