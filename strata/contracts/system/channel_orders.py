"""Orders of a sales channel: a web shop and its like."""

from __future__ import annotations

from msgspec import Struct

from strata.canonical.common import Cursor, PageSize, Timestamp
from strata.canonical.orders import ChannelOrder
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.errors import AuthRefused, Conflict, Invalid, NotFound, Throttled, Transient, UnknownOutcome

COMMON = (Throttled, AuthRefused, Transient)


class ErpLink(Struct, frozen=True):
    """What an ERP calls this order, to be kept on the channel's order."""

    erp_order_id: str
    erp_order_number: str


class ChannelOrderHead(Struct, frozen=True, omit_defaults=True):
    """Enough of a channel order to know whether we have it and which version."""

    key: str
    number: str
    updated_at: Timestamp
    erp_order_id: str = ""


class ChannelOrderPage(Cursor, frozen=True, kw_only=True):
    """A page of order heads, oldest change first."""

    items: tuple[ChannelOrderHead, ...]


class ChannelOrders(Contract):
    """Orders that shoppers placed in a sales channel. The channel owns their content until an ERP has accepted them."""

    name, layer, version, title = "channel_orders", Layer.SYSTEM, "v1", "Channel orders"

    @operation("GET", "/orders/{order_id}", scope="channel_orders:read", errors=(NotFound, *COMMON))
    async def get_order(self, order_id: str) -> ChannelOrder:
        """Read one order by the channel's own id (digits), in the currency the customer was charged in."""
        declared()

    @operation("GET", "/orders", scope="channel_orders:read", errors=COMMON)
    async def list_orders(
        self, *, updated_from: Timestamp, updated_to: Timestamp | None = None, cursor: str = "", limit: PageSize = 100
    ) -> ChannelOrderPage:
        """List the orders changed in a window of time, oldest change first.

        `updated_from` is inclusive, so the last record of an earlier page may come again.
        """
        declared()

    @operation(
        "PUT",
        "/orders/{order_id}/erp_link",
        scope="channel_orders:write",
        errors=(NotFound, Invalid, UnknownOutcome, *COMMON),
    )
    async def link_to_erp(self, order_id: str, *, body: ErpLink) -> ErpLink:
        """Write the ERP's id and number onto the channel's order. Doing it again changes nothing."""
        declared()

    @operation(
        "PUT",
        "/customers/{customer_id}/erp_link",
        scope="channel_orders:write",
        errors=(NotFound, Conflict, UnknownOutcome, *COMMON),
    )
    async def link_customer_to_erp(self, customer_id: str, *, erp_customer_id: str) -> None:
        """Write the ERP's customer id onto the channel's customer. Doing it again changes nothing."""
        declared()
