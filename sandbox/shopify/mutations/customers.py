"""customerCreate, customerUpdate, customerSet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.shopify import addresses, events
from sandbox.shopify.context import Args, Context, mine
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.model import Customer
from sandbox.shopify.mutations import metafields

Input = Mapping[str, Any]
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
PHONE = re.compile(r"\+?[\d\s().-]{5,20}")
MEMBERS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "phone": "phone",
    "note": "note",
    "taxExempt": "tax_exempt",
    "locale": "locale",
    "multipassIdentifier": "multipass_identifier",
}


def unique_tags(tags: Iterable[str]) -> list[str]:
    """Trimmed, without empty ones, each once whatever its case, sorted."""
    found: dict[str, str] = {}
    for tag in tags:
        for one in tag.split(","):
            if one.strip():
                found.setdefault(one.strip().lower(), one.strip())
    return sorted(found.values(), key=str.lower)


def save_customer(
    ctx: Context, known: Customer | None, given: Input, *, path: Sequence[str], announce: bool = True
) -> Customer:
    """Create or change a customer and send the webhook. Raises UserErrors; path: where the input sits."""
    _validate(ctx, known, given, path)
    item = known or Customer(
        id=ctx.state.new_id("Customer"), shop=ctx.shop.subdomain, created_at=ctx.now, updated_at=ctx.now
    )
    for name, member in MEMBERS.items():
        if name in given and (given[name] is not None or known is not None):
            setattr(item, member, given[name])
    if item.email:
        item.email = item.email.strip()
    if given.get("tags") is not None:
        item.tags = unique_tags(given["tags"])
    if given.get("addresses") is not None:
        found = [addresses.from_input(one, ctx.state.new_id("MailingAddress")) for one in given["addresses"]]
        item.addresses = [one for one in found if one is not None]
        item.default_address_id = item.addresses[0].id if item.addresses else None
    item.updated_at = ctx.now
    ctx.state.put_customer(item)
    metafields.set_on(ctx, "Customer", item.id, given.get("metafields") or [])
    if announce:
        events.customer(ctx, item, "customers/update" if known else "customers/create")
    return item


def _validate(ctx: Context, known: Customer | None, given: Input, path: Sequence[str]) -> None:
    errors: list[tuple[list[str] | None, str, str | None]] = []
    email, phone = given.get("email"), given.get("phone")
    if email and not EMAIL.fullmatch(email.strip()):
        errors.append(([*path, "email"], "Email is invalid", "INVALID"))
    if phone and not PHONE.fullmatch(phone):
        errors.append(([*path, "phone"], "Phone is invalid", "INVALID"))
    own = known.id if known else None
    for name, value in (("email", email.strip().lower() if email else None), ("phone", phone)):
        other = ctx.state.customers.first(name, f"{ctx.shop.subdomain}:{value}") if value else None
        if other is not None and other.id != own:
            errors.append(([*path, name], f"{name.capitalize()} has already been taken", "TAKEN"))
    if known is None and not any((email, phone, given.get("firstName"), given.get("lastName"))):
        errors.append((None, "A name, phone number, or email address must be present", "INVALID"))
    if errors:
        raise UserErrors(*errors)


def _existing(ctx: Context, text: str | None, path: list[str]) -> Customer:
    digits = gid_number(text, "Customer") if text else None
    found = mine(ctx, ctx.state.customers.get(digits)) if digits is not None else None
    if found is None:
        raise UserErrors((path, "Customer does not exist", "NOT_FOUND"))
    return found


def customer_create(ctx: Context, args: Args) -> dict[str, Any]:
    return {"customer": save_customer(ctx, None, args["input"], path=[])}


def customer_update(ctx: Context, args: Args) -> dict[str, Any]:
    known = _existing(ctx, args["input"].get("id"), ["id"])
    return {"customer": save_customer(ctx, known, args["input"], path=[])}


def customer_set(ctx: Context, args: Args) -> dict[str, Any]:
    """Create or update by id, e-mail, phone or custom id."""
    given: Input = args["input"]
    named: Input = args.get("identifier") or {}
    identifier: Input = {k: v for k, v in named.items() if v is not None}
    known: Customer | None = None
    values = dict(given)
    if "id" in identifier or given.get("id"):
        known = _existing(
            ctx, identifier.get("id") or given.get("id"), ["identifier" if "id" in identifier else "input", "id"]
        )
    elif "customId" in identifier:
        custom = identifier["customId"]
        owner = metafields.owner_of(ctx, "Customer", custom)
        known = mine(ctx, ctx.state.customers.get(owner)) if owner is not None else None
        if known is None:
            values["metafields"] = [*(given.get("metafields") or []), {**custom, "type": "id"}]
    else:
        for name in ("email", "phone"):
            value = identifier.get(name)
            if value is None:
                continue
            if (given.get(name) or "").lower() != value.lower():
                message = (
                    f"The identifier value does not match the value of the corresponding field in the input: {name}"
                )
                raise UserErrors((["input", name], message, "INPUT_MISMATCH"))
            known = ctx.state.customers.first(
                name, f"{ctx.shop.subdomain}:{value.lower() if name == 'email' else value}"
            )
    return {"customer": save_customer(ctx, known, values, path=["input"])}
