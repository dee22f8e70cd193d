"""The two backends as an outsider sees them: only their vendor APIs, with clients that share nothing with the product.

A shopper's side of Shopify (Admin GraphQL) and a bookkeeper's and warehouse clerk's side of NetSuite (SuiteTalk REST
with token-based authentication). `control` reaches the sandbox's control API for faults, clocks and counts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

ORDER_CREATE = """
mutation place($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
  orderCreate(order: $order, options: $options) {
    order { id name legacyResourceId totalPriceSet { shopMoney { amount currencyCode }
            presentmentMoney { amount currencyCode } } }
    userErrors { field message }
  }
}
"""
ORDER = """
query order($id: ID!) {
  order(id: $id) {
    id name tags displayFinancialStatus displayFulfillmentStatus
    totalPriceSet { presentmentMoney { amount currencyCode } shopMoney { amount currencyCode } }
    erpId: metafield(namespace: "strata", key: "erp_order_id") { value }
    erpNumber: metafield(namespace: "strata", key: "erp_order_number") { value }
    lineItems(first: 100) { nodes { id sku quantity } }
    fulfillments(first: 50) { id status trackingInfo { number company url }
      fulfillmentLineItems(first: 100) { nodes { quantity lineItem { id sku } } } }
  }
}
"""
VARIANTS = """
query variants($after: String) {
  productVariants(first: 100, after: $after) { nodes { id sku price } pageInfo { hasNextPage endCursor } }
}
"""
MARK_PAID = """
mutation paid($input: OrderMarkAsPaidInput!) { orderMarkAsPaid(input: $input) { order { id } userErrors { message } } }
"""


class ShopifyAdmin:
    """Admin GraphQL of one shop."""

    def __init__(self, info: dict[str, Any], shop: str | None = None) -> None:
        self.shop = (shop or info["shop"]).partition(".")[0]
        shops = {s["shop"].partition(".")[0]: s for s in info.get("shops", [])}
        chosen = shops.get(self.shop, {})
        token = chosen.get("access_token") or info["auth"]["access_token"]["token"]
        self._control = info["control_url"]
        self._http = httpx.Client(
            base_url=chosen.get("base_url") or info["base_url"], headers={"X-Shopify-Access-Token": token}, timeout=30
        )

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self._http.post("/admin/api/2026-10/graphql.json", json={"query": query, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    def place(self, order: dict[str, Any]) -> dict[str, Any]:
        """Place an order and answer it: id, name, legacyResourceId, totalPriceSet."""
        made = self.graphql(ORDER_CREATE, order=order)["orderCreate"]
        assert not made["userErrors"], made["userErrors"]
        return made["order"]

    def order(self, gid: str) -> dict[str, Any]:
        return self.graphql(ORDER, id=gid)["order"]

    def mark_paid(self, gid: str) -> None:
        made = self.graphql(MARK_PAID, input={"id": gid})["orderMarkAsPaid"]
        assert not made["userErrors"], made["userErrors"]

    def variants(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = self.graphql(VARIANTS, after=after)["productVariants"]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self._control}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def key_of(shop: str, order: dict[str, Any]) -> str:
    """Our key of a Shopify order."""
    return f"sh:{shop}:order:{order['legacyResourceId']}"


class NetSuite:
    """SuiteTalk REST with token-based authentication, signed here by hand (RFC 5849)."""

    def __init__(self, info: dict[str, Any]) -> None:
        self._tba = info["auth"]["tba"]
        self._base = info["base_url"]
        self._control = info["control_url"]
        self._http = httpx.Client(timeout=60)

    def _authorization(self, method: str, url: str) -> str:
        def pct(text: str) -> str:
            return quote(text, safe="-._~")

        parts = urlsplit(url)
        oauth = {
            "oauth_consumer_key": self._tba["consumer_key"],
            "oauth_token": self._tba["token_id"],
            "oauth_nonce": secrets.token_hex(16),
            "oauth_timestamp": str(int(time.time())),
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_version": "1.0",
        }
        pairs = [*oauth.items(), *parse_qsl(parts.query, keep_blank_values=True)]
        encoded = "&".join(f"{k}={v}" for k, v in sorted((pct(k), pct(v)) for k, v in pairs))
        base = f"{method}&{pct(f'{parts.scheme}://{parts.netloc}{parts.path}')}&{pct(encoded)}"
        key = f"{pct(self._tba['consumer_secret'])}&{pct(self._tba['token_secret'])}"
        digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
        oauth["oauth_signature"] = base64.b64encode(digest).decode()
        fields = ", ".join(f'{k}="{pct(v)}"' for k, v in oauth.items())
        return f'OAuth realm="{self._tba["realm"]}", {fields}'

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        url = f"{self._base}/services/rest/{path}"
        for attempt in range(60):
            signed = {"Authorization": self._authorization(method, url), **(headers or {})}
            answer = self._http.request(method, url, json=body, headers=signed)
            if answer.status_code != 429:
                return answer
            time.sleep(0.05 * (attempt + 1))
        raise AssertionError("NetSuite is throttling us for ever")

    def get(self, path: str) -> Any:
        answer = self.request("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return json.loads(answer.text, parse_float=Decimal)

    def suiteql(self, query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        offset = 0
        while True:
            answer = self.request(
                "POST", f"query/v1/suiteql?limit=1000&offset={offset}", {"q": query}, {"Prefer": "transient"}
            )
            assert answer.status_code == 200, answer.text
            page = answer.json()
            rows += page["items"]
            if not page["hasMore"]:
                return rows
            offset += 1000

    def order(self, key: str) -> dict[str, Any] | None:
        """The sales order with this external id, lines expanded, or None."""
        answer = self.request("GET", f"record/v1/salesOrder/eid:{quote(key, safe=':')}?expandSubResources=true")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def orders_by_key(self) -> dict[str, list[dict[str, Any]]]:
        """All sales orders: external id -> rows (more than one would be a duplicate)."""
        rows = self.suiteql(
            "SELECT id, externalid, tranid, foreigntotal FROM transaction WHERE type = 'SalesOrd' ORDER BY id"
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row.get("externalid", ""), []).append(row)
        return found

    def fulfil(self, order_id: str, lines: list[dict[str, Any]] | None = None, tracking: str = "") -> str:
        """Ship an order (or some of its lines) as a warehouse clerk does; answers the fulfilment's id."""
        body: dict[str, Any] = {"shipStatus": {"id": "C"}}
        if lines is not None:
            body["item"] = {"items": lines}
        if tracking:
            body["package"] = {"items": [{"packageTrackingNumber": tracking, "packageWeight": 1}]}
        answer = self.request("POST", f"record/v1/salesOrder/{order_id}/!transform/itemFulfillment", body)
        assert answer.status_code == 204, answer.text
        return answer.headers["location"].rsplit("/", 1)[1]

    def patch(self, path: str, body: Any) -> None:
        answer = self.request("PATCH", f"record/v1/{path}", body)
        assert answer.status_code == 204, answer.text

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self._control}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None
