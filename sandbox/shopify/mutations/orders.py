"""What happens to an order after it was placed: update, pay, capture, cancel, close, open, tags."""

from __future__ import annotations

from typing import Any

from sandbox.shopify import addresses, events, fulfilment, totals
from sandbox.shopify.context import Args, Context, mine
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.model import Customer, Of, Order, Pair, Product, Transaction
from sandbox.shopify.money import Bag
from sandbox.shopify.mutations import metafields
from sandbox.shopify.mutations.customers import unique_tags

LONGEST_TAG = 255


def existing(ctx: Context, text: str, path: list[str] | None = None) -> Order:
    """The order of this id in this shop. Raises UserErrors."""
    digits = gid_number(text, "Order")
    found = mine(ctx, ctx.state.orders.get(digits)) if digits is not None else None
    if found is None:
        raise UserErrors((path or ["id"], "Order does not exist", "NOT_FOUND"))
    return found


def updated(ctx: Context, order: Order, *topics: str) -> Order:
    """Save and tell: the given topics, then orders/updated."""
    order.updated_at = ctx.now
    ctx.state.put_order(order)
    for topic in (*topics, "orders/updated"):
        events.order(ctx, order, topic)
    return order


def order_update(ctx: Context, args: Args) -> dict[str, Any]:
    given = args["input"]
    order = existing(ctx, given["id"])
    for name, member in (("note", "note"), ("email", "email"), ("phone", "phone"), ("poNumber", "po_number")):
        if name in given:
            setattr(order, member, given[name])
    if given.get("tags") is not None:
        order.tags = unique_tags(given["tags"])
    if given.get("customAttributes") is not None:
        order.attributes = [Pair(a["key"], a["value"]) for a in given["customAttributes"]]
    if given.get("shippingAddress") is not None:
        order.shipping_address = addresses.from_input(given["shippingAddress"])
    metafields.set_on(ctx, "Order", order.id, given.get("metafields") or [])
    return {"order": updated(ctx, order)}


def _pay(ctx: Context, order: Order, kind: str, *, amount: Bag, gateway: str, parent: int | None = None) -> Transaction:
    item = Transaction(
        id=ctx.state.new_id("OrderTransaction"), kind=kind, status="SUCCESS", gateway=gateway, amount=amount,
        created_at=ctx.now, processed_at=ctx.now, test=order.test, parent_id=parent,
    )  # fmt: skip
    order.transactions.append(item)
    order.financial_status = totals.financial_status(order.totals.total, order.transactions)
    return item


def _credit(ctx: Context, order: Order) -> None:
    """A paid order counts for what its customer has spent."""
    customer = ctx.state.customers.get(order.customer_id) if order.customer_id else None
    if customer is not None:
        customer.total_spent += order.totals.total.shop
        customer.updated_at = ctx.now
        ctx.state.put_customer(customer)
        events.customer(ctx, customer, "customers/update")


def order_mark_as_paid(ctx: Context, args: Args) -> dict[str, Any]:
    order = existing(ctx, args["input"]["id"])
    due = totals.outstanding(order)
    if order.cancelled_at is not None or order.financial_status in ("PAID", "REFUNDED", "VOIDED") or due.is_zero():
        raise UserErrors((["id"], "Order cannot be marked as paid.", None))
    authorised = next((t for t in order.transactions if t.kind == "AUTHORIZATION" and t.status == "SUCCESS"), None)
    if authorised is not None:
        _pay(ctx, order, "CAPTURE", amount=due, gateway=authorised.gateway, parent=authorised.id)
    else:
        _pay(ctx, order, "SALE", amount=due, gateway="manual")
    order.financial_status = "PAID"
    _credit(ctx, order)
    return {"order": updated(ctx, order, "orders/paid")}


