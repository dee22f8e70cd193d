"""A shopper in the sandbox's shop: reads what is sold, places orders through the vendor's Admin GraphQL.

Only the vendor's own interface is used, as any program of a merchant would; what the ERP sells is read from the
sandbox's control API, so that the demonstration shows orders that can be delivered.
"""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx
from msgspec import Struct

from strata.errors import Missing, StrataError

API = "/admin/api/2026-10/graphql.json"
SHOP_QUERY = "query { shop { currencyCode taxesIncluded myshopifyDomain } }"
VARIANTS_QUERY = """
query variants($after: String) {
  productVariants(first: 100, after: $after) {
    nodes { id sku price product { title } } pageInfo { hasNextPage endCursor }
  }
}"""
PLACE = """
mutation place($order: OrderCreateOrderInput!) {
  orderCreate(order: $order) {
    order { id name legacyResourceId totalPriceSet { shopMoney { amount currencyCode } } }
    userErrors { field message }
  }
}"""

FIRST_NAMES = ("Ada", "Ben", "Chloe", "Dmitri", "Elif", "Farid", "Greta", "Hana", "Ivo", "Jun", "Kofi", "Lena")
LAST_NAMES = ("Abbott", "Baker", "Costa", "Dorn", "Eze", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kaya", "Lund")


class Place(Struct, frozen=True):
    """Where an order goes, and the tax the shop takes there."""

    city: str
    zip: str
    country: str
    province: str | None
    tax_title: str
    tax_rate: Decimal


PLACES = {
    "USD": (
        Place("San Francisco", "94105", "US", "CA", "California State Tax", Decimal("0.0725")),
        Place("Los Angeles", "90012", "US", "CA", "California State Tax", Decimal("0.0725")),
    ),
    "EUR": (
        Place("Hamburg", "20457", "DE", None, "DE MwSt", Decimal("0.19")),
        Place("Berlin", "10115", "DE", None, "DE MwSt", Decimal("0.19")),
    ),
}
CENT = Decimal("0.01")


class Variant(Struct, frozen=True):
    """One article of the shop."""

    id: str
    sku: str
    title: str
    price: Decimal


class Placed(Struct, frozen=True):
    """An order that the shop has accepted."""

    key: str
    gid: str
    number: str
    total: str
    currency: str


def subdomain(shop: dict[str, Any]) -> str:
    """`acme` of a shop that is told as `acme` or `acme.myshopify.com`."""
    return str(shop["shop"]).partition(".")[0]


class Shop:
    """One shop of the sandbox. Use it as an asynchronous context manager."""

    def __init__(self, sandbox: dict[str, dict[str, Any]], name: str | None) -> None:
        """Raises Missing for a shop that is not there."""
        if "shopify" not in sandbox:
            raise Missing("The sandbox has no shop")
        shopify = sandbox["shopify"]
        shops = {subdomain(s): s for s in shopify.get("shops", [])}
        self.name = name or subdomain(shopify)
        if self.name not in shops:
            raise Missing(f"There is no shop {self.name}; there are: {', '.join(shops)}")
        self._erp_control = str(sandbox.get("netsuite", {}).get("control_url", ""))
        self._http = httpx.AsyncClient(
            base_url=str(shops[self.name].get("base_url") or shopify["base_url"]),
            headers={"X-Shopify-Access-Token": str(shops[self.name]["access_token"])},
            timeout=30,
            trust_env=False,
        )

    async def __aenter__(self) -> Shop:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def _graphql(self, query: str, **variables: object) -> dict[str, Any]:
        answer = await self._http.post(API, json={"query": query, "variables": variables})
        if answer.is_error:
            raise StrataError(f"The shop answered {answer.status_code}: {answer.text[:200]}")
        body: dict[str, Any] = answer.json()
        if "errors" in body:
            raise StrataError(f"The shop refused: {str(body['errors'])[:300]}")
        return body["data"]

    async def currency(self) -> tuple[str, bool]:
        """(currency, whether prices hold their tax)."""
        shop = (await self._graphql(SHOP_QUERY))["shop"]
        return str(shop["currencyCode"]), bool(shop["taxesIncluded"])

    async def variants(self) -> list[Variant]:
        """What is sold, as far as the ERP can deliver it."""
        found: list[Variant] = []
        after: str | None = None
        while True:
            page = (await self._graphql(VARIANTS_QUERY, after=after))["productVariants"]
            for node in page["nodes"]:
                product: dict[str, Any] = node.get("product") or {}
                title = str(product.get("title", ""))
                found.append(Variant(str(node["id"]), str(node["sku"] or ""), title, Decimal(str(node["price"]))))
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = str(page["pageInfo"]["endCursor"])
        deliverable = await self._deliverable()
        return [v for v in found if v.price > 0 and (deliverable is None or v.sku in deliverable)]

    async def _deliverable(self) -> set[str] | None:
        if not self._erp_control:
            return None
        url = f"{self._erp_control}/state/inventoryItem"
        answer = await self._http.get(url, params={"limit": 1000})
        if answer.is_error:
            return None
        document: dict[str, Any] = answer.json()
        records: list[dict[str, Any]] = document.get("items", [])
        return {str(r.get("itemId")) for r in records if not r.get("isInactive")}

    async def place(self, order: dict[str, Any]) -> Placed:
        """Place one order. Raises StrataError with the shop's words when it refuses."""
        made = (await self._graphql(PLACE, order=order))["orderCreate"]
        if made["userErrors"]:
            raise StrataError(f"The shop refused the order: {made['userErrors']}")
        placed, total = made["order"], made["order"]["totalPriceSet"]["shopMoney"]
        key = f"sh:{self.name}:order:{placed['legacyResourceId']}"
        return Placed(key, str(placed["id"]), str(placed["name"]), str(total["amount"]), str(total["currencyCode"]))


def compose(variants: list[Variant], currency: str, *, taxes_included: bool, rng: random.Random) -> dict[str, Any]:
    """An order as shoppers place them: one to four lines, tax on each, shipping, paid. Pure but for `rng`.

    Raises Missing when nothing is sold, or the currency is none of a shop we know places for.
    """
    if not variants:
        raise Missing("The shop sells nothing that the ERP can deliver")
    if currency not in PLACES:
        raise Missing(f"No places are known for a shop in {currency}")
    place = rng.choice(PLACES[currency])
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    email = f"{first}.{last}@example.com".lower()
    address = {
        "firstName": first,
        "lastName": last,
        "address1": f"{rng.randint(1, 200)} Market Street",
        "city": place.city,
        "zip": place.zip,
        "countryCode": place.country,
        **({"provinceCode": place.province} if place.province else {}),
    }
    chosen = rng.sample(variants, min(len(variants), rng.randint(1, 4)))
    lines = [_line(v, rng.randint(1, 3), place, currency, taxes_included=taxes_included) for v in chosen]
    shipping = {"title": "Standard", "priceSet": _money(Decimal("6.90"), currency)}
    return {
        "currency": currency,
        "taxesIncluded": taxes_included,
        "email": email,
        "financialStatus": "PAID",
        "lineItems": lines,
        "shippingLines": [shipping],
        "shippingAddress": address,
        "billingAddress": address,
        "customer": {"toUpsert": {"email": email, "firstName": first, "lastName": last}},
    }


def _line(variant: Variant, quantity: int, place: Place, currency: str, *, taxes_included: bool) -> dict[str, Any]:
    amount = variant.price * quantity
    tax = amount - amount / (1 + place.tax_rate) if taxes_included else amount * place.tax_rate
    tax_line = {
        "title": place.tax_title,
        "rate": str(place.tax_rate),
        "priceSet": _money(tax.quantize(CENT, ROUND_HALF_UP), currency),
    }
    return {
        "variantId": variant.id,
        "quantity": quantity,
        "requiresShipping": True,
        "priceSet": _money(variant.price, currency),
        "taxLines": [tax_line],
    }


def _money(amount: Decimal, currency: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": str(amount), "currencyCode": currency}}
