"""Products, variants, inventory, locations, gift cards."""

from __future__ import annotations

from typing import Any, NamedTuple

from sandbox.shopify.context import Args, Context, FieldTable, Resolver, mine
from sandbox.shopify.gid import gid
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.model import GiftCard, Location, Product, Variant
from sandbox.shopify.money import money_text
from sandbox.shopify.resolve.common import (
    Money,
    attribute,
    connection_types,
    constant,
    has_metafields,
    limited,
    member,
    members,
    own_id,
    paged,
)


class Item(NamedTuple):
    """An inventory item: the stock side of a variant."""

    variant: Variant


class Level(NamedTuple):
    variant: Variant
    location: Location


def _product(source: Variant, ctx: Context, _args: Args) -> Product | None:
    return ctx.state.products.get(source.product_id)


def _variants(source: Product, ctx: Context, _args: Args) -> list[Variant]:
    return ctx.state.variants.many(source.variant_ids)


def available(variant: Variant) -> int:
    return sum(level.get("available", 0) for level in variant.stock.values())


def _options(source: Product, ctx: Context, args: Args) -> list[dict[str, Any]]:
    values = [v.title for v in _variants(source, ctx, args)]
    return limited(
        [{"id": gid("ProductOption", source.id), "name": source.option_name, "position": 1, "values": values}], args
    )


def _selected(source: Variant, ctx: Context, args: Args) -> list[dict[str, Any]]:
    product = _product(source, ctx, args)
    return [{"name": product.option_name if product else "Title", "value": source.title}]


def levels(variant: Variant, ctx: Context) -> list[Level]:
    places = {place.id: place for place in ctx.state.shop_locations(variant.shop)}
    return [Level(variant, places[key]) for key in variant.stock if key in places]


def level_at(variant: Variant, ctx: Context, location_id: str) -> Level | None:
    digits = gid_number(location_id, "Location")
    return next((level for level in levels(variant, ctx) if level.location.id == digits), None)


def _quantities(source: Level, _ctx: Context, args: Args) -> list[dict[str, Any]]:
    stock = source.variant.stock.get(source.location.id, {})
    values = {
        "available": stock.get("available", 0),
        "committed": stock.get("committed", 0),
        "on_hand": stock.get("available", 0) + stock.get("committed", 0),
    }
    level = f"{source.variant.inventory_item_id}?inventory_item_id={source.location.id}"
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{level}&name={name}",
            "name": name,
            "quantity": values.get(name, 0),
            "updatedAt": source.variant.updated_at,
        }
        for name in args["names"]
    ]


def level_id(level: Level) -> str:
    return f"gid://shopify/InventoryLevel/{level.location.id}?inventory_item_id={level.variant.inventory_item_id}"


def _levels_at(source: Location, ctx: Context, _args: Args) -> list[Level]:
    return [Level(v, source) for v in ctx.state.variants.all() if source.id in v.stock]


def _level_of_item(source: Location, ctx: Context, args: Args) -> Level | None:
    digits = gid_number(args["inventoryItemId"], "InventoryItem")
    found = mine(ctx, ctx.state.variants.first("inventory_item", digits))
    return Level(found, source) if found is not None and source.id in found.stock else None


def _card_money(amount: str) -> Resolver:
    return lambda source, _ctx, _args: Money(getattr(source, amount), source.currency)


def _card_customer(source: GiftCard, ctx: Context, _args: Args) -> Any:
    return ctx.state.customers.get(source.customer_id) if source.customer_id else None


def _card_order(source: GiftCard, ctx: Context, _args: Args) -> Any:
    return ctx.state.orders.get(source.order_id) if source.order_id else None


def _address(source: Location, _ctx: Context, _args: Args) -> Any:
    return source.address


