"""webhookSubscriptionCreate, Update, Delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.shopify.context import Args, Context, mine
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.gid import gid
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.model import Subscription

Input = Mapping[str, Any]
PATH = ["webhookSubscription"]
# Compliance topics are set in the app, never through the API.
APP_ONLY = frozenset({"CUSTOMERS_DATA_REQUEST", "CUSTOMERS_REDACT", "SHOP_REDACT"})
NOT_DELIVERED = ("arn:", "pubsub://")


def topic_header(topic: str) -> str:
    """ORDERS_PARTIALLY_FULFILLED -> orders/partially_fulfilled."""
    for kind in ("fulfillment_orders", "customer_groups", "app_subscriptions", "bulk_operations"):
        if topic.lower().startswith(kind + "_"):
            return f"{kind}/{topic.lower()[len(kind) + 1 :]}"
    kind, _, what = topic.lower().partition("_")
    return f"{kind}/{what}"


def _uri(given: Input) -> str:
    """The address to call. Plain http is taken too, which the vendor refuses: receivers here are on loopback."""
    uri: str | None = given.get("uri") or given.get("callbackUrl")
    if not uri:
        raise UserErrors(([*PATH, "uri"], "Address can't be blank", None))
    if uri.startswith(NOT_DELIVERED):
        raise UserErrors(([*PATH, "uri"], "Address kind is not available in the sandbox; use an http(s) address", None))
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserErrors(([*PATH, "uri"], "Address is invalid", None))
    return uri


def subscription_create(ctx: Context, args: Args) -> dict[str, Any]:
    topic, given = args["topic"], args["webhookSubscription"]
    if topic in APP_ONLY:
        raise UserErrors((["topic"], "Topic is not available through the API; set it in the app's configuration", None))
    uri = _uri(given)
    known = ctx.state.subscriptions.find("topic", f"{ctx.shop.subdomain}:{topic}")
    if any(one.uri == uri and one.filter == given.get("filter") for one in known):
        raise UserErrors(([*PATH, "uri"], "Address for this topic has already been taken", None))
    if given.get("format") == "XML":
        raise UserErrors(([*PATH, "format"], "XML is not available in the sandbox", None))
    item = Subscription(
        id=ctx.state.new_id("WebhookSubscription"),
        shop=ctx.shop.subdomain,
        topic=topic,
        uri=uri,
        created_at=ctx.now,
        updated_at=ctx.now,
        include_fields=list(given.get("includeFields") or []),
        metafield_namespaces=list(given.get("metafieldNamespaces") or []),
        filter=given.get("filter"),
        name=given.get("name"),
    )
    ctx.state.subscriptions.put(item)
    return {"webhookSubscription": item}


def _existing(ctx: Context, text: str) -> Subscription:
    digits = gid_number(text, "WebhookSubscription")
    found = mine(ctx, ctx.state.subscriptions.get(digits)) if digits is not None else None
    if found is None:
        raise UserErrors((["id"], "Webhook subscription does not exist", None))
    return found


def subscription_update(ctx: Context, args: Args) -> dict[str, Any]:
    item, given = _existing(ctx, args["id"]), args["webhookSubscription"]
    if given.get("uri") or given.get("callbackUrl"):
        item.uri = _uri(given)
    if given.get("includeFields") is not None:
        item.include_fields = list(given["includeFields"])
    if "filter" in given:
        item.filter = given["filter"]
    if "name" in given:
        item.name = given["name"]
    item.updated_at = ctx.now
    ctx.state.subscriptions.put(item)
    return {"webhookSubscription": item}


def subscription_delete(ctx: Context, args: Args) -> dict[str, Any]:
    item = _existing(ctx, args["id"])
    ctx.state.subscriptions.delete(item.id)
    return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", item.id)}
