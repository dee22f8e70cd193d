"""What happened, told to whoever subscribed: the webhooks of orders, fulfilments and customers."""

from __future__ import annotations

from sandbox.shopify import rest
from sandbox.shopify.context import Context
from sandbox.shopify.model import Customer, Fulfillment, Order


def order(ctx: Context, item: Order, topic: str) -> None:
    """The body is the REST order as it is now."""
    ctx.emit(topic, lambda: rest.order(ctx.state, ctx.shop, item))


def customer(ctx: Context, item: Customer, topic: str) -> None:
    ctx.emit(topic, lambda: rest.customer(ctx.shop, item))


def fulfillment(ctx: Context, of: Order, item: Fulfillment, topic: str) -> None:
    ctx.emit(topic, lambda: rest.fulfillment_event(ctx.shop, of, item))
