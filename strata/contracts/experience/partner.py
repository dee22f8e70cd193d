"""Orders for partners: only what concerns them, in terms of documents."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from strata.canonical.common import Timestamp
from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus
from strata.contracts.experience.web import READ_ERRORS, OrderId, OrderNumber, ShopName
from strata.contracts.operation import Contract, Example, Layer, declared, operation


class PartnerLine(Struct, frozen=True):
    """One line by article number."""

    sku: str
    ordered: int
    shipped: int


class PartnerShipment(Struct, frozen=True, omit_defaults=True):
    """One despatch advice."""

    despatch_number: str
    despatched_at: Timestamp
    lines: tuple[PartnerLine, ...]
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()


class PartnerOrder(Struct, frozen=True, omit_defaults=True):
    """An order as a trading partner's system takes it. No personal data of the consumer."""

    order_id: str
    order_number: str
    status: OrderStatus
    ordered_at: Timestamp
    changed_at: Timestamp
    lines: tuple[PartnerLine, ...]
    purchase_order: str = ""
    sales_order_number: str = ""
    """The number in our ERP, as it will stand on the invoice."""
    total: Money | None = None
    ship_to_country: str = ""
    despatches: tuple[PartnerShipment, ...] = ()


_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DESPATCHED = Example(
    "An order with one despatch",
    PartnerOrder(
        order_id="sh:northwind-us:order:5001",
        order_number="#1001",
        status=OrderStatus.SHIPPED,
        ordered_at=_AT,
        changed_at=_AT,
        lines=(PartnerLine("NW-MUG-BLUE", 2, 2),),
        purchase_order="PO-7781",
        sales_order_number="SO-1042",
        total=Money(Decimal("59.90"), "USD"),
        ship_to_country="US",
        despatches=(PartnerShipment("IF-88", _AT, (PartnerLine("NW-MUG-BLUE", 2, 2),), "UPS", ("1Z999",)),),
    ),
)


class PartnerOrders(Contract):
    """Order status for trading partners. A partner sees the orders of its own shops and nothing else."""

    name, layer, version, title = "partner", Layer.EXPERIENCE, "v1", "Orders for partners"

    @operation("GET", "/orders/{order_id}", scope="orders:read", errors=READ_ERRORS, examples=(DESPATCHED,))
    async def get_order(self, order_id: OrderId) -> PartnerOrder:
        """Read one order by id."""
        declared()

    @operation("GET", "/orders/by_number/{number}", scope="orders:read", errors=READ_ERRORS, examples=(DESPATCHED,))
    async def find_order(self, number: OrderNumber, *, shop: ShopName = "") -> PartnerOrder:
        """Read one order by the number the shopper sees."""
        declared()
