"""Shopify's payloads: of the GraphQL Admin API 2026-10, and of its webhooks (which have the shape of the REST API).

Only what is read is declared; members that Shopify adds do no harm. Amounts are decimal texts, `rate` is a JSON number
whose digits are kept.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

T = TypeVar("T")


class _Camel(Struct, frozen=True, rename="camel"):
    pass


# -- envelope ---------------------------------------------------------------------------------------------------------


class ThrottleStatus(_Camel, frozen=True):
    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(_Camel, frozen=True):
    requested_query_cost: float | None = None
    actual_query_cost: float | None = None
    throttle_status: ThrottleStatus | None = None


class Extensions(Struct, frozen=True):
    cost: Cost | None = None


class ErrorExtensions(_Camel, frozen=True):
    code: str = ""
    required_access: str = ""


class GraphqlError(Struct, frozen=True):
    message: str = ""
    extensions: ErrorExtensions | None = None


class Envelope(Struct, frozen=True):
    """What every answer of the GraphQL endpoint is. `errors` is a text where the gate in front of it refuses."""

    data: msgspec.Raw = msgspec.Raw()
    errors: list[GraphqlError] | str | None = None
    extensions: Extensions | None = None


class UserError(Struct, frozen=True):
    message: str
    field: list[str] | None = None
    code: str | None = None


# -- shared -----------------------------------------------------------------------------------------------------------


class MoneyV2(_Camel, frozen=True):
    amount: Decimal
    currency_code: str


class MoneyBag(_Camel, frozen=True):
    presentment_money: MoneyV2


class PageInfo(_Camel, frozen=True):
    has_next_page: bool
    end_cursor: str | None = None


class Connection(_Camel, Generic[T], frozen=True):
    nodes: tuple[T, ...]
    page_info: PageInfo = PageInfo(False)


class Id(Struct, frozen=True):
    id: str


class Metafield(Struct, frozen=True):
    value: str


class Attribute(Struct, frozen=True):
    key: str
    value: str | None = None


# -- orders -----------------------------------------------------------------------------------------------------------


class TaxLine(_Camel, frozen=True):
    title: str
    price_set: MoneyBag
    rate: Decimal | None = None


class DiscountApplication(Struct, frozen=True):
    code: str = ""
    title: str = ""


class DiscountAllocation(_Camel, frozen=True):
    allocated_amount_set: MoneyBag
    discount_application: DiscountApplication


class LineItem(_Camel, frozen=True):
    id: str
    title: str
    quantity: int
    """As ordered; what was removed or refunded since still counts, in the discounts and taxes too."""
    current_quantity: int
    original_unit_price_set: MoneyBag
    sku: str | None = None
    variant_title: str | None = None
    taxable: bool = True
    requires_shipping: bool = True
    is_gift_card: bool = False
    custom_attributes: tuple[Attribute, ...] = ()
    discount_allocations: tuple[DiscountAllocation, ...] = ()
    tax_lines: tuple[TaxLine, ...] = ()


class ShippingLine(_Camel, frozen=True):
    title: str
    original_price_set: MoneyBag
    code: str | None = None
    is_removed: bool = False
    discount_allocations: tuple[DiscountAllocation, ...] = ()
    tax_lines: tuple[TaxLine, ...] = ()


class Transaction(_Camel, frozen=True):
    id: str
    kind: str
    status: str
    amount_set: MoneyBag
    gateway: str | None = None


class MailingAddress(_Camel, frozen=True):
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province_code: str | None = None
    zip: str | None = None
    country_code_v2: str | None = msgspec.field(name="countryCodeV2", default=None)
    phone: str | None = None


class EmailAddress(_Camel, frozen=True):
    email_address: str


class PhoneNumber(_Camel, frozen=True):
    phone_number: str


class Customer(_Camel, frozen=True):
    id: str
    first_name: str | None = None
    last_name: str | None = None
    default_email_address: EmailAddress | None = None
    default_phone_number: PhoneNumber | None = None
    tax_exempt: bool = False
    erp_customer_id: Metafield | None = None


class Company(Struct, frozen=True):
    name: str


class PurchasingEntity(_Camel, frozen=True):
    typename: str = msgspec.field(name="__typename", default="")
    company: Company | None = None


class Risk(Struct, frozen=True):
    recommendation: str


class Order(_Camel, frozen=True, kw_only=True):
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None = None
    currency_code: str
    presentment_currency_code: str
    display_financial_status: str | None
    display_fulfillment_status: str
    taxes_included: bool
    test: bool
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    po_number: str | None = None
    source_name: str | None = None
    tags: tuple[str, ...] = ()
    discount_codes: tuple[str, ...] = ()
    custom_attributes: tuple[Attribute, ...] = ()
    subtotal_price_set: MoneyBag | None
    total_discounts_set: MoneyBag | None
    total_shipping_price_set: MoneyBag
    total_tax_set: MoneyBag | None
    total_price_set: MoneyBag
    current_subtotal_price_set: MoneyBag
    current_total_discounts_set: MoneyBag
    current_total_tax_set: MoneyBag
    current_total_price_set: MoneyBag
    risk: Risk
    customer: Customer | None = None
    purchasing_entity: PurchasingEntity | None = None
    billing_address: MailingAddress | None = None
    shipping_address: MailingAddress | None = None
    shipping_lines: Connection[ShippingLine]
    transactions: tuple[Transaction, ...] = ()
    line_items: Connection[LineItem]
    erp_order_id: Metafield | None = None
    erp_order_number: Metafield | None = None


class OrderData(Struct, frozen=True):
    order: Order | None


class OrderLines(_Camel, frozen=True):
    updated_at: datetime
    line_items: Connection[LineItem]


class OrderLinesData(Struct, frozen=True):
    order: OrderLines | None


class OrderHead(_Camel, frozen=True):
    id: str
    name: str
    updated_at: datetime
    erp_order_id: Metafield | None = None


class OrderHeadsData(Struct, frozen=True):
    orders: Connection[OrderHead]


class Payload(_Camel, frozen=True):
    """The part that every mutation's payload has."""

    user_errors: tuple[UserError, ...] = ()


