"""How a web shop's order page shows an order: plain words, a progress bar, no inner workings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import pycountry

from strata.canonical.orders import OrderStatus
from strata.contracts.experience.web import WebLine, WebOrder, WebShipment, WebStep, WebTotals
from strata.contracts.process.orders import Milestone, OrderState, SystemLink

S = OrderStatus
STATUS_TEXT: dict[OrderStatus, str] = {
    S.RECEIVED: "We have received your order.",
    S.QUEUED: "We have received your order and are preparing it.",
    S.ON_HOLD: "Your order is on hold while we check it or wait for its payment.",
    S.ACCEPTED: "Your order is confirmed.",
    S.IN_FULFILMENT: "Your order is being packed.",
    S.PARTIALLY_SHIPPED: "Part of your order is on its way.",
    S.SHIPPED: "Your order is on its way.",
    S.BILLED: "Your order is on its way and invoiced.",
    S.CLOSED: "Your order is closed.",
    S.CANCELLED: "Your order was cancelled.",
}
PROGRESS: tuple[tuple[str, OrderStatus, frozenset[OrderStatus]], ...] = (
    ("Received", S.RECEIVED, frozenset(S)),
    ("Confirmed", S.ACCEPTED, frozenset({S.ACCEPTED, S.IN_FULFILMENT, S.PARTIALLY_SHIPPED, S.SHIPPED, S.BILLED})),
    ("On its way", S.PARTIALLY_SHIPPED, frozenset({S.PARTIALLY_SHIPPED, S.SHIPPED, S.BILLED})),
    ("Shipped completely", S.SHIPPED, frozenset({S.SHIPPED, S.BILLED})),
)
"""Label, status, and the statuses that all mean that this step was reached."""
CANCELLED = ("Cancelled", S.CANCELLED)


def _first(milestones: Iterable[Milestone], statuses: frozenset[OrderStatus]) -> datetime | None:
    return min((m.at for m in milestones if m.status in statuses), default=None)


def progress(state: OrderState) -> tuple[WebStep, ...]:
    """The steps of the progress bar; a cancelled order shows what was reached, then that it was cancelled."""
    steps = [WebStep(label, status, _first(state.milestones, means)) for label, status, means in PROGRESS]
    if state.status is not S.CANCELLED:
        return tuple(steps)
    label, status = CANCELLED
    reached = [step for step in steps if step.reached_at is not None]
    return (*reached, WebStep(label, status, _first(state.milestones, frozenset({S.CANCELLED}))))


@lru_cache(maxsize=300)
def country_name(code: str) -> str:
    """`DE` -> `Germany`; a code that ISO 3166 does not know stays as it is."""
    found = pycountry.countries.get(alpha_2=code)
    return code if found is None else str(getattr(found, "common_name", found.name))


def place(state: OrderState) -> str:
    """City and country, never the street."""
    country = country_name(state.destination_country) if state.destination_country else ""
    return ", ".join(part for part in (state.destination_city, country) if part)


def erp_number(links: Iterable[SystemLink], number: str) -> str:
    """The number of the order in the ERP: the link that carries another number than the shop's."""
    return next((link.number for link in links if link.number and link.number != number), "")


def order_page(state: OrderState) -> WebOrder:
    """An order as the order page shows it."""
    totals = None
    if state.total is not None:
        totals = WebTotals(state.total, state.tax, state.shipping, state.discounts)
    return WebOrder(
        id=state.key,
        number=state.number,
        status=state.status,
        status_text=STATUS_TEXT[state.status],
        placed_at=state.received_at,
        updated_at=state.updated_at,
        lines=tuple(WebLine(x.sku, x.title, x.quantity, x.shipped, x.unit_price) for x in state.lines),
        progress=progress(state),
        totals=totals,
        shipments=tuple(
            WebShipment(x.shipped_at, x.lines, x.carrier, x.tracking_numbers, x.tracking_urls) for x in state.shipments
        ),
        ship_to=place(state),
        erp_number=erp_number(state.links, state.number),
    )
