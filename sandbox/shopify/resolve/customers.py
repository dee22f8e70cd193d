"""Customers."""

from __future__ import annotations

from typing import Any

from sandbox.shopify import page
from sandbox.shopify.context import Args, Context, FieldTable
from sandbox.shopify.model import Customer
from sandbox.shopify.resolve.common import (
    Money,
    attribute,
    connection_types,
    constant,
    has_metafields,
    limited,
    member,
    own_id,
    paged,
)


def _email(source: Customer, _ctx: Context, _args: Args) -> dict[str, Any] | None:
    return {"emailAddress": source.email} if source.email else None


def _phone(source: Customer, _ctx: Context, _args: Args) -> dict[str, Any] | None:
    return {"phoneNumber": source.phone} if source.phone else None


def _orders(source: Customer, ctx: Context, args: Args) -> Any:
    return page.search(ctx, "order", args, field="orders", load=ctx.state.orders.many, only=("customer_id", source.id))


CUSTOMERS: FieldTable = {
    "Customer": {
        **has_metafields("Customer"),
        "id": own_id("Customer"),
        "legacyResourceId": attribute("id"),
        "firstName": attribute("first_name"),
        "lastName": attribute("last_name"),
        "displayName": attribute("name"),
        "email": attribute("email"),
        "phone": attribute("phone"),
        "defaultEmailAddress": _email,
        "defaultPhoneNumber": _phone,
        "validEmailAddress": lambda s, _c, _a: bool(s.email),
        "verifiedEmail": attribute("verified_email"),
        "note": attribute("note"),
        "tags": attribute("tags"),
        "state": attribute("state"),
        "locale": attribute("locale"),
        "taxExempt": attribute("tax_exempt"),
        "taxExemptions": constant([]),
        "numberOfOrders": attribute("orders_count"),
        "amountSpent": lambda s, c, _a: Money(s.total_spent, c.shop.currency),
        "canDelete": lambda s, _c, _a: s.orders_count == 0,
        "dataSaleOptOut": constant(False),
        "multipassIdentifier": attribute("multipass_identifier"),
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
        "addresses": lambda s, _c, a: limited(s.addresses, a),
        "addressesV2": paged(lambda s, _c, _a: s.addresses, "addressesV2"),
        "defaultAddress": attribute("default_address"),
        "lastOrder": lambda s, c, _a: c.state.orders.get(s.last_order_id) if s.last_order_id else None,
        "orders": _orders,
        "lifetimeDuration": lambda s, c, _a: f"{max(1, (c.now - s.created_at).days)} days",
        "productSubscriberStatus": constant("NEVER_SUBSCRIBED"),
    },
    "CustomerEmailAddress": {
        "emailAddress": member("emailAddress"),
        "marketingState": constant("NOT_SUBSCRIBED"),
        "marketingOptInLevel": constant("SINGLE_OPT_IN"),
        "marketingUpdatedAt": constant(None),
        "openTrackingLevel": constant("UNKNOWN"),
        "validFormat": constant(True),
        "sourceLocation": constant(None),
    },
    "CustomerPhoneNumber": {
        "phoneNumber": member("phoneNumber"),
        "marketingState": constant("NOT_SUBSCRIBED"),
        "marketingOptInLevel": constant("SINGLE_OPT_IN"),
        "marketingUpdatedAt": constant(None),
        "marketingCollectedFrom": constant(None),
        "sourceLocation": constant(None),
    },
    **connection_types("Customer"),
}
