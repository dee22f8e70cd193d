"""Fulfilment orders and fulfilments: routing to locations, shipping in part or whole, cancelling, notifying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.shopify import events, totals
from sandbox.shopify.context import Context
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.model import (
    Fulfillment,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Line,
    Notification,
    Order,
    Variant,
)

Input = Mapping[str, Any]
SHIPPABLE = frozenset({"OPEN", "IN_PROGRESS"})


def route(ctx: Context, order: Order, *, inventory: str) -> None:
    """Make the fulfilment orders of a new order, one per location: all from one place that has all, else line by line.

    inventory: BYPASS | DECREMENT_IGNORING_POLICY | DECREMENT_OBEYING_POLICY. Gift cards are sent at once by the shop
    itself and get no fulfilment order. Raises UserErrors when stock must be there and is not.
    """
    places = [place.id for place in ctx.state.shop_locations(order.shop) if place.active]
    lines = [line for line in order.lines if not line.gift_card]
    for line in order.lines:
        if line.gift_card:
            line.fulfillable_quantity = 0
    variants = {line.id: ctx.state.variants.get(line.variant_id) for line in lines if line.variant_id}
    chosen = _places(lines, variants, places)
    if inventory != "BYPASS":
        _claim(ctx, lines, variants, chosen, obey=inventory == "DECREMENT_OBEYING_POLICY")
    for place in places:
        here = [line for line in lines if chosen[line.id] == place]
        if not here:
            continue
        ctx.state.fulfillment_orders.put(
            FulfillmentOrder(
                id=ctx.state.new_id("FulfillmentOrder"),
                shop=order.shop,
                order_id=order.id,
                location_id=place,
                status="OPEN",
                request_status="UNSUBMITTED",
                lines=[
                    FulfillmentOrderLine(
                        ctx.state.new_id("FulfillmentOrderLineItem"), one.id, one.quantity, one.quantity
                    )
                    for one in here
                ],
                created_at=ctx.now,
                updated_at=ctx.now,
            )
        )


def _available(variant: Variant | None, place: int) -> int:
    return 0 if variant is None else variant.stock.get(place, {}).get("available", 0)


def _places(lines: Sequence[Line], variants: Mapping[int, Variant | None], places: Sequence[int]) -> dict[int, int]:
    """Line id -> location id."""

    def has(place: int, line: Line) -> bool:
        variant = variants.get(line.id)
        return variant is None or not variant.tracked or _available(variant, place) >= line.quantity

    whole = next((place for place in places if all(has(place, line) for line in lines)), None)
    if whole is not None:
        return {line.id: whole for line in lines}
    return {line.id: next((place for place in places if has(place, line)), places[0]) for line in lines}


def _claim(
    ctx: Context,
    lines: Sequence[Line],
    variants: Mapping[int, Variant | None],
    chosen: Mapping[int, int],
    *,
    obey: bool,
) -> None:
    for line in lines:
        variant = variants.get(line.id)
        if variant is None or not variant.tracked:
            continue
        place = chosen[line.id]
        if obey and _available(variant, place) < line.quantity:
            raise UserErrors((["order", "lineItems"], "Unable to reserve inventory", "INVENTORY_CLAIM_FAILED"))
        move(ctx, variant.id, place, available=-line.quantity, committed=line.quantity)


def move(ctx: Context, variant_id: int, place: int, *, available: int = 0, committed: int = 0) -> None:
    """Change a variant's stock at a location."""
    variant = ctx.state.variants.get(variant_id)
    if variant is None:
        return
    level = variant.stock.setdefault(place, {"available": 0, "committed": 0})
    level["available"] = level.get("available", 0) + available
    level["committed"] = level.get("committed", 0) + committed
    ctx.state.put_variant(variant)


