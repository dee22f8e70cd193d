"""What the shop remembers. Ids are the digits of global ids; amounts are Bags; times tz-aware UTC whole seconds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from sandbox.shopify.money import Bag


class Pair(msgspec.Struct, array_like=True):
    """A name and a value: note attributes, line item properties."""

    name: str
    value: str | None = None


class Address(msgspec.Struct, omit_defaults=True):
    """country and province are names; the codes are ISO 3166. id: of a customer's address."""

    id: int = 0
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    zip: str | None = None
    phone: str | None = None

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class Shop(msgspec.Struct):
    id: int
    subdomain: str
    name: str
    email: str
    owner: str
    currency: str
    presentment: list[str]
    taxes_included: bool
    timezone: str
    utc_offset: str
    address: Address
    created_at: datetime
    plan: str = "Shopify Plus"

    @property
    def domain(self) -> str:
        return f"{self.subdomain}.myshopify.com"


class Location(msgspec.Struct):
    id: int
    shop: str
    name: str
    code: str
    address: Address
    created_at: datetime
    active: bool = True


class Product(msgspec.Struct):
    id: int
    shop: str
    title: str
    handle: str
    vendor: str
    product_type: str
    variant_ids: list[int]
    created_at: datetime
    updated_at: datetime
    gift_card: bool = False
    status: str = "ACTIVE"
    description_html: str = ""
    tags: list[str] = []
    option_name: str = "Title"


class Variant(msgspec.Struct):
    """A variant and its inventory item. stock: location id -> {"available": n, "committed": n}."""

    id: int
    shop: str
    product_id: int
    product_title: str
    vendor: str
    inventory_item_id: int
    title: str
    sku: str | None
    barcode: str | None
    price: Decimal
    grams: int
    position: int
    requires_shipping: bool
    tracked: bool
    created_at: datetime
    updated_at: datetime
    gift_card: bool = False
    taxable: bool = True
    prices: dict[str, Decimal] = {}
    stock: dict[int, dict[str, int]] = {}


class Customer(msgspec.Struct):
    id: int
    shop: str
    created_at: datetime
    updated_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    tags: list[str] = []
    state: str = "DISABLED"
    tax_exempt: bool = False
    verified_email: bool = True
    locale: str = "en"
    addresses: list[Address] = []
    default_address_id: int | None = None
    orders_count: int = 0
    total_spent: Decimal = Decimal(0)
    last_order_id: int | None = None
    multipass_identifier: str | None = None

    @property
    def name(self) -> str:
        full = " ".join(part for part in (self.first_name, self.last_name) if part)
        return full or self.email or self.phone or ""

    @property
    def default_address(self) -> Address | None:
        return next((a for a in self.addresses if a.id == self.default_address_id), None)


class Tax(msgspec.Struct):
    title: str
    rate: Decimal
    price: Bag
    channel_liable: bool | None = False


class Allocation(msgspec.Struct):
    """A part of the discount `application` (index into the order's applications)."""

    amount: Bag
    application: int


class Application(msgspec.Struct):
    """A discount code on the order. value_type: fixed_amount | percentage. target: line_item | shipping_line."""

    code: str
    value_type: str
    value: Decimal
    target: str
    amount: Bag


class Line(msgspec.Struct):
    """quantity: as ordered; current_quantity: after removals; fulfillable_quantity: not yet fulfilled or removed."""

    id: int
    title: str
    quantity: int
    current_quantity: int
    fulfillable_quantity: int
    price: Bag
    requires_shipping: bool
    taxable: bool
    gift_card: bool
    grams: int = 0
    variant_id: int | None = None
    product_id: int | None = None
    sku: str | None = None
    variant_title: str | None = None
    vendor: str | None = None
    fulfillment_service: str = "manual"
    properties: list[Pair] = []
    taxes: list[Tax] = []
    allocations: list[Allocation] = []

    @property
    def name(self) -> str:
        return f"{self.title} - {self.variant_title}" if self.variant_title else self.title

    @property
    def original_total(self) -> Bag:
        return self.price * self.quantity

    @property
    def discount(self) -> Bag:
        return sum((a.amount for a in self.allocations), self.price.zero())

    @property
    def fulfilled_quantity(self) -> int:
        return self.current_quantity - self.fulfillable_quantity


class ShippingLine(msgspec.Struct):
    id: int
    title: str
    price: Bag
    code: str | None = None
    source: str | None = None
    taxes: list[Tax] = []
    allocations: list[Allocation] = []

    @property
    def discount(self) -> Bag:
        return sum((a.amount for a in self.allocations), self.price.zero())