CATALOGUE: FieldTable = {
    "Product": {
        **has_metafields("Product"),
        "id": own_id("Product"),
        "legacyResourceId": attribute("id"),
        "title": attribute("title"),
        "handle": attribute("handle"),
        "vendor": attribute("vendor"),
        "productType": attribute("product_type"),
        "status": attribute("status"),
        "tags": attribute("tags"),
        "descriptionHtml": attribute("description_html"),
        "bodyHtml": attribute("description_html"),
        "description": attribute("description_html"),
        "isGiftCard": attribute("gift_card"),
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
        "publishedAt": attribute("created_at"),
        "hasOnlyDefaultVariant": lambda s, _c, _a: len(s.variant_ids) == 1 and s.option_name == "Title",
        "hasOutOfStockVariants": lambda s, c, a: any(v.tracked and available(v) <= 0 for v in _variants(s, c, a)),
        "totalInventory": lambda s, c, a: sum(available(v) for v in _variants(s, c, a)),
        "totalVariants": lambda s, _c, _a: len(s.variant_ids),
        "variantsCount": lambda s, _c, _a: {"count": len(s.variant_ids), "precision": "EXACT"},
        "tracksInventory": lambda s, c, a: any(v.tracked for v in _variants(s, c, a)),
        "options": _options,
        "variants": paged(_variants, "variants"),
        "featuredImage": constant(None),
        "onlineStoreUrl": constant(None),
    },
    "ProductOption": members("id", "name", "position", "values"),
    "SelectedOption": members("name", "value"),
    "ProductVariant": {
        **has_metafields("ProductVariant"),
        "id": own_id("ProductVariant"),
        "legacyResourceId": attribute("id"),
        "title": attribute("title"),
        "displayName": lambda s, _c, _a: f"{s.product_title} - {s.title}",
        "sku": attribute("sku"),
        "barcode": attribute("barcode"),
        "price": lambda s, c, _a: money_text(s.price, c.shop.currency),
        "compareAtPrice": constant(None),
        "position": attribute("position"),
        "taxable": attribute("taxable"),
        "inventoryPolicy": constant("DENY"),
        "inventoryQuantity": lambda s, _c, _a: available(s),
        "sellableOnlineQuantity": lambda s, _c, _a: available(s),
        "availableForSale": lambda s, _c, _a: not s.tracked or available(s) > 0,
        "inventoryItem": lambda s, _c, _a: Item(s),
        "product": _product,
        "selectedOptions": _selected,
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
        "image": constant(None),
        "requiresComponents": constant(False),
    },
    "InventoryItem": {
        "id": lambda s, _c, _a: gid("InventoryItem", s.variant.inventory_item_id),
        "legacyResourceId": attribute("variant.inventory_item_id"),
        "sku": attribute("variant.sku"),
        "tracked": attribute("variant.tracked"),
        "requiresShipping": attribute("variant.requires_shipping"),
        "createdAt": attribute("variant.created_at"),
        "updatedAt": attribute("variant.updated_at"),
        "variant": attribute("variant"),
        "countryCodeOfOrigin": constant(None),
        "provinceCodeOfOrigin": constant(None),
        "harmonizedSystemCode": constant(None),
        "unitCost": constant(None),
        "duplicateSkuCount": constant(0),
        "measurement": lambda s, _c, _a: {
            "id": gid("InventoryItemMeasurement", s.variant.inventory_item_id),
            "weight": {"unit": "GRAMS", "value": float(s.variant.grams)},
        },
        "inventoryLevel": lambda s, c, a: level_at(s.variant, c, a["locationId"]),
        "inventoryLevels": paged(lambda s, c, _a: levels(s.variant, c), "inventoryLevels"),
        "locationsCount": lambda s, _c, _a: {"count": len(s.variant.stock), "precision": "EXACT"},
    },
    "InventoryItemMeasurement": members("id", "weight"),
    "InventoryLevel": {
        "id": lambda s, _c, _a: level_id(s),
        "item": lambda s, _c, _a: Item(s.variant),
        "location": attribute("location"),
        "isActive": constant(True),
        "canDeactivate": constant(False),
        "deactivationAlert": constant(None),
        "createdAt": attribute("variant.created_at"),
        "updatedAt": attribute("variant.updated_at"),
        "quantities": _quantities,
    },
    "InventoryQuantity": members("id", "name", "quantity", "updatedAt"),
    "Location": {
        **has_metafields("Location"),
        "id": own_id("Location"),
        "legacyResourceId": attribute("id"),
        "name": attribute("name"),
        "address": _address,
        "addressVerified": constant(True),
        "isActive": attribute("active"),
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("created_at"),
        "activatable": constant(False),
        "deactivatable": constant(False),
        "deactivatedAt": constant(None),
        "deletable": constant(False),
        "fulfillsOnlineOrders": constant(True),
        "hasActiveInventory": constant(True),
        "isFulfillmentService": constant(False),
        "fulfillmentService": constant(None),
        "shipsInventory": constant(True),
        "inventoryLevel": _level_of_item,
        "inventoryLevels": paged(_levels_at, "inventoryLevels"),
    },
    "LocationAddress": {
        "address1": attribute("address1"),
        "address2": attribute("address2"),
        "city": attribute("city"),
        "country": attribute("country"),
        "countryCode": attribute("country_code"),
        "phone": attribute("phone"),
        "province": attribute("province"),
        "provinceCode": attribute("province_code"),
        "zip": attribute("zip"),
        "latitude": constant(None),
        "longitude": constant(None),
    },
    "GiftCard": {
        "id": own_id("GiftCard"),
        "initialValue": _card_money("initial"),
        "balance": _card_money("balance"),
        "enabled": lambda s, _c, _a: s.deactivated_at is None,
        "deactivatedAt": attribute("deactivated_at"),
        "expiresOn": attribute("expires_on"),
        "lastCharacters": attribute("last_characters"),
        "maskedCode": lambda s, _c, _a: f"•••• •••• •••• {s.last_characters}",
        "note": attribute("note"),
        "customer": _card_customer,
        "order": _card_order,
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
        "templateSuffix": constant(None),
    },
    **connection_types("Product", "ProductVariant", "InventoryLevel", "InventoryItem", "Location", "GiftCard"),
}
__all__ = ["CATALOGUE", "Item", "Level", "level_at", "member"]