class LinkOrderData(_Camel, frozen=True):
    metafields_set: Payload | None
    tags_add: Payload | None


class LinkCustomerData(_Camel, frozen=True):
    metafields_set: Payload | None


# -- fulfilment -------------------------------------------------------------------------------------------------------


class FulfillmentOrderLine(_Camel, frozen=True):
    id: str
    remaining_quantity: int
    line_item: Id
    sku: str | None = None


class AssignedLocation(Struct, frozen=True):
    location: Id | None = None


class FulfillmentOrder(_Camel, frozen=True):
    id: str
    status: str
    assigned_location: AssignedLocation
    line_items: Connection[FulfillmentOrderLine]


class TrackingInfo(Struct, frozen=True):
    company: str | None = None
    number: str | None = None
    url: str | None = None


class FulfillmentLine(_Camel, frozen=True):
    line_item: Id
    quantity: int | None = None


class Fulfillment(_Camel, frozen=True):
    id: str
    status: str
    created_at: datetime
    tracking_info: tuple[TrackingInfo, ...]
    fulfillment_line_items: Connection[FulfillmentLine]


class OpenOrder(_Camel, frozen=True):
    fulfillment_orders: Connection[FulfillmentOrder]


class OpenOrderData(Struct, frozen=True):
    order: OpenOrder | None


class FulfillmentOrderLines(_Camel, frozen=True):
    line_items: Connection[FulfillmentOrderLine]


class FulfillmentOrderLinesData(_Camel, frozen=True):
    fulfillment_order: FulfillmentOrderLines | None


class ShippedOrder(Struct, frozen=True):
    fulfillments: tuple[Fulfillment, ...]


class ShippedOrderData(Struct, frozen=True):
    order: ShippedOrder | None


class FulfillmentLines(_Camel, frozen=True):
    fulfillment_line_items: Connection[FulfillmentLine]


class FulfillmentLinesData(Struct, frozen=True):
    fulfillment: FulfillmentLines | None


class FulfillmentPayload(_Camel, frozen=True):
    fulfillment: Id | None = None
    user_errors: tuple[UserError, ...] = ()


class FulfillmentCreateData(_Camel, frozen=True):
    fulfillment_create: FulfillmentPayload | None


class TrackingUpdateData(_Camel, frozen=True):
    fulfillment_tracking_info_update: FulfillmentPayload | None


# -- shop and webhook subscriptions -----------------------------------------------------------------------------------


class Shop(Struct, frozen=True):
    name: str


class ShopData(Struct, frozen=True):
    shop: Shop


class WebhookSubscription(Struct, frozen=True):
    id: str
    topic: str
    uri: str


class WebhookSubscriptionsData(_Camel, frozen=True):
    webhook_subscriptions: Connection[WebhookSubscription]


class WebhookSubscriptionCreateData(_Camel, frozen=True):
    webhook_subscription_create: Payload | None


# -- webhooks (REST shape) --------------------------------------------------------------------------------------------


class OrderWebhook(Struct, frozen=True):
    """What is read of an order in a webhook. The content is never trusted further: the order is read again."""

    id: Annotated[int, Meta(gt=0)]
    name: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
    updated_at: Annotated[datetime, Meta(tz=True)]
