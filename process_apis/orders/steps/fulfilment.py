"""Steps of O2C-04: a shipment of an ERP becomes fulfilments in the channel, each once."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from process_apis.orders.ledger import KnownOrder, Ledger, ToldShipment, parts_of
from process_apis.orders.rules.allocation import (
    Parcel,
    allocate,
    channel_quantities,
    parcels,
    recognise,
    told_by_hand,
    tracking_of,
)
from process_apis.orders.rules.causes import Causes
from process_apis.orders.rules.status import HELD_BACK
from strata.canonical.orders import OrderStatus, Shipment
from strata.context import Context
from strata.contracts.system import ChannelFulfilments, Fulfilments
from strata.contracts.system.channel_fulfilments import FulfilmentRef, FulfilmentState
from strata.durable import At
from strata.errors import Conflict, FieldError, Missing


class FulfilmentInput(Struct, frozen=True):
    """A shipment as the poll found it. channel: connection of the shop that the order is from."""

    erp: str
    channel: str
    shipment: Shipment


class Plan(Struct, frozen=True, omit_defaults=True):
    """What is to be told to the channel of a shipment.

    before: ids of the fulfilments that the channel held when this was decided; told: those that are this shipment.
    """

    outcome: Literal["created", "tracking_updated", "nothing_new", "not_shipped"]
    shipment: Shipment
    lines: dict[str, int] = {}
    parcels: tuple[Parcel, ...] = ()
    track: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def _channel(at: At[Context], given: FulfilmentInput) -> tuple[ChannelFulfilments, str]:
    _, source_id = parts_of(given.shipment.order_key)
    return at.services.topology.system(given.channel, ChannelFulfilments), source_id


async def plan_fulfilment(at: At[Context], given: FulfilmentInput) -> Plan:
    """Decide what to tell the channel, and note which fulfilments it holds already.

    Raises Missing while the order is not in an ERP as far as we know; Invalid for what was not ordered or is too much;
    Conflict for a shipment whose content changed after it was told.
    """
    shipment = given.shipment
    if at.repeated:  # a person may have mended it in the ERP since
        shipment = await at.services.topology.system(given.erp, Fulfilments).get_fulfilment(shipment.ref.id)
    ledger = Ledger(at.services.database)
    all_told = await ledger.told_shipments(shipment.order_key)
    earlier = all_told.get(f"{given.erp}:{shipment.ref.id}")
    if shipment.status != "shipped":
        if earlier is not None and earlier.told:
            raise _taken_back(shipment)
        return Plan("not_shipped", shipment)
    order = await ledger.known(shipment.order_key)
    if order is None or order.status in HELD_BACK:
        raise Missing(f"Order {shipment.order_number} of shipment {shipment.ref.id} is not captured yet")
    causes = Causes()
    lines = _shipping_only(channel_quantities(shipment, order.sold, causes), order)
    causes.raise_if_any(f"Shipment {shipment.ref.id} of order {shipment.order_number} cannot be told to the shop")
    if earlier is not None and earlier.told:
        return _later(shipment, lines, earlier)
    channel, source_id = _channel(at, given)
    state = await channel.get_state(source_id)
    return _first(shipment, order, lines, state, [i for one in all_told.values() for i in one.told])


def _shipping_only(lines: dict[str, int], order: KnownOrder) -> dict[str, int]:
    """Without services and the like: the channel has nothing to fulfil there."""
    ships = {line.id for line in order.lines if line.ships}
    return {line: pieces for line, pieces in lines.items() if line in ships}


def _taken_back(shipment: Shipment) -> Conflict:
    """A shipment that the channel and its customer were told of has not left after all."""
    return Conflict(
        f"Shipment {shipment.ref.id} of order {shipment.order_number} is {shipment.status} again, after the shop was "
        "told that it was shipped",
        errors=(
            FieldError(
                f"the shop was told that it was shipped, the ERP now says {shipment.status}",
                "/status",
                shipment.status,
                "Mark it as shipped in the ERP again and retry; or cancel the fulfilment in the shop by hand, then "
                "discard this item.",
                "shipment-taken-back",
            ),
        ),
    )


def _later(shipment: Shipment, lines: dict[str, int], earlier: ToldShipment) -> Plan:
    """A shipment that the channel knows: only its tracking may be new."""
    if lines != earlier.lines:
        raise Conflict(
            f"Shipment {shipment.ref.id} of order {shipment.order_number} was changed after the shop was told of it",
            errors=(
                FieldError(
                    f"the shop was told {earlier.lines}, the ERP now says {lines}",
                    "/lines",
                    shipment.ref.id,
                    "Correct the fulfilment in the shop by hand, then discard this item.",
                    "shipment-changed",
                ),
            ),
        )
    tracking = tracking_of(shipment)
    same = (tracking.carrier, tracking.numbers, tracking.urls) == (
        earlier.carrier,
        earlier.tracking_numbers,
        earlier.tracking_urls,
    )
    if same or not tracking.numbers:
        return Plan("nothing_new", shipment, lines, told=earlier.told)
    return Plan("tracking_updated", shipment, lines, track=earlier.told, told=earlier.told)


def _first(
    shipment: Shipment, order: KnownOrder, lines: dict[str, int], state: FulfilmentState, ours: list[str]
) -> Plan:
    """A shipment that the channel does not know from us."""
    tracking = tracking_of(shipment)
    before = tuple(fulfilment.id for fulfilment in state.fulfilments)
    if not lines:
        return Plan("nothing_new", shipment, lines, before=before)
    by_hand = told_by_hand(state, lines, tracking, ours)
    if by_hand:
        return Plan("created", shipment, lines, before=before, told=(by_hand,))
    causes = Causes()
    taken = allocate(lines, state.open_lines, causes)
    what = f"Shipment {shipment.ref.id} of order {shipment.order_number} cannot be told to the shop"
    if order.status is OrderStatus.CANCELLED:
        what += " (the order was cancelled there)"
    elif not state.open_lines:
        what += " (nothing of the order is open there any more: it was cancelled, closed or fulfilled by hand)"
    causes.raise_if_any(what)
    return Plan("created", shipment, lines, parcels(taken, tracking), before=before)


async def create_fulfilment(
    at: At[Context], given: FulfilmentInput, plan: Plan, parcel: Parcel, told: tuple[str, ...]
) -> FulfilmentRef:
    """Tell the channel of one parcel.

    The channel has no idempotency here: when this was tried before, a fulfilment that came since with the same lines
    and tracking is ours (contract C3).
    """
    channel, source_id = _channel(at, given)
    if at.repeated:
        found = recognise(await channel.get_state(source_id), parcel, (*plan.before, *told))
        if found:
            return FulfilmentRef(found)
    return await channel.create(source_id, body=parcel.body)


async def update_tracking(at: At[Context], given: FulfilmentInput, plan: Plan, fulfilment_id: str) -> None:
    """Tracking that came later than the shipment; the customer was told of the shipment already."""
    channel, _ = _channel(at, given)
    await channel.update_tracking(fulfilment_id, body=tracking_of(plan.shipment), notify_customer=False)


async def keep_shipment(at: At[Context], plan: Plan, told: tuple[str, ...]) -> OrderStatus:
    """Write the shipment down, and how far the order is now."""
    return await Ledger(at.services.database).tell_shipment(plan.shipment, plan.lines, told)
