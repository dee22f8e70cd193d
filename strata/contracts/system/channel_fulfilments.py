"""Telling a sales channel what was shipped."""

from __future__ import annotations

from msgspec import Struct

from strata.canonical.common import Timestamp
from strata.canonical.orders import Quantity
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.contracts.system.channel_orders import COMMON
from strata.errors import Conflict, Invalid, NotFound, UnknownOutcome


class OpenLine(Struct, frozen=True, omit_defaults=True):
    """What of an order line is still to be shipped, as the channel sees it."""

    order_line_id: str
    """The channel's line id, as in `ChannelOrderLine.id`."""
    fulfilment_order_id: str
    fulfilment_order_line_id: str
    remaining: int
    sku: str = ""
    location_id: str = ""


class ChannelFulfilment(Struct, frozen=True, omit_defaults=True):
    """A fulfilment that the channel already holds."""

    id: str
    status: str
    created_at: Timestamp
    lines: dict[str, int]
    """The channel's order line id -> quantity."""
    tracking_numbers: tuple[str, ...] = ()
    carrier: str = ""


class FulfilmentState(Struct, frozen=True):
    """Both sides of an order's fulfilment in the channel, read together."""

    open_lines: tuple[OpenLine, ...]
    fulfilments: tuple[ChannelFulfilment, ...]


class Tracking(Struct, frozen=True, omit_defaults=True):
    """How to follow a parcel."""

    carrier: str = ""
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class FulfilLine(Struct, frozen=True):
    """A quantity of one fulfilment-order line."""

    fulfilment_order_id: str
    fulfilment_order_line_id: str
    quantity: Quantity


class NewFulfilment(Struct, frozen=True, omit_defaults=True):
    """A shipment to be told to the channel."""

    lines: tuple[FulfilLine, ...]
    tracking: Tracking = Tracking()
    notify_customer: bool = True


class FulfilmentRef(Struct, frozen=True):
    """The channel's id of a fulfilment."""

    id: str


class ChannelFulfilments(Contract):
    """Fulfilments of channel orders: what is open, what was shipped, and telling of a shipment."""

    name, layer, version, title = "channel_fulfilments", Layer.SYSTEM, "v1", "Channel fulfilments"

    @operation(
        "GET", "/orders/{order_id}/fulfilment_state", scope="channel_fulfilments:read", errors=(NotFound, *COMMON)
    )
    async def get_state(self, order_id: str) -> FulfilmentState:
        """Read what of an order is still open and which fulfilments the channel holds."""
        declared()

    @operation(
        "POST",
        "/orders/{order_id}/fulfilments",
        scope="channel_fulfilments:write",
        status=201,
        errors=(NotFound, Invalid, Conflict, UnknownOutcome, *COMMON),
    )
    async def create(self, order_id: str, *, body: NewFulfilment) -> FulfilmentRef:
        """Tell the channel of a shipment.

        The channel has no idempotency here: after an unknown outcome read the state before calling again.
        """
        declared()

    @operation(
        "PUT",
        "/fulfilments/{fulfilment_id}/tracking",
        scope="channel_fulfilments:write",
        errors=(NotFound, Invalid, UnknownOutcome, *COMMON),
    )
    async def update_tracking(self, fulfilment_id: str, *, body: Tracking, notify_customer: bool = False) -> None:
        """Replace the tracking of a fulfilment. Doing it again changes nothing."""
        declared()
