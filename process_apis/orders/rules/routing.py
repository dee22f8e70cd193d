"""Which ERP, selling entity and location an order goes to (BR7, BR8)."""

from __future__ import annotations

from collections.abc import Iterable

from process_apis.orders.rules.causes import Causes
from process_apis.orders.tables import ANY, OrderRoute, best, is_or_any
from strata.canonical.orders import ChannelOrder, Place


def destination(order: ChannelOrder) -> tuple[str, str]:
    """Country and region that the goods go to; of the bill where nothing is shipped; empty where neither is known."""
    address = order.shipping_address or order.billing_address
    return (address.country, address.region) if address else ("", "")


def place(order: ChannelOrder) -> Place:
    """What routing looks at."""
    country, _ = destination(order)
    return Place(order.shop, country, order.currency, order.channel, order.b2b, order.tags)


def _fits(row: OrderRoute, at: Place) -> bool:
    return (
        is_or_any(row.shop, at.shop)
        and is_or_any(row.country, at.country)
        and is_or_any(row.currency, at.currency)
        and is_or_any(row.channel, at.channel)
        and row.b2b in {None, at.b2b}
        and (row.tag == ANY or row.tag.casefold() in {tag.casefold() for tag in at.tags})
    )


def _given(row: OrderRoute) -> int:
    named = sum(column != ANY for column in (row.shop, row.country, row.currency, row.channel, row.tag))
    return (named + (row.b2b is not None)) * 1_000_000 + row.priority


def route(order: ChannelOrder, rows: Iterable[OrderRoute], causes: Causes) -> OrderRoute | None:
    """The most specific row that fits. None, and a cause, when the store is routed nowhere."""
    at = place(order)
    found = best(rows, lambda row: _fits(row, at), _given)
    causes.use("order_routing", found)
    if found is None:
        causes.add(
            "unroutable-store",
            "/shop",
            f"no route for shop {at.shop}, country {at.country or 'unknown'}, currency {at.currency}",
            value=at.shop,
            remedy="Add a row to the table order_routing that fits this order, then retry.",
        )
    return found
