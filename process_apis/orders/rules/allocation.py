"""Which open lines of a channel's order a shipment of the ERP fulfils (O2C-04)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from process_apis.orders.rules.causes import Causes
from strata.canonical.orders import SalesOrderLine, Shipment
from strata.contracts.system.channel_fulfilments import (
    ChannelFulfilment,
    FulfilLine,
    FulfilmentState,
    NewFulfilment,
    OpenLine,
    Tracking,
)


class SoldLine(Struct, frozen=True, omit_defaults=True):
    """One line of an order as it was written to the ERP. number: the ERP's line number as sent, from 1."""

    number: str
    channel_line: str
    sku: str


class Parcel(Struct, frozen=True):
    """One fulfilment to tell the channel of: all from one location. lines: the channel's order line id -> pieces."""

    body: NewFulfilment
    lines: dict[str, int]


def sold_lines(lines: Sequence[SalesOrderLine]) -> tuple[SoldLine, ...]:
    """The goods of a sales order with the line numbers that the ERP gives in the order sent."""
    return tuple(
        SoldLine(str(number), line.key, line.sku) for number, line in enumerate(lines, start=1) if line.kind == "item"
    )


def tracking_of(shipment: Shipment) -> Tracking:
    """How to follow a shipment, as the channel is told it."""
    return Tracking(shipment.carrier, shipment.tracking_numbers, shipment.tracking_urls)


def channel_quantities(shipment: Shipment, sold: Sequence[SoldLine], causes: Causes) -> dict[str, int]:
    """What a shipment holds by the channel's order line ids.

    The ERP's line numbers decide where they fit the article; an ERP that numbers otherwise is followed by rank: its
    first line with an article is our first line with it.
    """
    found: dict[str, int] = {}
    by_number = {line.number: line for line in sold}
    for sku in dict.fromkeys(line.sku for line in shipment.lines):
        ours = [line for line in sold if line.sku == sku]
        theirs = [line for line in shipment.lines if line.sku == sku]
        if not ours:
            causes.add(
                "not-ordered",
                f"/lines/{sku}",
                f"article {sku} was shipped but is not on the order as it was passed on",
                value=sku,
                remedy="Correct the fulfilment in the ERP, then retry.",
            )
            continue
        exact = all((fit := by_number.get(line.order_line)) is not None and fit.sku == sku for line in theirs)
        for rank, line in enumerate(sorted(theirs, key=lambda x: (len(x.order_line), x.order_line))):
            target = by_number[line.order_line] if exact else ours[min(rank, len(ours) - 1)]
            found[target.channel_line] = found.get(target.channel_line, 0) + line.quantity
    return found


def allocate(
    wanted: Mapping[str, int], open_lines: Iterable[OpenLine], causes: Causes
) -> dict[str, list[tuple[OpenLine, int]]]:
    """Spread pieces over open lines: location -> (open line, pieces). Too many pieces are a cause."""
    taken: dict[str, list[tuple[OpenLine, int]]] = {}
    lines = list(open_lines)
    for channel_line, pieces in wanted.items():
        left = pieces
        for line in lines:
            if line.order_line_id == channel_line and left and line.remaining > 0:
                take = min(left, line.remaining)
                taken.setdefault(line.location_id, []).append((line, take))
                left -= take
        if left:
            causes.add(
                "over-shipment",
                f"/lines/{channel_line}",
                f"{pieces} pieces of line {channel_line} were shipped, but only {pieces - left} are open in the shop",
                value=str(pieces),
                remedy="Check whether the order was cancelled, closed or fulfilled by hand in the shop; correct the "
                "fulfilment in the ERP or the order in the shop, then retry.",
            )
    return taken


def parcels(taken: Mapping[str, Sequence[tuple[OpenLine, int]]], tracking: Tracking) -> tuple[Parcel, ...]:
    """One fulfilment for each location; the customer is told once, with the first of them."""
    made: list[Parcel] = []
    for location in sorted(taken):
        lines = tuple(FulfilLine(x.fulfilment_order_id, x.fulfilment_order_line_id, n) for x, n in taken[location])
        quantities: dict[str, int] = {}
        for line, pieces in taken[location]:
            quantities[line.order_line_id] = quantities.get(line.order_line_id, 0) + pieces
        made.append(Parcel(NewFulfilment(lines, tracking, notify_customer=not made), quantities))
    return tuple(made)


def _alive(fulfilment: ChannelFulfilment) -> bool:
    return fulfilment.status.casefold() not in {"cancelled", "canceled", "error", "failure"}


def recognise(state: FulfilmentState, parcel: Parcel, known: Iterable[str]) -> str:
    """The id of a fulfilment that came into being since `known` was noted and is this parcel; empty when none is.

    After an unknown outcome this tells whether the channel took it (contract C3).
    """
    numbers = set(parcel.body.tracking.numbers)
    before = set(known)
    for fulfilment in state.fulfilments:
        same = fulfilment.lines == parcel.lines and set(fulfilment.tracking_numbers) == numbers
        if fulfilment.id not in before and same and _alive(fulfilment):
            return fulfilment.id
    return ""


def told_by_hand(state: FulfilmentState, wanted: Mapping[str, int], tracking: Tracking, ours: Iterable[str]) -> str:
    """The id of a fulfilment that somebody entered by hand for the very same parcel (class X: same fact, link)."""
    if not tracking.numbers:
        return ""
    mine = set(ours)
    for fulfilment in state.fulfilments:
        same = fulfilment.lines == dict(wanted) and set(fulfilment.tracking_numbers) == set(tracking.numbers)
        if same and _alive(fulfilment) and fulfilment.id not in mine:
            return fulfilment.id
    return ""
