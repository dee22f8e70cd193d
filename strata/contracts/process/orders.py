"""Order management: where an order stands, whatever systems it is in."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from strata.canonical.common import Cursor, OrderKey, PageSize, Timestamp
from strata.canonical.money import Money
from strata.canonical.orders import FinancialState, OrderStatus
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.errors import Conflict, NotFound, StoreUnavailable


class OrderProblem(Struct, frozen=True, omit_defaults=True):
    """Why an order does not go on, in plain words."""

    detail: str
    remedy: str = ""
    item: str = ""
    """Id of the item an operator can retry."""


class StatusLine(Struct, frozen=True, omit_defaults=True):
    """One line of an order and how much of it has left."""

    sku: str
    title: str
    quantity: int
    shipped: int
    unit_price: Money | None = None


class StatusShipment(Struct, frozen=True, omit_defaults=True):
    """One parcel."""

    id: str
    shipped_at: Timestamp
    lines: dict[str, int]
    """SKU -> quantity."""
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    tracking_urls: tuple[str, ...] = ()
    told_channel: bool = False


class Milestone(Struct, frozen=True):
    """When an order reached a status."""

    status: OrderStatus
    at: Timestamp


class SystemLink(Struct, frozen=True, omit_defaults=True):
    """The order in one system."""

    vendor: str
    connection: str
    id: str
    number: str = ""


class OrderState(Struct, frozen=True, omit_defaults=True):
    """All that is known of one order."""

    key: OrderKey
    number: str
    shop: str
    status: OrderStatus
    received_at: Timestamp
    updated_at: Timestamp
    financial_state: FinancialState | Literal[""] = ""
    partner: str = ""
    total: Money | None = None
    tax: Money | None = None
    shipping: Money | None = None
    discounts: Money | None = None
    exchange_rate: Decimal | None = None
    customer_name: str = ""
    customer_email: str = ""
    po_number: str = ""
    destination_country: str = ""
    destination_city: str = ""
    lines: tuple[StatusLine, ...] = ()
    shipments: tuple[StatusShipment, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    links: tuple[SystemLink, ...] = ()
    held_because: str = ""
    problem: OrderProblem | None = None


class OrderStatePage(Cursor, frozen=True, kw_only=True):
    """A page of orders, newest first."""

    items: tuple[OrderState, ...]


class OrderManagement(Contract):
    """Where an order stands, across all systems it travels through."""

    name, layer, version, title = "order_management", Layer.PROCESS, "v1", "Order management"
    service = "orders"

    @operation("GET", "/orders/{order_id}", scope="orders:read", errors=(NotFound, Conflict, StoreUnavailable))
    async def get_order(self, order_id: str, *, shops: str = "*", partner: str = "") -> OrderState:
        """Read one order by our key, or by the source's numeric id where that is unambiguous.

        `shops` is a comma-separated list of the shops the caller may see (`*` = all); an order of another shop is
        not found.
        """
        declared()

    @operation("GET", "/orders/by_number/{number}", scope="orders:read", errors=(NotFound, Conflict, StoreUnavailable))
    async def find_order(self, number: str, *, shop: str = "", shops: str = "*", partner: str = "") -> OrderState:
        """Read one order by the number the shopper sees, with or without `#`. Name the `shop` when several have it."""
        declared()

    @operation("GET", "/orders", scope="orders:read", errors=(StoreUnavailable,))
    async def list_orders(
        self, *, shops: str = "*", partner: str = "", status: str = "", cursor: str = "", limit: PageSize = 50
    ) -> OrderStatePage:
        """List orders, newest first."""
        declared()
