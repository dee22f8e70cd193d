"""fulfillmentCreate, fulfillmentTrackingInfoUpdate, fulfillmentCancel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.shopify import events, fulfilment
from sandbox.shopify.context import Args, Context, mine
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.model import Fulfillment, FulfillmentOrder, Order

Input = Mapping[str, Any]
PATH = ["fulfillment", "lineItemsByFulfillmentOrder"]


def _source(ctx: Context, text: str, path: list[str]) -> FulfillmentOrder:
    digits = gid_number(text, "FulfillmentOrder")
    found = mine(ctx, ctx.state.fulfillment_orders.get(digits)) if digits is not None else None
    if found is None:
        raise UserErrors(([*path, "fulfillmentOrderId"], "Fulfillment order does not exist.", None))
    if found.status not in fulfilment.SHIPPABLE:
        message = f"Fulfillment order {found.id} has an unfulfillable status= {found.status.lower()}."
        raise UserErrors((["fulfillment"], message, None))
    return found


def _quantities(source: FulfillmentOrder, given: list[Input] | None, path: list[str]) -> dict[int, int]:
    """Fulfilment order line id -> quantity; all that remains when no lines are named."""
    if not given:
        return {one.id: one.remaining for one in source.lines if one.remaining}
    lines = {one.id: one for one in source.lines}
    wanted: dict[int, int] = {}
    for one in given:
        digits = gid_number(one["id"], "FulfillmentOrderLineItem")
        line = lines.get(digits) if digits is not None else None
        if line is None:
            raise UserErrors(
                ([*path, "fulfillmentOrderLineItems"], "Fulfillment order line item does not exist.", None)
            )
        if one["quantity"] < 1:
            raise UserErrors((["fulfillment"], "Invalid fulfillment order line item quantity requested.", None))
        wanted[line.id] = wanted.get(line.id, 0) + one["quantity"]
        if wanted[line.id] > line.remaining:
            raise UserErrors((["fulfillment"], "Invalid fulfillment order line item quantity requested.", None))
    return wanted


def _order(ctx: Context, order_id: int) -> Order:
    order = ctx.state.orders.get(order_id)
    if order is None:
        raise UserErrors((["fulfillment"], "Order does not exist.", None))
    return order


def fulfillment_create(ctx: Context, args: Args) -> dict[str, Any]:
    given: Input = args["fulfillment"]
    wanted: list[tuple[FulfillmentOrder, dict[int, int]]] = []
    for index, one in enumerate(given["lineItemsByFulfillmentOrder"]):
        path = [*PATH, str(index)]
        source = _source(ctx, one["fulfillmentOrderId"], path)
        wanted.append((source, _quantities(source, one.get("fulfillmentOrderLineItems"), path)))
    if not wanted:
        raise UserErrors((PATH, "Line items by fulfillment order can't be blank", None))
    if len({source.location_id for source, _ in wanted}) > 1:
        raise UserErrors((["fulfillment"], "All fulfillment orders must be assigned to the same location.", None))
    if len({source.order_id for source, _ in wanted}) > 1:
        raise UserErrors((["fulfillment"], "All fulfillment orders must belong to the same order.", None))
    if len({source.id for source, _ in wanted}) < len(wanted):
        raise UserErrors((PATH, "Fulfillment orders must be unique.", None))
    order = _order(ctx, wanted[0][0].order_id)
    item = fulfilment.ship(
        ctx, order, wanted, given.get("trackingInfo") or {}, notify_buyer=bool(given.get("notifyCustomer"))
    )
    events.order(ctx, order, "orders/updated")
    return {"fulfillment": item}


def _existing(ctx: Context, text: str, path: list[str]) -> Fulfillment:
    digits = gid_number(text, "Fulfillment")
    found = mine(ctx, ctx.state.fulfillments.get(digits)) if digits is not None else None
    if found is None:
        raise UserErrors((path, "Fulfillment does not exist.", None))
    return found


def tracking_update(ctx: Context, args: Args) -> dict[str, Any]:
    item = _existing(ctx, args["fulfillmentId"], ["fulfillmentId"])
    if item.status == "CANCELLED":
        raise UserErrors((["fulfillmentId"], "Fulfillment is cancelled.", None))
    order = _order(ctx, item.order_id)
    fulfilment.set_tracking(item, args["trackingInfoInput"])
    item.updated_at = ctx.now
    ctx.state.fulfillments.put(item)
    order.updated_at = ctx.now
    ctx.state.put_order(order)
    if args.get("notifyCustomer"):
        fulfilment.notify(ctx, order, "shipping_update", item)
    events.fulfillment(ctx, order, item, "fulfillments/update")
    events.order(ctx, order, "orders/updated")
    return {"fulfillment": item}


def fulfillment_cancel(ctx: Context, args: Args) -> dict[str, Any]:
    item = _existing(ctx, args["id"], ["id"])
    if item.status == "CANCELLED":
        raise UserErrors((["id"], "Fulfillment is already cancelled.", None))
    fulfilment.cancel(ctx, _order(ctx, item.order_id), item)
    return {"fulfillment": item}
