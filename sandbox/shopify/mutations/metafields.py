"""Metafields: metafieldsSet, metafieldsDelete, and those given with other inputs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.shopify import events
from sandbox.shopify.context import Args, Context
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.gid import gid, split
from sandbox.shopify.model import Customer, Metafield, Order, Product, Shop, Variant

Input = Mapping[str, Any]
MOST = 25
NAME = re.compile(r"[A-Za-z0-9_-]{2,255}")
KEY = re.compile(r"[A-Za-z0-9_-]{2,64}")
INTEGER = re.compile(r"-?\d{1,19}")
NAMESPACE = "$app"
Owner = Order | Customer | Product | Variant | Shop


def own_namespace(text: str | None) -> str:
    """`$app` stands for the app's reserved namespace."""
    name = text or NAMESPACE
    return f"app--580111{name.removeprefix(NAMESPACE).replace(':', '--')}" if name.startswith(NAMESPACE) else name


def digest(item: Metafield) -> str:
    """compareDigest: changes with the value."""
    return hashlib.sha256(f"{item.type}\x00{item.value}".encode()).hexdigest()


def of_owner(ctx: Context, owner_type: str, owner_id: int) -> list[Metafield]:
    return ctx.state.metafields.find("owner", f"{owner_type}:{owner_id}")


def find(ctx: Context, owner_type: str, owner_id: int, namespace: str | None, key: str) -> Metafield | None:
    if namespace is None and "." in key:
        namespace, _, key = key.partition(".")
    wanted = own_namespace(namespace)
    return next((m for m in of_owner(ctx, owner_type, owner_id) if (m.namespace, m.key) == (wanted, key)), None)


def owner_of(ctx: Context, owner_type: str, custom: Input) -> int | None:
    """The owner of a unique metafield value ({namespace, key, value}): a custom id."""
    place = (
        f"{ctx.shop.subdomain}:{owner_type}:{own_namespace(custom.get('namespace'))}:{custom['key']}:{custom['value']}"
    )
    found = ctx.state.metafields.first("value", place)
    return None if found is None else found.owner_id


def set_on(ctx: Context, owner_type: str, owner_id: int, given: Sequence[Input]) -> list[Metafield]:
    """Set metafields of one owner (MetafieldInput). Raises UserErrors."""
    return [put(ctx, owner_type, owner_id, one, ["metafields", str(index)]) for index, one in enumerate(given)]


def put(ctx: Context, owner_type: str, owner_id: int, given: Input, path: list[str]) -> Metafield:
    """Create or replace one. Raises UserErrors: bad name, bad value for its type, stale digest."""
    namespace, key = own_namespace(given.get("namespace")), given.get("key") or ""
    value = given.get("value")
    known = find(ctx, owner_type, owner_id, namespace, key)
    type_ = given.get("type") or (known.type if known else None)
    errors: list[tuple[list[str] | None, str, str | None]] = []
    if not KEY.fullmatch(key):
        short = len(key) < 2
        message = "Key is too short (minimum is 2 characters)" if short else "Key is invalid"
        errors.append(([*path, "key"], message, "TOO_SHORT" if short else "INVALID"))
    if not NAME.fullmatch(namespace):
        errors.append(([*path, "namespace"], "Namespace is invalid", "INVALID"))
    if type_ is None:
        errors.append(([*path, "type"], "Type can't be blank", "BLANK"))
    if not value:
        errors.append(([*path, "value"], "Value can't be blank", "BLANK"))
    elif type_ == "number_integer" and not INTEGER.fullmatch(value):
        errors.append(([*path, "value"], "Value must be an integer.", "INVALID_VALUE"))
    elif type_ == "boolean" and value not in ("true", "false"):
        errors.append(([*path, "value"], "Value must be true or false.", "INVALID_VALUE"))
    elif type_ == "single_line_text_field" and "\n" in value:
        errors.append(([*path, "value"], "Value must be a single line text string.", "INVALID_VALUE"))
    if given.get("compareDigest") is not None and (known is None or digest(known) != given["compareDigest"]):
        errors.append(
            (
                path,
                "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value.",
                "STALE_OBJECT",
            )
        )
    if errors or type_ is None or value is None:
        raise UserErrors(*errors)
    if known is not None:
        known.type, known.value, known.updated_at = type_, value, ctx.now
        return ctx.state.metafields.put(known)
    return ctx.state.metafields.put(
        Metafield(
            id=ctx.state.new_id("Metafield"), shop=ctx.shop.subdomain, owner_type=owner_type, owner_id=owner_id,
            namespace=namespace, key=key, type=type_, value=value, created_at=ctx.now, updated_at=ctx.now,
        )
    )  # fmt: skip


def owner(ctx: Context, text: str) -> tuple[str, int, Owner] | None:
    """(type, digits, object) of a global id that can own metafields in this shop."""
    kind, digits = split(text)
    item: Owner | None
    match kind:
        case "Order":
            item = ctx.state.orders.get(digits)
        case "Customer":
            item = ctx.state.customers.get(digits)
        case "Product":
            item = ctx.state.products.get(digits)
        case "ProductVariant":
            item = ctx.state.variants.get(digits)
        case "Shop":
            item = ctx.shop if digits == ctx.shop.id else None
        case _:
            item = None
    if item is None or (not isinstance(item, Shop) and item.shop != ctx.shop.subdomain):
        return None
    return kind, digits, item


def touch(ctx: Context, item: Owner) -> None:
    """An object whose metafields or tags changed was updated, and says so."""
    if isinstance(item, Order):
        item.updated_at = ctx.now
        ctx.state.put_order(item)
        events.order(ctx, item, "orders/updated")
    elif isinstance(item, Customer):
        item.updated_at = ctx.now
        ctx.state.put_customer(item)
        events.customer(ctx, item, "customers/update")


def metafields_set(ctx: Context, args: Args) -> dict[str, Any]:
    """All or none of up to 25; each owner is touched once."""
    given: Sequence[Input] = args["metafields"]
    if len(given) > MOST:
        raise UserErrors(
            (["metafields"], f"Exceeded the maximum metafields input limit of {MOST}.", "LESS_THAN_OR_EQUAL_TO")
        )
    written: list[Metafield] = []
    touched: dict[str, Owner] = {}
    for index, one in enumerate(given):
        path = ["metafields", str(index)]
        found = owner(ctx, one["ownerId"])
        if found is None:
            raise UserErrors(([*path, "ownerId"], "Owner does not exist.", "INVALID"))
        written.append(put(ctx, found[0], found[1], one, path))
        touched.setdefault(gid(found[0], found[1]), found[2])
    for item in touched.values():
        touch(ctx, item)
    return {"metafields": written}


def metafields_delete(ctx: Context, args: Args) -> dict[str, Any]:
    """Answers null at the place of a metafield that was not there."""
    deleted: list[Input | None] = []
    touched: dict[str, Owner] = {}
    for index, one in enumerate(args["metafields"]):
        found = owner(ctx, one["ownerId"])
        if found is None:
            raise UserErrors((["metafields", str(index), "ownerId"], "Owner does not exist.", "INVALID"))
        item = find(ctx, found[0], found[1], one["namespace"], one["key"])
        if item is None:
            deleted.append(None)
            continue
        ctx.state.metafields.delete(item.id)
        deleted.append({"ownerId": one["ownerId"], "namespace": item.namespace, "key": item.key})
        touched.setdefault(one["ownerId"], found[2])
    for item in touched.values():
        touch(ctx, item)
    return {"deletedMetafields": deleted}
