"""Fulfilment orders, fulfilments, and their lines."""

from __future__ import annotations

from typing import Any, NamedTuple

from sandbox.shopify.context import Args, Context, FieldTable
from sandbox.shopify.gid import gid
from sandbox.shopify.model import Fulfillment, FulfillmentLine, FulfillmentOrder, FulfillmentOrderLine, Line, Order
from sandbox.shopify.resolve.common import (
    Of,
    attribute,
    connection_types,
    constant,
    limited,
    members,
    own_id,
    paged,
    part_id,
)


class SourceLine(NamedTuple):
    """A line of a fulfilment order with its order. item: FulfillmentOrderLine."""

    order: Order
    item: FulfillmentOrderLine
    kind: str = "FulfillmentOrderLineItem"


class ShippedLine(NamedTuple):
    order: Order
    item: FulfillmentLine
    kind: str = "FulfillmentLineItem"


def _order(source: FulfillmentOrder | Fulfillment, ctx: Context, _args: Args) -> Order:
    found = ctx.state.orders.get(source.order_id)
    if found is None:
        raise LookupError(f"fulfilment {source.id} has lost its order")
    return found


def _line_of(source: SourceLine | ShippedLine, _ctx: Context, _args: Args) -> Of:
    return Of(source.order, _line(source), "LineItem")


def _line(source: SourceLine | ShippedLine) -> Line:
    return next(line for line in source.order.lines if line.id == source.item.line_id)


def _variant(source: SourceLine, ctx: Context, _args: Args) -> Any:
    variant_id = _line(source).variant_id
    return ctx.state.variants.get(variant_id) if variant_id else None


def _inventory_item(source: SourceLine, ctx: Context, args: Args) -> str | None:
    variant = _variant(source, ctx, args)
    return gid("InventoryItem", variant.inventory_item_id) if variant else None


def _source_lines(source: FulfillmentOrder, ctx: Context, args: Args) -> list[SourceLine]:
    order = _order(source, ctx, args)
    return [SourceLine(order, line) for line in source.lines]


def _shipped_lines(source: Fulfillment, ctx: Context, args: Args) -> list[ShippedLine]:
    order = _order(source, ctx, args)
    return [ShippedLine(order, line) for line in source.lines]


def _fulfillments_of(source: FulfillmentOrder, ctx: Context, _args: Args) -> list[Fulfillment]:
    found = ctx.state.fulfillments.find("order", source.order_id)
    return [f for f in found if any(line.fulfillment_order_id == source.id for line in f.lines)]


def _sources_of(source: Fulfillment, ctx: Context, _args: Args) -> list[FulfillmentOrder]:
    return ctx.state.fulfillment_orders.many(dict.fromkeys(line.fulfillment_order_id for line in source.lines))


def _tracking(source: Fulfillment, _ctx: Context, args: Args) -> list[dict[str, Any]]:
    """One entry per number (or url); numbers and urls go together by place."""
    count = max(len(source.numbers), len(source.urls))
    entries = [
        {
            "company": source.company,
            "number": source.numbers[i] if i < len(source.numbers) else None,
            "url": source.urls[i] if i < len(source.urls) else None,
        }
        for i in range(count)
    ]
    return limited(entries, args)


def _assigned(source: FulfillmentOrder, ctx: Context, _args: Args) -> dict[str, Any]:
    place = ctx.state.locations.get(source.location_id)
    if place is None:
        raise LookupError(f"fulfilment order {source.id} has lost its location")
    home = place.address
    return {
        "location": place, "name": place.name, "address1": home.address1, "address2": home.address2, "city": home.city,
        "countryCode": home.country_code, "phone": home.phone, "province": home.province, "zip": home.zip,
    }  # fmt: skip


def _destination(source: FulfillmentOrder, ctx: Context, args: Args) -> dict[str, Any] | None:
    order = _order(source, ctx, args)
    to = order.shipping_address
    if to is None:
        return None
    return {
        "id": gid("FulfillmentOrderDestination", source.id), "address1": to.address1, "address2": to.address2,
        "city": to.city, "company": to.company, "countryCode": to.country_code, "email": order.email,
        "firstName": to.first_name, "lastName": to.last_name, "phone": to.phone, "province": to.province, "zip": to.zip,
        "location": None,
    }  # fmt: skip


def _location(source: Fulfillment, ctx: Context, _args: Args) -> Any:
    return ctx.state.locations.get(source.location_id)


FULFILMENTS: FieldTable = {
    "FulfillmentOrder": {
        "id": own_id("FulfillmentOrder"),
        "status": attribute("status"),
        "requestStatus": attribute("request_status"),
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
        "fulfillAt": attribute("created_at"),
        "fulfillBy": constant(None),
        "fulfillmentHolds": constant([]),
        "order": _order,
        "orderId": lambda s, _c, _a: gid("Order", s.order_id),
        "orderName": lambda s, c, a: _order(s, c, a).name,
        "orderProcessedAt": lambda s, c, a: _order(s, c, a).processed_at,
        "assignedLocation": _assigned,
        "destination": _destination,
        "lineItems": paged(_source_lines, "lineItems"),
        "fulfillments": paged(_fulfillments_of, "fulfillments"),
    },
    "FulfillmentOrderLineItem": {
        "id": part_id,
        "lineItem": _line_of,
        "totalQuantity": attribute("item.total"),
        "remainingQuantity": attribute("item.remaining"),
        "sku": lambda s, _c, _a: _line(s).sku,
        "productTitle": lambda s, _c, _a: _line(s).title,
        "variantTitle": lambda s, _c, _a: _line(s).variant_title,
        "vendor": lambda s, _c, _a: _line(s).vendor,
        "requiresShipping": lambda s, _c, _a: _line(s).requires_shipping,
        "inventoryItemId": _inventory_item,
        "variant": _variant,
        "image": constant(None),
    },
    "FulfillmentOrderAssignedLocation": members(
        "location", "name", "address1", "address2", "city", "countryCode", "phone", "province", "zip"
    ),
    "FulfillmentOrderDestination": members(
        "id", "address1", "address2", "city", "company", "countryCode", "email", "firstName", "lastName", "phone",
        "province", "zip", "location",
    ),
    "Fulfillment": {
        "id": own_id("Fulfillment"),
        "legacyResourceId": attribute("id"),
        "name": attribute("name"),
        "status": attribute("status"),
        "displayStatus": attribute("display_status"),
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
        "deliveredAt": constant(None),
        "inTransitAt": constant(None),
        "estimatedDeliveryAt": constant(None),
        "order": _order,
        "location": _location,
        "service": constant(None),
        "requiresShipping": lambda s, c, a: any(_line(x).requires_shipping for x in _shipped_lines(s, c, a)),
        "totalQuantity": lambda s, _c, _a: sum(line.quantity for line in s.lines),
        "trackingInfo": _tracking,
        "fulfillmentLineItems": paged(_shipped_lines, "fulfillmentLineItems"),
        "fulfillmentOrders": paged(_sources_of, "fulfillmentOrders"),
    },
    "FulfillmentLineItem": {
        "id": part_id,
        "lineItem": _line_of,
        "quantity": attribute("item.quantity"),
        "originalTotalSet": lambda s, _c, _a: _line(s).price * s.item.quantity,
        "discountedTotalSet": lambda s, _c, _a: _line(s).price * s.item.quantity,
    },
    "FulfillmentTrackingInfo": members("company", "number", "url"),
    **connection_types("FulfillmentOrder", "FulfillmentOrderLineItem", "Fulfillment", "FulfillmentLineItem"),
}  # fmt: skip
