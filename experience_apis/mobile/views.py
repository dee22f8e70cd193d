"""What fits on a phone's order card."""

from __future__ import annotations

from strata.canonical.orders import OrderStatus
from strata.contracts.experience.mobile import MobileOrder
from strata.contracts.process.orders import OrderState

S = OrderStatus
TEXT: dict[OrderStatus, str] = {
    S.RECEIVED: "Received",
    S.QUEUED: "Being prepared",
    S.ON_HOLD: "On hold",
    S.ACCEPTED: "Confirmed",
    S.IN_FULFILMENT: "Being packed",
    S.PARTIALLY_SHIPPED: "Partly on its way",
    S.SHIPPED: "On its way",
    S.BILLED: "On its way",
    S.CLOSED: "Closed",
    S.CANCELLED: "Cancelled",
}
LONGEST_URL = 200
"""A longer tracking link does not fit the card; the order page has it."""


def card(state: OrderState) -> MobileOrder:
    """An order in a few hundred bytes, whatever its size."""
    newest = max(state.shipments, key=lambda shipment: shipment.shipped_at, default=None)
    url = next((u for u in newest.tracking_urls if len(u) <= LONGEST_URL), "") if newest else ""
    return MobileOrder(
        id=state.key,
        number=state.number,
        status=state.status,
        text=TEXT[state.status],
        updated_at=state.updated_at,
        total=state.total,
        items=sum(line.quantity for line in state.lines),
        shipped=sum(line.shipped for line in state.lines),
        tracking_url=url,
    )
