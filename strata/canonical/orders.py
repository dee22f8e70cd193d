"""Orders: as a sales channel tells them, as an ERP takes them, and the status that all layers speak of."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from strata.canonical.common import Address, CountryCode, OrderKey, Sku, Timestamp, VendorRef
from strata.canonical.money import Currency, Money

Quantity = Annotated[int, Meta(gt=0)]
FinancialState = Literal[
    "pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired"
]
FulfilmentState = Literal["unfulfilled", "partially_fulfilled", "fulfilled", "on_hold", "not_required", "other"]
FraudRisk = Literal["none", "low", "medium", "high"]


class OrderStatus(StrEnum):
    """How far an order has come, in ascending rank; a lower rank never overwrites a higher one."""

    RECEIVED = "received"
    QUEUED = "queued"
    ON_HOLD = "on_hold"
    ACCEPTED = "accepted"
    IN_FULFILMENT = "in_fulfilment"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    BILLED = "billed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class TaxLine(Struct, frozen=True, omit_defaults=True):
    """One tax on a line or on shipping, as the source charged it."""

    title: str
    rate: Decimal
    """0.19 for 19 %."""
    amount: Money


class Discount(Struct, frozen=True, omit_defaults=True):
    """The share of a discount that fell on one line; positive lowers the price. Taken from the source as it is."""

    amount: Money
    code: str = ""
    title: str = ""


class ChannelOrderLine(Struct, frozen=True, omit_defaults=True):
    """One line of a channel order; `unit_price` before discounts, with tax when the order's taxes are included."""

    id: str
    title: str
    quantity: Annotated[int, Meta(ge=0)]
    unit_price: Money
    sku: str = ""
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    taxable: bool = True
    requires_shipping: bool = True
    gift_card: bool = False
    properties: dict[str, str] = {}


class ChannelShippingLine(Struct, frozen=True, omit_defaults=True):
    """One shipping charge."""

    title: str
    price: Money
    code: str = ""
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxLine, ...] = ()


class ChannelPayment(Struct, frozen=True, omit_defaults=True):
    """One transaction of a channel order."""

    id: str
    kind: str
    """authorization, capture, sale, refund, void, ..."""
    status: str
    """success, pending, failure, error."""
    gateway: str
    amount: Money


class ChannelCustomer(Struct, frozen=True, omit_defaults=True):
    """Who bought, as the channel knows it."""

    id: str = ""
    """The channel's own customer id, digits only; empty for a guest."""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    tax_exempt: bool = False
    erp_id: str = ""
    """Id that was written back to the channel's customer record earlier, if any (matching chain step 1)."""


class ChannelOrderTotals(Struct, frozen=True):
    """What the source says the order comes to, in the order's currency. `total` is what the customer owes."""

    subtotal: Money
    """Lines after discounts, without shipping; with tax when taxes are included."""
    discounts: Money
    shipping: Money
    tax: Money
    total: Money


class ChannelOrder(Struct, frozen=True, omit_defaults=True):
    """An order as a sales channel (a web shop) holds it, in the currency the customer was charged in."""

    key: OrderKey
    ref: VendorRef
    shop: str
    """Subdomain of the shop."""
    number: str
    """What the shopper sees, e.g. `#1001`."""
    created_at: Timestamp
    updated_at: Timestamp
    currency: Currency
    """The currency the customer was charged in (presentment)."""
    shop_currency: Currency
    financial_state: FinancialState
    fulfilment_state: FulfilmentState
    totals: ChannelOrderTotals
    lines: tuple[ChannelOrderLine, ...]
    customer: ChannelCustomer | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    shipping_lines: tuple[ChannelShippingLine, ...] = ()
    payments: tuple[ChannelPayment, ...] = ()
    discount_codes: tuple[str, ...] = ()
    taxes_included: bool = False
    test: bool = False
    fraud_risk: FraudRisk = "none"
    channel: str = ""
    """The source's channel name, e.g. `web`, `pos`."""
    b2b: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""
    po_number: str = ""
    attributes: dict[str, str] = {}
    cancelled_at: Timestamp | None = None
    erp_order_id: str = ""
    """What was written back already."""
    erp_order_number: str = ""


class SalesOrderLine(Struct, frozen=True, omit_defaults=True):
    """One line for the ERP; amounts net of tax. A discount is a line of its own with a negative amount."""

    kind: Literal["item", "discount", "shipping", "rounding", "gift_card"]
    item_id: str
    """The ERP's id of the item."""
    quantity: int
    amount: Money
    """Quantity times price, net of tax; negative for a discount."""
    key: str = ""
    """The source's line id, for later amendments."""
    sku: str = ""
    description: str = ""
    tax_code: str = ""
    """The ERP's id of the tax code; empty = not taxable."""
    tax_rate: Decimal = Decimal(0)
    tax: Money | None = None
    """The tax that the source charged on this line."""


class SalesOrder(Struct, frozen=True, omit_defaults=True):
    """A sales order for an ERP: priced, taxed, routed and ready; the ERP re-prices nothing."""

    key: OrderKey
    number: str
    """The shopper-visible number."""
    ordered_at: Timestamp
    currency: Currency
    customer_id: str
    """The ERP's id of the customer."""
    selling_entity: str
    """NetSuite subsidiary, SAP sales organisation: the ERP's id."""
    lines: tuple[SalesOrderLine, ...]
    expected_total: Money
    """What the ERP must come to, tax included, to the minor unit."""
    location: str = ""
    """Warehouse, the ERP's id."""
    form: str = ""
    terms: str = ""
    department: str = ""
    channel_class: str = ""
    shipping_method: str = ""
    """The ERP's id of the shipping method."""
    shipping_cost: Money | None = None
    shipping_tax_code: str = ""
    shipping_tax: Money | None = None
    po_number: str = ""
    memo: str = ""
    email: str = ""
    billing_address: Address | None = None
    shipping_address: Address | None = None


class OrderRef(Struct, frozen=True, omit_defaults=True):
    """A sales order as the ERP keeps it."""

    key: str
    ref: VendorRef
    number: str
    """The ERP's own number, e.g. `SO-1042`."""
    total: Money
    status: OrderStatus
    created: bool = False
    """Whether this call made it (False: it was there already)."""


class ShipmentLine(Struct, frozen=True):
    """How much of one article left in a shipment."""

    sku: Sku
    quantity: Quantity
    order_line: str
    """The ERP's line number of the sales order; two lines may carry the same SKU."""


class Shipment(Struct, frozen=True, omit_defaults=True):
    """A fulfilment of a sales order: what left the warehouse, and how to follow it."""

    ref: VendorRef
    order_key: str
    """Our key of the order: the external id the ERP holds."""
    order_number: str
    shipped_at: Timestamp
    updated_at: Timestamp
    lines: tuple[ShipmentLine, ...]
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    tracking_urls: tuple[str, ...] = ()
    status: Literal["picked", "packed", "shipped"] = "shipped"


class Place(Struct, frozen=True, omit_defaults=True):
    """Where an order was placed, as routing looks at it."""

    shop: str
    country: CountryCode | Literal[""] = ""
    currency: str = ""
    channel: str = ""
    b2b: bool = False
    tags: tuple[str, ...] = ()