def order_capture(ctx: Context, args: Args) -> dict[str, Any]:
    """Capture (part of) an authorization."""
    given = args["input"]
    order = existing(ctx, given["id"])
    parent_id = gid_number(given["parentTransactionId"], "OrderTransaction")
    parent = next((t for t in order.transactions if t.id == parent_id and t.kind == "AUTHORIZATION"), None)
    if parent is None:
        raise UserErrors((["parentTransactionId"], "Transaction does not exist", None))
    amount = given["amount"]
    taken = totals.total((t.amount for t in order.transactions if t.parent_id == parent.id), order.zero())
    left = parent.amount - taken
    side = (
        left.presentment
        if given.get("currency", order.presentment_currency) == left.presentment_currency
        else left.shop
    )
    if amount <= 0 or amount > side:
        raise UserErrors((["amount"], "Amount exceeds the authorized amount", None))
    item = _pay(ctx, order, "CAPTURE", amount=left.scaled(amount / side), gateway=parent.gateway, parent=parent.id)
    paid = order.financial_status == "PAID"
    if paid:
        _credit(ctx, order)
    updated(ctx, order, *(("orders/paid",) if paid else ()))
    return {"transaction": Of(order, item, "OrderTransaction")}


def order_cancel(ctx: Context, args: Args) -> dict[str, Any]:
    """Cancels at once; the vendor does it in a job, which here is always done."""
    order = existing(ctx, args["orderId"], ["orderId"])
    if order.cancelled_at is not None:
        raise UserErrors((["orderId"], "Order has already been cancelled", "INVALID"))
    if any(line.fulfilled_quantity for line in order.lines if not line.gift_card):
        raise UserErrors((["orderId"], "Cannot cancel an order with fulfilled items", "INVALID"))
    method: Args = args.get("refundMethod") or {}
    refund = bool(args.get("refund") or method.get("originalPaymentMethodsRefund"))
    fulfilment.cancel_open(ctx, order)
    order.cancelled_at = order.closed_at = ctx.now
    order.cancel_reason = args["reason"]
    paid = totals.received(order.transactions, order.zero())
    if refund and not paid.is_zero():
        sale = next(t for t in order.transactions if t.kind in totals.RECEIVING)
        _pay(ctx, order, "REFUND", amount=paid, gateway=sale.gateway, parent=sale.id)
    elif order.financial_status == "AUTHORIZED":
        held = next(t for t in order.transactions if t.kind == "AUTHORIZATION")
        _pay(ctx, order, "VOID", amount=held.amount, gateway=held.gateway, parent=held.id)
        order.financial_status = "VOIDED"
    elif order.financial_status == "PENDING":
        order.financial_status = "VOIDED"
    if args.get("notifyCustomer"):
        fulfilment.notify(ctx, order, "order_cancelled", None)
    updated(ctx, order, "orders/cancelled")
    return {"job": {"id": ctx.state.token(), "done": True}}


def order_close(ctx: Context, args: Args) -> dict[str, Any]:
    order = existing(ctx, args["input"]["id"])
    order.closed_at = order.closed_at or ctx.now
    return {"order": updated(ctx, order)}


def order_open(ctx: Context, args: Args) -> dict[str, Any]:
    order = existing(ctx, args["input"]["id"])
    order.closed_at = None
    return {"order": updated(ctx, order)}


def _tagged(ctx: Context, args: Args) -> tuple[Order | Customer | Product, list[str]]:
    found = metafields.owner(ctx, args["id"])
    if found is None or not isinstance(found[2], Order | Customer | Product):
        raise UserErrors((["id"], "Node does not exist", None))
    tags = unique_tags(args["tags"])
    if any(len(tag) > LONGEST_TAG for tag in tags):
        raise UserErrors((["tags"], f"Tag exceeds the maximum length of {LONGEST_TAG} characters", None))
    return found[2], tags


def _save_tags(ctx: Context, item: Order | Customer | Product, tags: list[str]) -> None:
    if tags == item.tags:
        return
    item.tags = tags
    if isinstance(item, Product):
        item.updated_at = ctx.now
        ctx.state.put_product(item, ctx.state.variants.many(item.variant_ids))
    else:
        metafields.touch(ctx, item)


def tags_add(ctx: Context, args: Args) -> dict[str, Any]:
    item, tags = _tagged(ctx, args)
    _save_tags(ctx, item, unique_tags([*item.tags, *tags]))
    return {"node": item}


def tags_remove(ctx: Context, args: Args) -> dict[str, Any]:
    item, tags = _tagged(ctx, args)
    gone = {tag.lower() for tag in tags}
    _save_tags(ctx, item, [tag for tag in item.tags if tag.lower() not in gone])
    return {"node": item}
