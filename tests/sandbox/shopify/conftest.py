from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from sandbox.core import control
from sandbox.core.app import VendorApp
from sandbox.core.server import load
from sandbox.core.vendor import Urls
from sandbox.shopify.vendor import Shopify

URLS = Urls("http://shopify.test", "https://shopify.test", "ca.pem", "http://shopify.test/_sandbox")

CREATE = """
mutation Create($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
  orderCreate(order: $order, options: $options) {
    userErrors { field message code }
    order {
      id legacyResourceId name email phone note tags poNumber test sourceName sourceIdentifier taxesIncluded
      currencyCode presentmentCurrencyCode processedAt createdAt updatedAt
      displayFinancialStatus displayFulfillmentStatus
      customAttributes { key value }
      totalPriceSet { ...bag } subtotalPriceSet { ...bag } totalTaxSet { ...bag } totalDiscountsSet { ...bag }
      totalShippingPriceSet { ...bag } totalOutstandingSet { ...bag } totalReceivedSet { ...bag }
      customer { id displayName numberOfOrders defaultEmailAddress { emailAddress } }
      shippingAddress { name city countryCodeV2 country provinceCode province zip }
      billingAddress { city }
      lineItems(first: 20) { nodes {
        id sku title name variantTitle quantity requiresShipping isGiftCard fulfillableQuantity
        customAttributes { key value }
        originalUnitPriceSet { ...bag } originalTotalSet { ...bag }
        discountAllocations { allocatedAmountSet { ...bag } discountApplication { index ... on DiscountCodeApplication { code } } }
        taxLines { title rate priceSet { ...bag } }
      } }
      shippingLines(first: 5) { nodes { title code originalPriceSet { ...bag } discountedPriceSet { ...bag } taxLines { priceSet { ...bag } } } }
      taxLines { title rate priceSet { ...bag } }
      transactions { id kind status gateway amountSet { ...bag } }
      fulfillmentOrders(first: 3) { nodes { id status assignedLocation { location { id } } lineItems(first: 20) { nodes { id remainingQuantity sku } } } }
    }
  }
}
fragment bag on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
"""  # noqa: E501


class Client:
    """Speaks GraphQL and control to one shop of the sandbox."""

    def __init__(self, http: httpx.AsyncClient, vendor: Shopify, shop: str = "northwind-us") -> None:
        self.http = http
        self.vendor = vendor
        self.token = vendor.auth.tokens[shop]

    def of(self, shop: str) -> Client:
        return Client(self.http, self.vendor, shop)

    async def raw(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        return await self.http.post(
            "/admin/api/2026-10/graphql.json",
            json={"query": query, "variables": variables, **more},
            headers={"X-Shopify-Access-Token": self.token},
        )

    async def answer(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        response = await self.raw(query, variables, **more)
        assert response.status_code == 200, response.text
        return response.json()

    async def data(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self.answer(query, variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def rest(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(
            f"/admin/api/2026-10/{path}", params=params, headers={"X-Shopify-Access-Token": self.token}
        )

    async def control(self, path: str, body: Any = None) -> Any:
        response = await self.http.post(f"/_sandbox/{path}", json={} if body is None else body)
        assert response.status_code < 300, response.text
        return response.json()

    async def state(self, kind: str, **params: Any) -> list[dict[str, Any]]:
        return (await self.http.get(f"/_sandbox/state/{kind}", params={"limit": 10_000, **params})).json()["items"]

    async def variant(self, sku: str) -> str:
        found = await self.data(
            "query($q: String) { productVariants(first: 1, query: $q) { nodes { id } } }", {"q": f"sku:'{sku}'"}
        )
        return found["productVariants"]["nodes"][0]["id"]

    async def create(self, options: dict[str, Any] | None = None, **order: Any) -> dict[str, Any]:
        """orderCreate that must succeed; one custom line of 10.00 unless lines are given."""
        given = {"lineItems": [custom("A", "10.00")], **order}
        payload = (await self.data(CREATE, {"order": given, "options": options}))["orderCreate"]
        assert payload["userErrors"] == []
        return payload["order"]

    async def refused(self, **order: Any) -> list[dict[str, Any]]:
        """The user errors of an orderCreate that must not succeed."""
        payload = (await self.data(CREATE, {"order": order}))["orderCreate"]
        assert payload["order"] is None
        return payload["userErrors"]


def money(amount: str, currency: str = "USD") -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def custom(sku: str, price: str, quantity: int = 1, currency: str = "USD", **more: Any) -> dict[str, Any]:
    line = {"title": sku.title(), "sku": sku, "quantity": quantity, "priceSet": money(price, currency)}
    return {**line, "requiresShipping": True, **more}


@pytest.fixture(scope="session")
def loaded() -> Shopify:
    """One simulator per test process: the schema takes most of a second to build."""
    vendor = load("shopify", None)
    assert isinstance(vendor, Shopify)
    return vendor


@pytest.fixture
async def vendor(loaded: Shopify) -> AsyncIterator[Shopify]:
    control.reset(loaded, control.Reset())
    loaded.context.requests.clear()
    await loaded.start(URLS)
    yield loaded
    await loaded.stop()


@pytest.fixture
async def shop(vendor: Shopify) -> AsyncIterator[Client]:
    transport = httpx.ASGITransport(app=VendorApp(vendor))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shopify.test", timeout=30) as http:
        yield Client(http, vendor)


class Receiver:
    """An HTTP endpoint that notes what arrives. `statuses` are given out in turn, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.delay_s = 0.0
        self.url = ""
        self._changed = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")[1:-2]
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status = self.statuses.pop(0) if self.statuses else 200
                self.got.append((headers, body))
                self._changed.set()
                await asyncio.sleep(self.delay_s)
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def wait(self, count: int, timeout_s: float = 10) -> list[tuple[dict[str, str], bytes]]:
        async def enough() -> None:
            while len(self.got) < count:
                self._changed.clear()
                await self._changed.wait()

        try:
            await asyncio.wait_for(enough(), timeout_s)
        except TimeoutError:
            pytest.fail(f"{len(self.got)} webhooks of {count} came: {[h['x-shopify-topic'] for h, _ in self.got]}")
        return self.got


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield receiver
    server.close()


@pytest.fixture
def subscribe(shop: Client, receiver: Receiver) -> Callable[..., Any]:
    async def subscribe(*topics: str, **more: Any) -> list[str]:
        ids: list[str] = []
        for topic in topics:
            payload = (
                await shop.data(
                    """mutation($topic: WebhookSubscriptionTopic!, $of: WebhookSubscriptionInput!) {
                         webhookSubscriptionCreate(topic: $topic, webhookSubscription: $of) {
                           webhookSubscription { id } userErrors { field message } } }""",
                    {"topic": topic, "of": {"uri": receiver.url, "format": "JSON", **more}},
                )
            )["webhookSubscriptionCreate"]
            assert payload["userErrors"] == []
            ids.append(payload["webhookSubscription"]["id"])
        return ids

    return subscribe
