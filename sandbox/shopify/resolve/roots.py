"""The roots: what can be asked and done, and the whole table of fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.shopify import page
from sandbox.shopify.connection import of_list
from sandbox.shopify.context import Args, Context, FieldTable, Resolver, mine
from sandbox.shopify.errors import GraphQLProblem, UserErrors
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.gid import split
from sandbox.shopify.model import (
    Customer,
    Fulfillment,
    FulfillmentOrder,
    GiftCard,
    Location,
    Metafield,
    Order,
    Product,
    Shop,
    Subscription,
    Variant,
)
from sandbox.shopify.mutations import customers, fulfilments, metafields, order_create, orders, webhooks
from sandbox.shopify.resolve.catalogue import CATALOGUE, Item, Level, level_at
from sandbox.shopify.resolve.common import COMMON, Money, Of, attribute, member, members
from sandbox.shopify.resolve.customers import CUSTOMERS
from sandbox.shopify.resolve.fulfilments import FULFILMENTS, ShippedLine, SourceLine
from sandbox.shopify.resolve.orders import ORDERS
from sandbox.shopify.resolve.shop import SHOP, installation, versions

TYPE_NAMES: dict[type, str] = {
    Order: "Order",
    Customer: "Customer",
    Product: "Product",
    Variant: "ProductVariant",
    Location: "Location",
    FulfillmentOrder: "FulfillmentOrder",
    Fulfillment: "Fulfillment",
    GiftCard: "GiftCard",
    Metafield: "Metafield",
    Subscription: "WebhookSubscription",
    Shop: "Shop",
    Item: "InventoryItem",
    Level: "InventoryLevel",
    Money: "MoneyV2",
}


def type_name_of(value: Any) -> str:
    """The GraphQL type of an object, for interfaces and unions."""
    if isinstance(value, Of | SourceLine | ShippedLine):
        return value.kind
    if isinstance(value, dict):
        return str(value["__type"])  # pyright: ignore[reportUnknownArgumentType]  # our own mapping
    return TYPE_NAMES[type(value)]


def _line(ctx: Context, digits: int) -> Of | None:
    order = mine(ctx, ctx.state.orders.first("line", digits))
    return None if order is None else next(Of(order, x, "LineItem") for x in order.lines if x.id == digits)


def _item(ctx: Context, digits: int) -> Item | None:
    found = mine(ctx, ctx.state.variants.first("inventory_item", digits))
    return None if found is None else Item(found)


NODES: dict[str, Callable[[Context, int], Any]] = {
    "Order": lambda c, n: mine(c, c.state.orders.get(n)),
    "Customer": lambda c, n: mine(c, c.state.customers.get(n)),
    "Product": lambda c, n: mine(c, c.state.products.get(n)),
    "ProductVariant": lambda c, n: mine(c, c.state.variants.get(n)),
    "Location": lambda c, n: mine(c, c.state.locations.get(n)),
    "FulfillmentOrder": lambda c, n: mine(c, c.state.fulfillment_orders.get(n)),
    "Fulfillment": lambda c, n: mine(c, c.state.fulfillments.get(n)),
    "GiftCard": lambda c, n: mine(c, c.state.gift_cards.get(n)),
    "Metafield": lambda c, n: mine(c, c.state.metafields.get(n)),
    "WebhookSubscription": lambda c, n: mine(c, c.state.subscriptions.get(n)),
    "InventoryItem": _item,
    "LineItem": _line,
    "Shop": lambda c, n: c.shop if c.shop.id == n else None,
}


def _node(ctx: Context, text: str) -> Any:
    """Whatever has this id in this shop. Raises GraphQLProblem for what is no global id."""
    kind, digits = split(text)
    load = NODES.get(kind)
    return None if load is None else load(ctx, digits)


def _by_id(kind: str) -> Resolver:
    def resolve(_source: Any, ctx: Context, args: Args) -> Any:
        digits = gid_number(args["id"], kind)
        return None if digits is None else NODES[kind](ctx, digits)

    return resolve


def _found(kind: str, field: str, load: Callable[[Context], Callable[..., Any]]) -> Resolver:
    return lambda _source, ctx, args: page.search(ctx, kind, args, field=field, load=load(ctx))


def _order_by_identifier(_source: Any, ctx: Context, args: Args) -> Any:
    wanted: Mapping[str, Any] = args["identifier"]
    if wanted.get("id") is not None:
        return _by_id("Order")(None, ctx, {"id": wanted["id"]})
    owner = metafields.owner_of(ctx, "Order", wanted["customId"])
    return None if owner is None else mine(ctx, ctx.state.orders.get(owner))


def _customer_by_identifier(_source: Any, ctx: Context, args: Args) -> Any:
    wanted: Mapping[str, Any] = args["identifier"]
    if wanted.get("id") is not None:
        return _by_id("Customer")(None, ctx, {"id": wanted["id"]})
    if wanted.get("customId") is not None:
        owner = metafields.owner_of(ctx, "Customer", wanted["customId"])
        return None if owner is None else mine(ctx, ctx.state.customers.get(owner))
    if wanted.get("emailAddress") is not None:
        return ctx.state.customers.first("email", f"{ctx.shop.subdomain}:{wanted['emailAddress'].lower()}")
    return ctx.state.customers.first("phone", f"{ctx.shop.subdomain}:{wanted.get('phoneNumber')}")


def _locations(_source: Any, ctx: Context, args: Args) -> Any:
    return of_list(sorted(ctx.state.shop_locations(ctx.shop.subdomain), key=lambda x: x.name), args, "locations")


def _location(_source: Any, ctx: Context, args: Args) -> Any:
    if args.get("id") is None:
        return next(iter(ctx.state.shop_locations(ctx.shop.subdomain)), None)
    return _by_id("Location")(None, ctx, args)


def _subscriptions(_source: Any, ctx: Context, args: Args) -> Any:
    found = ctx.state.subscriptions.find("shop", ctx.shop.subdomain)
    if args.get("topics"):
        found = [one for one in found if one.topic in args["topics"]]
    uri = args.get("uri") or args.get("callbackUrl")
    if uri:
        found = [one for one in found if one.uri == uri]
    return of_list(found, args, "webhookSubscriptions")


def _gift_cards(_source: Any, ctx: Context, args: Args) -> Any:
    return of_list(ctx.state.gift_cards.find("shop", ctx.shop.subdomain), args, "giftCards")


def _items(_source: Any, ctx: Context, args: Args) -> Any:
    found = page.search(ctx, "variant", args, field="inventoryItems", load=ctx.state.variants.many)
    for edge in found.edges:
        edge.node = Item(edge.node)  # pyright: ignore[reportAttributeAccessIssue]  # the page of variants becomes one of items
    return found


def _level(_source: Any, ctx: Context, args: Args) -> Any:
    text: str = args["id"]
    _, location = split(text)
    item = text.partition("inventory_item_id=")[2]
    if not item.isdigit():
        raise GraphQLProblem(f"Invalid global id '{text}'")
    found = mine(ctx, ctx.state.variants.first("inventory_item", int(item)))
    return None if found is None else level_at(found, ctx, f"gid://shopify/Location/{location}")


QUERIES: dict[str, Resolver] = {
    "shop": lambda _s, c, _a: c.shop,
    "node": lambda _s, c, a: _node(c, a["id"]),
    "nodes": lambda _s, c, a: [_node(c, one) for one in a["ids"]],
    "order": _by_id("Order"),
    "orderByIdentifier": _order_by_identifier,
    "orders": _found("order", "orders", lambda c: c.state.orders.many),
    "ordersCount": lambda _s, c, a: page.count(c, "order", a, field="ordersCount"),
    "customer": _by_id("Customer"),
    "customerByIdentifier": _customer_by_identifier,
    "customers": _found("customer", "customers", lambda c: c.state.customers.many),
    "customersCount": lambda _s, c, a: page.count(c, "customer", a, field="customersCount"),
    "product": _by_id("Product"),
    "products": _found("product", "products", lambda c: c.state.products.many),
    "productsCount": lambda _s, c, a: page.count(c, "product", a, field="productsCount"),
    "productVariant": _by_id("ProductVariant"),
    "productVariants": _found("variant", "productVariants", lambda c: c.state.variants.many),
    "inventoryItem": _by_id("InventoryItem"),
    "inventoryItems": _items,
    "inventoryLevel": _level,
    "location": _location,
    "locations": _locations,
    "fulfillment": _by_id("Fulfillment"),
    "fulfillmentOrder": _by_id("FulfillmentOrder"),
    "giftCard": _by_id("GiftCard"),
    "giftCards": _gift_cards,
    "webhookSubscription": _by_id("WebhookSubscription"),
    "webhookSubscriptions": _subscriptions,
    "webhookSubscriptionsCount": lambda _s, c, _a: {
        "count": len(c.state.subscriptions.find("shop", c.shop.subdomain)),
        "precision": "EXACT",
    },
    "currentAppInstallation": installation,
    "publicApiVersions": versions,
}
Do = Callable[[Context, Args], dict[str, Any]]
MUTATIONS: dict[str, Do] = {
    "orderCreate": order_create.order_create,
    "orderUpdate": orders.order_update,
    "orderMarkAsPaid": orders.order_mark_as_paid,
    "orderCapture": orders.order_capture,
    "orderCancel": orders.order_cancel,
    "orderClose": orders.order_close,
    "orderOpen": orders.order_open,
    "tagsAdd": orders.tags_add,
    "tagsRemove": orders.tags_remove,
    "customerCreate": customers.customer_create,
    "customerUpdate": customers.customer_update,
    "customerSet": customers.customer_set,
    "metafieldsSet": metafields.metafields_set,
    "metafieldsDelete": metafields.metafields_delete,
    "fulfillmentCreate": fulfilments.fulfillment_create,
    "fulfillmentTrackingInfoUpdate": fulfilments.tracking_update,
    "fulfillmentCancel": fulfilments.fulfillment_cancel,
    "webhookSubscriptionCreate": webhooks.subscription_create,
    "webhookSubscriptionUpdate": webhooks.subscription_update,
    "webhookSubscriptionDelete": webhooks.subscription_delete,
}
# Members of the payloads besides userErrors.
PAYLOADS: dict[str, tuple[str, ...]] = {
    "OrderCreatePayload": ("order",),
    "OrderUpdatePayload": ("order",),
    "OrderMarkAsPaidPayload": ("order",),
    "OrderCapturePayload": ("transaction",),
    "OrderCancelPayload": ("job", "orderCancelUserErrors"),
    "OrderClosePayload": ("order",),
    "OrderOpenPayload": ("order",),
    "TagsAddPayload": ("node",),
    "TagsRemovePayload": ("node",),
    "CustomerCreatePayload": ("customer",),
    "CustomerUpdatePayload": ("customer",),
    "CustomerSetPayload": ("customer",),
    "MetafieldsSetPayload": ("metafields",),
    "MetafieldsDeletePayload": ("deletedMetafields",),
    "FulfillmentCreatePayload": ("fulfillment",),
    "FulfillmentTrackingInfoUpdatePayload": ("fulfillment",),
    "FulfillmentCancelPayload": ("fulfillment",),
    "WebhookSubscriptionCreatePayload": ("webhookSubscription",),
    "WebhookSubscriptionUpdatePayload": ("webhookSubscription",),
    "WebhookSubscriptionDeletePayload": ("deletedWebhookSubscriptionId",),
}
# Error types with a code; a mutation's errors go to its error member in this form.
CODED = ("OrderCreateUserError", "OrderCancelUserError", "CustomerSetUserError")


def _mutation(do: Do) -> Resolver:
    """Run one mutation as one action: all of it, or its user errors and nothing of it."""

    def resolve(_source: Any, ctx: Context, args: Args) -> dict[str, Any]:
        ctx.begin_action()
        try:
            with ctx.state.store.savepoint():
                return {"userErrors": [], "orderCancelUserErrors": [], **do(ctx, args)}
        except UserErrors as found:
            errors = [
                {"field": field, "message": message, "code": code, "elementIndex": _element(field)}
                for field, message, code in found.errors
            ]
            return {"userErrors": errors, "orderCancelUserErrors": errors}

    return resolve


def _element(field: list[str] | None) -> int | None:
    index = field[1] if field and len(field) > 1 else ""
    return int(index) if index.isdigit() else None


FIELDS: FieldTable = {
    **COMMON,
    **ORDERS,
    **FULFILMENTS,
    **CUSTOMERS,
    **CATALOGUE,
    **SHOP,
    **{name: members("userErrors", *more) for name, more in PAYLOADS.items()},
    **{name: members("field", "message", "code") for name in CODED},
    "MetafieldsSetUserError": members("field", "message", "code", "elementIndex"),
    "QueryRoot": QUERIES,
    "Mutation": {name: _mutation(do) for name, do in MUTATIONS.items()},
}
__all__ = ["FIELDS", "MUTATIONS", "QUERIES", "attribute", "member", "type_name_of"]
