"""The shop itself, the app, webhook subscriptions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.shopify.context import Args, Context, FieldTable
from sandbox.shopify.engine.schema import VERSION, access_scopes
from sandbox.shopify.gid import gid
from sandbox.shopify.model import Shop, Subscription
from sandbox.shopify.resolve.common import (
    attribute,
    connection_types,
    constant,
    has_metafields,
    member,
    members,
    own_id,
)

VERSIONS = (("2026-01", True), ("2026-04", True), ("2026-07", True), (VERSION, True))


def all_scopes() -> list[str]:
    """Every access scope that anything in the schema asks for."""
    return sorted({scope for _, scopes in access_scopes().values() for scope in scopes})


def _offset_minutes(source: Shop, ctx: Context, _args: Args) -> int:
    offset = ctx.now.astimezone(ZoneInfo(source.timezone)).utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)


def _offset(source: Shop, ctx: Context, _args: Args) -> str:
    return ctx.now.astimezone(ZoneInfo(source.timezone)).strftime("%z")


def _domain(source: Shop, _ctx: Context, _args: Args) -> dict[str, Any]:
    return {
        "id": gid("Domain", source.id),
        "host": source.domain,
        "url": f"https://{source.domain}",
        "sslEnabled": True,
    }


def _version(handle: str) -> dict[str, Any]:
    return {"handle": handle, "displayName": handle, "supported": True}


def _installation(_source: Any, ctx: Context, _args: Args) -> dict[str, Any]:
    scopes = [{"handle": s, "description": s.replace("_", " ").capitalize()} for s in all_scopes()]
    app = {
        "id": "gid://shopify/App/580111",
        "title": "Strata",
        "handle": "strata",
        "apiKey": "strata",
        "embedded": False,
    }
    return {"id": gid("AppInstallation", ctx.shop.id), "accessScopes": scopes, "app": app}


def _endpoint(source: Subscription, _ctx: Context, _args: Args) -> dict[str, Any]:
    return {"__type": "WebhookHttpEndpoint", "callbackUrl": source.uri}


def versions(_source: Any, _ctx: Context, _args: Args) -> list[dict[str, Any]]:
    return [_version(handle) for handle, _ in VERSIONS]


installation = _installation
SHOP: FieldTable = {
    "Shop": {
        **has_metafields("Shop"),
        "id": own_id("Shop"),
        "name": attribute("name"),
        "email": attribute("email"),
        "contactEmail": attribute("email"),
        "shopOwnerName": attribute("owner"),
        "myshopifyDomain": attribute("domain"),
        "primaryDomain": _domain,
        "url": lambda s, _c, _a: f"https://{s.domain}",
        "currencyCode": attribute("currency"),
        "enabledPresentmentCurrencies": lambda s, _c, _a: [s.currency, *s.presentment],
        "taxesIncluded": attribute("taxes_included"),
        "taxShipping": constant(False),
        "ianaTimezone": attribute("timezone"),
        "timezoneAbbreviation": lambda s, c, _a: c.now.astimezone(ZoneInfo(s.timezone)).tzname(),
        "timezoneOffset": _offset,
        "timezoneOffsetMinutes": _offset_minutes,
        "weightUnit": constant("KILOGRAMS"),
        "unitSystem": constant("METRIC_SYSTEM"),
        "plan": attribute("plan"),
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("created_at"),
        "billingAddress": attribute("address"),
        "shopAddress": attribute("address"),
        "orderNumberFormatPrefix": constant("#"),
        "orderNumberFormatSuffix": constant(""),
        "description": constant(None),
        "setupRequired": constant(False),
        "checkoutApiSupported": constant(True),
        "transactionalSmsDisabled": constant(False),
        "marketingSmsConsentEnabledAtCheckout": constant(False),
        "shipsToCountries": lambda s, _c, _a: ["US", "CA"] if s.currency == "USD" else ["DE", "FR", "GB"],
    },
    "ShopAddress": {
        "id": own_id("ShopAddress"),
        "address1": attribute("address1"),
        "address2": attribute("address2"),
        "city": attribute("city"),
        "company": attribute("company"),
        "country": attribute("country"),
        "countryCodeV2": attribute("country_code"),
        "phone": attribute("phone"),
        "province": attribute("province"),
        "provinceCode": attribute("province_code"),
        "zip": attribute("zip"),
    },
    "ShopPlan": {
        "displayName": lambda s, _c, _a: s,
        "publicDisplayName": constant("Plus"),
        "partnerDevelopment": constant(False),
        "shopifyPlus": constant(True),
    },
    "Domain": members("id", "host", "url", "sslEnabled"),
    "ApiVersion": members("handle", "displayName", "supported"),
    "AppInstallation": {"id": member("id"), "accessScopes": member("accessScopes"), "app": member("app")},
    "App": members("id", "title", "handle", "apiKey", "embedded"),
    "AccessScope": members("handle", "description"),
    "WebhookSubscription": {
        "id": own_id("WebhookSubscription"),
        "legacyResourceId": attribute("id"),
        "topic": attribute("topic"),
        "uri": attribute("uri"),
        "callbackUrl": attribute("uri"),
        "endpoint": _endpoint,
        "format": attribute("format"),
        "filter": attribute("filter"),
        "name": attribute("name"),
        "includeFields": attribute("include_fields"),
        "metafieldNamespaces": attribute("metafield_namespaces"),
        "apiVersion": lambda s, _c, _a: _version(s.api_version),
        "createdAt": attribute("created_at"),
        "updatedAt": attribute("updated_at"),
    },
    "WebhookHttpEndpoint": members("callbackUrl"),
    **connection_types("WebhookSubscription"),
}
