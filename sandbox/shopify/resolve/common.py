"""Types that many others use: money, connections, metafields, addresses, small objects held as mappings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sandbox.shopify import addresses
from sandbox.shopify.connection import of_list
from sandbox.shopify.context import Args, Context, FieldTable, Resolver
from sandbox.shopify.gid import gid
from sandbox.shopify.model import Address, Metafield, Of
from sandbox.shopify.money import Bag, money_text
from sandbox.shopify.mutations import metafields


class Money(NamedTuple):
    """MoneyV2."""

    amount: Any
    currency: str


def attribute(path: str) -> Resolver:
    """The attribute of this name."""
    get = attrgetter(path)
    return lambda source, _ctx, _args: get(source)


def member(name: str) -> Resolver:
    """The value of this key in a mapping; None where it is missing."""
    return lambda source, _ctx, _args: source.get(name)


def constant(value: Any) -> Resolver:
    return lambda _source, _ctx, _args: value


def members(*names: str) -> dict[str, Resolver]:
    return {name: member(name) for name in names}


def own_id(kind: str) -> Resolver:
    return lambda source, _ctx, _args: gid(kind, source.id)


def part_id(source: Of, _ctx: Context, _args: Args) -> str:
    return gid(source.kind, source.item.id)


def shop_text(bag: Bag) -> str:
    """The scalar Money in the shop's currency."""
    return money_text(bag.shop, bag.currency)


def paged(items: Resolver, field: str) -> Resolver:
    """A connection over the list that `items(source, ctx, args)` gives."""
    return lambda source, ctx, args: of_list(items(source, ctx, args), args, field)


def limited(items: Sequence[Any], args: Args) -> list[Any]:
    """A plain list with an optional `first`."""
    first: int | None = args.get("first")
    return list(items) if first is None else list(items[:first])


def connection_types(*names: str) -> FieldTable:
    """The connection and edge types of these nodes."""
    table: FieldTable = {}
    for name in names:
        table[f"{name}Connection"] = {
            "edges": attribute("edges"),
            "nodes": lambda source, _ctx, _args: [edge.node for edge in source.edges],
            "pageInfo": attribute("page"),
        }
        table[f"{name}Edge"] = {"cursor": attribute("cursor"), "node": attribute("node")}
    return table


def _formatted(source: Address, _ctx: Context, args: Args) -> list[str]:
    return addresses.lines(
        source, with_name=bool(args.get("withName")), with_company=bool(args.get("withCompany", True))
    )


def _area(source: Address, _ctx: Context, _args: Args) -> str | None:
    parts = [p for p in (source.city, source.province_code, source.country) if p]
    return ", ".join(parts) or None


def _json_value(source: Metafield, _ctx: Context, _args: Args) -> Any:
    if source.type == "boolean":
        return source.value == "true"
    if source.type == "number_integer":
        return int(source.value)
    if source.type == "json" or source.type.startswith("list."):
        return json.loads(source.value)
    return source.value


def has_metafields(kind: str) -> dict[str, Resolver]:
    """The two fields of HasMetafields."""

    def one(source: Any, ctx: Context, args: Args) -> Metafield | None:
        return metafields.find(ctx, kind, source.id, args.get("namespace"), args["key"])

    def many(source: Any, ctx: Context, args: Args) -> Any:
        found = metafields.of_owner(ctx, kind, source.id)
        if args.get("namespace") is not None:
            found = [m for m in found if m.namespace == metafields.own_namespace(args["namespace"])]
        if args.get("keys") is not None:
            found = [m for m in found if f"{m.namespace}.{m.key}" in args["keys"] or m.key in args["keys"]]
        return of_list(found, args, "metafields")

    return {"metafield": one, "metafields": many}


def _metafield_owner(source: Metafield, ctx: Context, _args: Args) -> Any:
    found = metafields.owner(ctx, gid(source.owner_type, source.owner_id))
    return found[2] if found else None


OWNER_ENUM = {
    "Order": "ORDER",
    "Customer": "CUSTOMER",
    "Product": "PRODUCT",
    "ProductVariant": "PRODUCTVARIANT",
    "Shop": "SHOP",
}
COMMON: FieldTable = {
    "MoneyBag": {
        "shopMoney": lambda source, _ctx, _args: Money(source.shop, source.currency),
        "presentmentMoney": lambda source, _ctx, _args: Money(source.presentment, source.presentment_currency),
    },
    "MoneyV2": {"amount": attribute("amount"), "currencyCode": attribute("currency")},
    "PageInfo": {
        "hasNextPage": attribute("has_next"),
        "hasPreviousPage": attribute("has_previous"),
        "startCursor": attribute("start"),
        "endCursor": attribute("end"),
    },
    "Count": members("count", "precision"),
    "Job": {"id": lambda source, _ctx, _args: f"gid://shopify/Job/{source['id']}", "done": member("done")},
    "Attribute": {"key": attribute("name"), "value": attribute("value")},
    "Weight": members("unit", "value"),
    "UserError": members("field", "message"),
    "TaxLine": {
        "title": attribute("title"),
        "rate": lambda source, _ctx, _args: float(source.rate),
        "ratePercentage": lambda source, _ctx, _args: float(source.rate * 100),
        "priceSet": attribute("price"),
        "price": lambda source, _ctx, _args: shop_text(source.price),
        "channelLiable": attribute("channel_liable"),
        "source": constant(None),
    },
    "MailingAddress": {
        "id": lambda source, _ctx, _args: f"gid://shopify/MailingAddress/{source.id}?model_name=Address",
        "address1": attribute("address1"),
        "address2": attribute("address2"),
        "city": attribute("city"),
        "company": attribute("company"),
        "coordinatesValidated": constant(False),
        "country": attribute("country"),
        "countryCode": attribute("country_code"),
        "countryCodeV2": attribute("country_code"),
        "firstName": attribute("first_name"),
        "formatted": _formatted,
        "formattedArea": _area,
        "lastName": attribute("last_name"),
        "latitude": constant(None),
        "longitude": constant(None),
        "name": lambda source, _ctx, _args: source.name or None,
        "phone": attribute("phone"),
        "province": attribute("province"),
        "provinceCode": attribute("province_code"),
        "timeZone": constant(None),
        "zip": attribute("zip"),
    },
    "Metafield": {
        "id": own_id("Metafield"),
        "legacyResourceId": attribute("id"),
        "namespace": attribute("namespace"),
        "key": attribute("key"),
        "type": attribute("type"),
        "value": attribute("value"),
        "jsonValue": _json_value,
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
        "compareDigest": lambda source, _ctx, _args: metafields.digest(source),
        "description": constant(None),
        "ownerType": lambda source, _ctx, _args: OWNER_ENUM[source.owner_type],
        "owner": _metafield_owner,
        "definition": constant(None),
        "sizeInBytes": lambda source, _ctx, _args: len(source.value.encode()),
    },
    "MetafieldIdentifier": members("ownerId", "namespace", "key"),
    **connection_types("Metafield", "MailingAddress"),
}
