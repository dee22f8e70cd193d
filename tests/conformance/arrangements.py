"""What each backend needs to be put through the conformance suites: its connections, its world, and its words.

A backend joins by being installed and by having an arrangement here; a test refuses one without (test_offering.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol

import httpx

from strata.canonical.common import Address
from strata.canonical.customers import CustomerDraft
from strata.canonical.money import Money
from strata.canonical.orders import SalesOrder, SalesOrderLine
from strata.connections import Connection
from strata.contracts import Contract
from strata.contracts.system import (
    ChannelFulfilments,
    ChannelOrders,
    Customers,
    Fulfilments,
    Orders,
    Products,
)
from strata.contracts.system.products import ItemLookup
from tests.house import House
from tests.sandboxes import Sandbox, Vendor

Call = Callable[[Any], Awaitable[object]]
NOBODY = "999999999"


class Arrangement(Protocol):
    """A backend under test. `faulty` names its operations as the sandbox's faults do."""

    vendor: ClassVar[str]
    faulty_read: ClassVar[dict[type[Contract], str]]

    def connection(self, sandbox: Sandbox) -> Connection:
        """A connection that works."""
        ...

    def refused(self, sandbox: Sandbox) -> Connection:
        """A connection whose credential is not good."""
        ...

    def elsewhere(self, sandbox: Sandbox) -> Connection:
        """A connection to a port where nobody listens."""
        ...

    def control(self, sandbox: Sandbox) -> Vendor:
        """The simulated vendor."""
        ...


READS: dict[type[Contract], Call] = {
    ChannelOrders: lambda api: api.list_orders(updated_from=datetime(2026, 1, 1, tzinfo=UTC)),
    ChannelFulfilments: lambda api: api.get_state(NOBODY),
    Orders: lambda api: api.get_order("sh:none:order:1"),
    Customers: lambda api: api.find_customers(key="sh:none:customer:1"),
    Products: lambda api: api.find_items(body=ItemLookup(("NW-TRAI-S",), fresh=True)),
    Fulfilments: lambda api: api.list_fulfilments(updated_from=datetime(2026, 1, 1, tzinfo=UTC)),
}
"""One cheap read of each contract, to see how it fails."""


class Shopify:
    """Shopify's arrangement, for sales channels."""

    vendor: ClassVar[str] = "shopify"
    faulty_read: ClassVar[dict[type[Contract], str]] = {ChannelOrders: "orders", ChannelFulfilments: "order"}
    create_fulfilment: ClassVar[str] = "fulfillmentCreate"

    def connection(self, sandbox: Sandbox) -> Connection:
        return sandbox.shop()

    def refused(self, sandbox: Sandbox) -> Connection:
        return sandbox.shop(access_token="shpat_wrong")

    def elsewhere(self, sandbox: Sandbox) -> Connection:
        return sandbox.shop(base_url="http://127.0.0.1:1")

    def control(self, sandbox: Sandbox) -> Vendor:
        return sandbox.shopify

    def place_order(self, sandbox: Sandbox, **order: Any) -> str:
        """Have a shopper place an order; answers the channel's id of it."""
        given = {"lineItems": [line("NW-TRAI-S", "129.00", 3), line("NW-MAP-01", "12.50", 1)], **order}
        document = (
            "mutation($order: OrderCreateOrderInput!) { orderCreate(order: $order) {"
            " userErrors { field message } order { legacyResourceId } } }"
        )
        shop = sandbox.shop()
        answer = httpx.post(
            f"{sandbox.shopify.base_url}/admin/api/2026-10/graphql.json",
            json={"query": document, "variables": {"order": given}},
            headers={"x-shopify-access-token": shop.options["access_token"]},
            timeout=30,
            trust_env=False,
        ).json()
        payload = answer["data"]["orderCreate"]
        assert payload["userErrors"] == []
        return payload["order"]["legacyResourceId"]


def line(sku: str, price: str, quantity: int, currency: str = "USD", **more: Any) -> dict[str, Any]:
    """A custom line item of an orderCreate."""
    amount = {"shopMoney": {"amount": price, "currencyCode": currency}}
    return {"title": sku, "sku": sku, "quantity": quantity, "priceSet": amount, "requiresShipping": True, **more}


class NetSuite:
    """NetSuite's arrangement, for systems of record."""

    vendor: ClassVar[str] = "netsuite"
    faulty_read: ClassVar[dict[type[Contract], str]] = {
        Orders: "salesOrder:GET",
        Customers: "suiteql",
        Products: "suiteql",
        Fulfilments: "suiteql",
    }
    put_order: ClassVar[str] = "salesOrder:PUT"
    put_customer: ClassVar[str] = "customer:PUT"

    def connection(self, sandbox: Sandbox) -> Connection:
        return sandbox.erp()

    def refused(self, sandbox: Sandbox) -> Connection:
        good = sandbox.erp()
        return Connection(
            "erp", "netsuite", {**good.options, "auth": {**good.options["auth"], "token_secret": "wrong"}}
        )

    def elsewhere(self, sandbox: Sandbox) -> Connection:
        return sandbox.erp(base_url="http://127.0.0.1:1")

    def control(self, sandbox: Sandbox) -> Vendor:
        return sandbox.netsuite

    async def customer(self, house: House) -> str:
        """A customer of the American subsidiary who may buy in dollars; answers the system's id."""
        draft = self.draft()
        return (await house.system("erp", Customers).put_customer(draft.key, body=draft)).ref.id

    def draft(self) -> CustomerDraft:
        number = secrets.randbelow(10**9)
        place = Address("US", "Zoë", "O'Neill", "", "1 Main St", "", "Los Angeles", "CA", "90001", "+13105550100")
        return CustomerDraft(
            key=f"sh:northwind-us:customer:{number}",
            selling_entity="1",
            currency="USD",
            first_name="Zoë",
            last_name="O'Neill",
            email=f"zoe.{number}@example.com",
            billing_address=place,
            shipping_address=place,
        )

    async def order(self, house: House, **changed: Any) -> SalesOrder:
        """An order that the system can take."""
        customer = changed.pop("customer_id", None) or await self.customer(house)
        [item] = await house.system("erp", Products).find_items(body=ItemLookup(("NW-TRAI-S",)))
        number = secrets.randbelow(10**9)
        order = {
            "key": f"sh:northwind-us:order:{number}",
            "number": f"#{number}",
            "ordered_at": datetime.now(UTC),
            "currency": "USD",
            "customer_id": customer,
            "selling_entity": "1",
            "lines": (item_line(item.ref.id, "258.00", 2),),
            "expected_total": Money(Decimal("258.00"), "USD"),
        }
        return SalesOrder(**{**order, **changed})

    def fulfil(self, sandbox: Sandbox, key: str, **how: Any) -> str:
        """Have a warehouse clerk ship an order; answers the system's id of the fulfilment."""
        made = sandbox.netsuite.seed(fulfil={"externalId": key, **how})
        return made["fulfillments"][0]["id"]


def item_line(item_id: str, amount: str, quantity: int, currency: str = "USD", **more: Any) -> SalesOrderLine:
    """An item line without tax."""
    return SalesOrderLine("item", item_id, quantity, Money(Decimal(amount), currency), **more)


ARRANGEMENTS: dict[str, Arrangement] = {"shopify": Shopify(), "netsuite": NetSuite()}