def ship(
    ctx: Context,
    order: Order,
    wanted: Sequence[tuple[FulfillmentOrder, Mapping[int, int]]],
    tracking: Input,
    *,
    notify_buyer: bool,
) -> Fulfillment:
    """Ship quantities of fulfilment order lines as one fulfilment.

    wanted: (fulfilment order, its line id -> quantity); all of one location and one order, none over what remains.
    """
    lines = {line.id: line for line in order.lines}
    shipped: list[FulfillmentLine] = []
    for source, quantities in wanted:
        for one in source.lines:
            quantity = quantities.get(one.id, 0)
            if not quantity:
                continue
            one.remaining -= quantity
            lines[one.line_id].fulfillable_quantity -= quantity
            number = ctx.state.new_id("FulfillmentLineItem")
            shipped.append(FulfillmentLine(number, one.line_id, source.id, one.id, quantity))
        source.status = "CLOSED" if not any(one.remaining for one in source.lines) else "IN_PROGRESS"
        source.updated_at = ctx.now
        ctx.state.fulfillment_orders.put(source)
    order.fulfillment_count += 1
    item = Fulfillment(
        id=ctx.state.new_id("Fulfillment"),
        shop=order.shop,
        order_id=order.id,
        location_id=wanted[0][0].location_id,
        name=f"{order.name}-F{order.fulfillment_count}",
        status="SUCCESS",
        display_status="FULFILLED",
        lines=shipped,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    set_tracking(item, tracking)
    ctx.state.fulfillments.put(item)
    _settle(ctx, order)
    events.fulfillment(ctx, order, item, "fulfillments/create")
    events.order(
        ctx, order, "orders/fulfilled" if order.fulfillment_status == "FULFILLED" else "orders/partially_fulfilled"
    )
    if notify_buyer:
        notify(ctx, order, "shipping_confirmation", item)
    return item


def set_tracking(item: Fulfillment, tracking: Input) -> None:
    """Members left out stay as they were; a single number or url replaces the list."""
    if "company" in tracking:
        item.company = tracking["company"]
    for one, many in (("number", "numbers"), ("url", "urls")):
        values = tracking.get(many)
        if values is None and tracking.get(one) is not None:
            values = [tracking[one]]
        if values is not None:
            setattr(item, many, list(values))
    if item.numbers and not item.company:
        item.company = "Other"


def _settle(ctx: Context, order: Order) -> None:
    """Bring the order's status in step with its lines, and close it when all is shipped and paid."""
    sources = ctx.state.fulfillment_orders.find("order", order.id)
    order.fulfillment_status = totals.fulfillment_status(order.lines, sources)
    order.updated_at = ctx.now
    ctx.state.put_order(order)


def fulfil_all(ctx: Context, order: Order, given: Input) -> None:
    """For orders that are created as fulfilled: ship everything, one fulfilment per location."""
    tracking: dict[str, Any] = {"company": given.get("trackingCompany"), "number": given.get("trackingNumber")}
    if given.get("trackingNumbers"):
        tracking["numbers"] = given["trackingNumbers"]
    for source in ctx.state.fulfillment_orders.find("order", order.id):
        quantities = {one.id: one.remaining for one in source.lines}
        ship(ctx, order, [(source, quantities)], tracking, notify_buyer=bool(given.get("notifyCustomer")))


def cancel(ctx: Context, order: Order, item: Fulfillment) -> None:
    """Take a fulfilment back: its quantities can be shipped again, under the same fulfilment order."""
    lines = {line.id: line for line in order.lines}
    for one in item.lines:
        lines[one.line_id].fulfillable_quantity += one.quantity
        source = ctx.state.fulfillment_orders.get(one.fulfillment_order_id)
        if source is None:
            continue
        for place in source.lines:
            if place.id == one.fulfillment_order_line_id:
                place.remaining += one.quantity
        untouched = all(place.remaining == place.total for place in source.lines)
        source.status = "OPEN" if untouched else "IN_PROGRESS"
        source.updated_at = ctx.now
        ctx.state.fulfillment_orders.put(source)
    item.status = "CANCELLED"
    item.display_status = "CANCELED"
    item.updated_at = ctx.now
    ctx.state.fulfillments.put(item)
    _settle(ctx, order)
    events.fulfillment(ctx, order, item, "fulfillments/update")
    events.order(ctx, order, "orders/updated")


def cancel_open(ctx: Context, order: Order) -> None:
    """Nothing more will be shipped of a cancelled order."""
    for source in ctx.state.fulfillment_orders.find("order", order.id):
        if source.status != "CLOSED":
            source.status = "CANCELLED"
            source.updated_at = ctx.now
            for one in source.lines:
                one.remaining = 0
            ctx.state.fulfillment_orders.put(source)
    for line in order.lines:
        line.current_quantity -= line.fulfillable_quantity
        line.fulfillable_quantity = 0


def notify(ctx: Context, order: Order, kind: str, item: Fulfillment | None) -> None:
    """Note a mail to the buyer."""
    ctx.state.notifications.put(
        Notification(
            id=ctx.state.store.next("id:notification"),
            shop=order.shop,
            kind=kind,
            order_id=order.id,
            sent_at=ctx.now,
            email=order.email,
            fulfillment_id=item.id if item else None,
        )
    )