class Transaction(msgspec.Struct):
    id: int
    kind: str
    status: str
    gateway: str
    amount: Bag
    created_at: datetime
    processed_at: datetime
    test: bool = False
    parent_id: int | None = None
    authorization: str | None = None
    gift_card_id: int | None = None
    location_id: int | None = None
    receipt: str = "{}"


class Totals(msgspec.Struct):
    """The sums of an order as it was placed. shipping: before discounts; discounts: on lines and shipping."""

    lines: Bag
    discounts: Bag
    subtotal: Bag
    shipping: Bag
    shipping_discount: Bag
    tax: Bag
    total: Bag
    weight_grams: int


class Order(msgspec.Struct):
    id: int
    shop: str
    number: int
    order_number: int
    name: str
    currency: str
    presentment_currency: str
    created_at: datetime
    updated_at: datetime
    processed_at: datetime
    totals: Totals
    lines: list[Line]
    shipping_lines: list[ShippingLine]
    taxes: list[Tax]
    applications: list[Application]
    transactions: list[Transaction]
    financial_status: str
    fulfillment_status: str
    taxes_included: bool
    token: str
    confirmation_number: str
    source_name: str
    tags: list[str] = []
    note: str | None = None
    attributes: list[Pair] = []
    email: str | None = None
    phone: str | None = None
    customer_id: int | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    po_number: str | None = None
    source_identifier: str | None = None
    source_url: str | None = None
    referring_site: str | None = None
    test: bool = False
    buyer_accepts_marketing: bool = False
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    user_id: int | None = None
    location_id: int | None = None
    risk: str = "ACCEPT"
    fulfillment_count: int = 0

    def zero(self) -> Bag:
        return self.totals.total.zero()


class Of(NamedTuple):
    """A part of an order together with the order. kind: its GraphQL type."""

    order: Order
    item: Any
    kind: str


class FulfillmentOrderLine(msgspec.Struct):
    id: int
    line_id: int
    total: int
    remaining: int


class FulfillmentOrder(msgspec.Struct):
    id: int
    shop: str
    order_id: int
    location_id: int
    status: str
    request_status: str
    lines: list[FulfillmentOrderLine]
    created_at: datetime
    updated_at: datetime


class FulfillmentLine(msgspec.Struct):
    id: int
    line_id: int
    fulfillment_order_id: int
    fulfillment_order_line_id: int
    quantity: int


class Fulfillment(msgspec.Struct):
    id: int
    shop: str
    order_id: int
    location_id: int
    name: str
    status: str
    display_status: str
    lines: list[FulfillmentLine]
    created_at: datetime
    updated_at: datetime
    company: str | None = None
    numbers: list[str] = []
    urls: list[str] = []


class Notification(msgspec.Struct):
    """A mail to a customer that the shop would have sent. kind: shipping_confirmation, shipping_update, ..."""

    id: int
    shop: str
    kind: str
    order_id: int
    sent_at: datetime
    email: str | None = None
    fulfillment_id: int | None = None


class Metafield(msgspec.Struct):
    """owner_type: the GraphQL type of the owner, such as Order; owner_id: its digits."""

    id: int
    shop: str
    owner_type: str
    owner_id: int
    namespace: str
    key: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime


class GiftCard(msgspec.Struct):
    id: int
    shop: str
    initial: Decimal
    balance: Decimal
    currency: str
    last_characters: str
    created_at: datetime
    updated_at: datetime
    customer_id: int | None = None
    order_id: int | None = None
    note: str | None = None
    expires_on: str | None = None
    deactivated_at: datetime | None = None


class Subscription(msgspec.Struct):
    """topic: as the enum, ORDERS_CREATE. last_success_at: when a delivery last went through."""

    id: int
    shop: str
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    format: str = "JSON"
    include_fields: list[str] = []
    metafield_namespaces: list[str] = []
    filter: str | None = None
    name: str | None = None
    api_version: str = "2026-10"
    last_success_at: datetime | None = None


class Delivery(msgspec.Struct):
    """One webhook on its way. status: pending | delivered | failed (given up) | lost (by a fault, never sent).

    webhook_id stays the same on retries and for a duplicate; event_id is shared by all webhooks of one action.
    """

    id: int
    shop: str
    subscription_id: int
    topic: str
    uri: str
    webhook_id: str
    event_id: str
    triggered_at: datetime
    body: str
    name: str | None = None
    status: str = "pending"
    attempts: int = 0
    next_at: datetime | None = None
    last_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None


class AccessToken(msgspec.Struct):
    """A token of the client-credentials grant. digest: SHA-256 of it."""

    digest: str
    shop: str
    scopes: list[str]
    expires_at: datetime
