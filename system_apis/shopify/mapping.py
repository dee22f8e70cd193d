"""Shopify's words and ours: every table, and the pure functions that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from strata.canonical.common import Address, VendorRef
from strata.canonical.money import Money, zero
from strata.canonical.orders import (
    ChannelCustomer,
    ChannelOrder,
    ChannelOrderLine,
    ChannelOrderTotals,
    ChannelPayment,
    ChannelShippingLine,
    Discount,
    FinancialState,
    FraudRisk,
    FulfilmentState,
    TaxLine,
)
from strata.contracts.system.channel_fulfilments import ChannelFulfilment, NewFulfilment, OpenLine, Tracking
from strata.contracts.system.channel_orders import ChannelOrderHead
from strata.errors import StrataError
from system_apis.shopify import wire

V = TypeVar("V")

FINANCIAL_STATE: Final[Mapping[str, FinancialState]] = {
    "PENDING": "pending",
    "AUTHORIZED": "authorized",
    "PARTIALLY_PAID": "partially_paid",
    "PAID": "paid",
    "PARTIALLY_REFUNDED": "partially_refunded",
    "REFUNDED": "refunded",
    "VOIDED": "voided",
    "EXPIRED": "expired",
}
FULFILMENT_STATE: Final[Mapping[str, FulfilmentState]] = {
    "UNFULFILLED": "unfulfilled",
    "OPEN": "unfulfilled",
    "SCHEDULED": "unfulfilled",
    "PENDING_FULFILLMENT": "unfulfilled",
    "IN_PROGRESS": "unfulfilled",
    "PARTIALLY_FULFILLED": "partially_fulfilled",
    "FULFILLED": "fulfilled",
    "ON_HOLD": "on_hold",
    "FULFILLMENT_NOT_REQUIRED": "not_required",
    "RESTOCKED": "other",
    "REQUEST_DECLINED": "other",
}
FRAUD_RISK: Final[Mapping[str, FraudRisk]] = {
    "NONE": "none",
    "ACCEPT": "low",
    "INVESTIGATE": "medium",
    "CANCEL": "high",
}
OPEN_FULFILMENT_ORDERS: Final = frozenset({"OPEN", "IN_PROGRESS", "SCHEDULED", "INCOMPLETE", "ON_HOLD"})
"""Statuses of a fulfilment order that still has something to ship."""
TOPICS: Final[Mapping[str, str]] = {
    "orders/create": "created",
    "orders/updated": "updated",
    "orders/paid": "paid",
    "orders/cancelled": "cancelled",
}
"""Webhook topic -> what happened to the channel order."""
METAFIELDS: Final = "strata"
ORDER_LINK: Final = ("erp_order_id", "erp_order_number")
CUSTOMER_LINK: Final = "erp_customer_id"
TAG_PREFIX: Final = "erp:"
MAX_TAG: Final = 40
"""Longest tag of an order (Shopify's own limit)."""


def looked_up(table: Mapping[str, V], value: str, what: str) -> V:
    """A value of a table. Raises StrataError naming the value that the table lacks: never a silent None."""
    try:
        return table[value]
    except KeyError:
        raise StrataError(f"Shopify's {what} {value!r} is not in our table") from None


def gid(kind: str, digits: str) -> str:
    """`gid://shopify/Order/42`."""
    return f"gid://shopify/{kind}/{digits}"


def digits(global_id: str) -> str:
    """The digits of a global id."""
    return global_id.rpartition("/")[2].partition("?")[0]


def order_key(shop: str, order_id: str) -> str:
    """Our key of an order; the ERP keeps it as its external id."""
    return f"sh:{shop}:order:{order_id}"


def customer_key(shop: str, customer_id: str) -> str:
    """Our key of a customer."""
    return f"sh:{shop}:customer:{customer_id}"


def money(bag: wire.MoneyBag) -> Money:
    """The amount in the currency that the customer was charged in."""
    return Money(bag.presentment_money.amount, bag.presentment_money.currency_code)


def _money_or_zero(bag: wire.MoneyBag | None, currency: str) -> Money:
    return zero(currency) if bag is None else money(bag)


def _taxes(lines: Iterable[wire.TaxLine]) -> tuple[TaxLine, ...]:
    return tuple(TaxLine(t.title, t.rate or money(t.price_set).amount * 0, money(t.price_set)) for t in lines)


def _discounts(allocations: Iterable[wire.DiscountAllocation]) -> tuple[Discount, ...]:
    found = (
        Discount(money(a.allocated_amount_set), a.discount_application.code, a.discount_application.title)
        for a in allocations
    )
    return tuple(discount for discount in found if discount.amount)


def _address(address: wire.MailingAddress | None) -> Address | None:
    if address is None:
        return None
    return Address(
        country=address.country_code_v2 or "ZZ",  # ISO 3166's own code for an unknown country; ZZ is never routed
        first_name=address.first_name or "",
        last_name=address.last_name or "",
        company=address.company or "",
        line1=address.address1 or "",
        line2=address.address2 or "",
        city=address.city or "",
        region=address.province_code or "",
        postal_code=address.zip or "",
        phone=address.phone or "",
    )


def _edited(order: wire.Order, lines: Iterable[wire.LineItem]) -> bool:
    """Whether pieces were taken off the order. A cancelled order has none left, and is told as it was ordered."""
    return order.cancelled_at is None and any(line.current_quantity < line.quantity for line in lines)


def _totals(order: wire.Order, *, edited: bool) -> ChannelOrderTotals:
    """What the order comes to: as it is now where pieces were taken off, else as it was ordered."""
    currency = order.presentment_currency_code
    if edited:
        return ChannelOrderTotals(
            subtotal=money(order.current_subtotal_price_set),
            discounts=money(order.current_total_discounts_set),
            shipping=money(order.total_shipping_price_set),
            tax=money(order.current_total_tax_set),
            total=money(order.current_total_price_set),
        )
    return ChannelOrderTotals(
        subtotal=_money_or_zero(order.subtotal_price_set, currency),
        discounts=_money_or_zero(order.total_discounts_set, currency),
        shipping=money(order.total_shipping_price_set),
        tax=_money_or_zero(order.total_tax_set, currency),
        total=money(order.total_price_set),
    )


def _left(amount: Money, line: wire.LineItem, quantity: int) -> Money:
    """The part of a line's discount or tax that falls on the pieces that are left: Shopify tells it for all pieces."""
    if quantity == line.quantity:
        return amount
    return (amount * (Decimal(quantity) / line.quantity)).rounded()


def _line(line: wire.LineItem, *, edited: bool) -> ChannelOrderLine:
    quantity = line.current_quantity if edited else line.quantity
    title = f"{line.title} - {line.variant_title}" if line.variant_title else line.title
    return ChannelOrderLine(
        id=digits(line.id),
        title=title,
        quantity=quantity,
        unit_price=money(line.original_unit_price_set),
        sku=line.sku or "",
        discounts=tuple(
            Discount(_left(d.amount, line, quantity), d.code, d.title) for d in _discounts(line.discount_allocations)
        ),
        taxes=tuple(TaxLine(t.title, t.rate, _left(t.amount, line, quantity)) for t in _taxes(line.tax_lines)),
        taxable=line.taxable,
        requires_shipping=line.requires_shipping,
        gift_card=line.is_gift_card,
        properties={a.key: a.value or "" for a in line.custom_attributes},
    )


def _shipping(line: wire.ShippingLine) -> ChannelShippingLine:
    return ChannelShippingLine(
        title=line.title,
        price=money(line.original_price_set),
        code=line.code or "",
        discounts=_discounts(line.discount_allocations),
        taxes=_taxes(line.tax_lines),
    )


def _customer(order: wire.Order) -> ChannelCustomer | None:
    entity = order.purchasing_entity
    company = entity.company.name if entity is not None and entity.company is not None else ""
    known = order.customer
    if known is None:
        address = order.billing_address or order.shipping_address
        if address is None and not order.email:
            return None
        return ChannelCustomer(
            email=order.email or "",
            first_name=(address.first_name if address else None) or "",
            last_name=(address.last_name if address else None) or "",
            company=company,
            phone=order.phone or "",
        )
    email, phone = known.default_email_address, known.default_phone_number
    return ChannelCustomer(
        id=digits(known.id),
        email=(email.email_address if email else order.email) or "",
        first_name=known.first_name or "",
        last_name=known.last_name or "",
        company=company,
        phone=(phone.phone_number if phone else order.phone) or "",
        tax_exempt=known.tax_exempt,
        erp_id=known.erp_customer_id.value if known.erp_customer_id else "",
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def channel_order(order: wire.Order, lines: Iterable[wire.LineItem], *, shop: str, connection: str) -> ChannelOrder:
    """An order with all its lines, in presentment money, as the house speaks of it.

    Pieces that were removed or refunded are not on it any more: a line without any left has the quantity 0.
    """
    order_id = digits(order.id)
    found = tuple(lines)
    edited = _edited(order, found)
    return ChannelOrder(
        key=order_key(shop, order_id),
        ref=VendorRef(
            connection, "shopify", order_id, _iso(order.updated_at),
            f"https://admin.shopify.com/store/{shop}/orders/{order_id}",
        ),
        shop=shop,
        number=order.name,
        created_at=order.created_at,
        updated_at=order.updated_at,
        currency=order.presentment_currency_code,
        shop_currency=order.currency_code,
        financial_state=looked_up(FINANCIAL_STATE, order.display_financial_status or "PENDING", "financial status"),
        fulfilment_state=looked_up(FULFILMENT_STATE, order.display_fulfillment_status, "fulfilment status"),
        totals=_totals(order, edited=edited),
        lines=tuple(_line(line, edited=edited) for line in found),
        customer=_customer(order),
        billing_address=_address(order.billing_address),
        shipping_address=_address(order.shipping_address),
        shipping_lines=tuple(
            _shipping(line) for line in order.shipping_lines.nodes if not line.is_removed
        ),
        payments=tuple(
            ChannelPayment(digits(t.id), t.kind.lower(), t.status.lower(), t.gateway or "", money(t.amount_set))
            for t in order.transactions
        ),
        discount_codes=order.discount_codes,
        taxes_included=order.taxes_included,
        test=order.test,
        fraud_risk=looked_up(FRAUD_RISK, order.risk.recommendation, "risk recommendation"),
        channel=order.source_name or "",
        b2b=order.purchasing_entity is not None and order.purchasing_entity.typename == "PurchasingCompany",
        tags=order.tags,
        note=order.note or "",
        po_number=order.po_number or "",
        attributes={a.key: a.value or "" for a in order.custom_attributes},
        cancelled_at=order.cancelled_at,
        erp_order_id=order.erp_order_id.value if order.erp_order_id else "",
        erp_order_number=order.erp_order_number.value if order.erp_order_number else "",
    )  # fmt: skip


def order_head(head: wire.OrderHead, shop: str) -> ChannelOrderHead:
    """Enough of an order to know whether we have it."""
    linked = head.erp_order_id.value if head.erp_order_id else ""
    return ChannelOrderHead(order_key(shop, digits(head.id)), head.name, head.updated_at, linked)


def metafield(owner: str, key: str, value: str) -> dict[str, str]:
    """A `MetafieldsSetInput`."""
    return {
        "ownerId": owner,
        "namespace": METAFIELDS,
        "key": key,
        "type": "single_line_text_field",
        "value": value,
    }


def open_lines(order: wire.FulfillmentOrder, lines: Iterable[wire.FulfillmentOrderLine]) -> tuple[OpenLine, ...]:
    """What of a fulfilment order is still to be shipped; nothing of a closed or cancelled one."""
    if order.status not in OPEN_FULFILMENT_ORDERS:
        return ()
    place = order.assigned_location.location
    return tuple(
        OpenLine(
            order_line_id=digits(line.line_item.id),
            fulfilment_order_id=digits(order.id),
            fulfilment_order_line_id=digits(line.id),
            remaining=line.remaining_quantity,
            sku=line.sku or "",
            location_id=digits(place.id) if place else "",
        )
        for line in lines
        if line.remaining_quantity > 0
    )


def fulfilment(found: wire.Fulfillment, lines: Iterable[wire.FulfillmentLine]) -> ChannelFulfilment:
    """A fulfilment that Shopify holds."""
    quantities: dict[str, int] = {}
    for line in lines:
        key = digits(line.line_item.id)
        quantities[key] = quantities.get(key, 0) + (line.quantity or 0)
    return ChannelFulfilment(
        id=digits(found.id),
        status=found.status.lower(),
        created_at=found.created_at,
        lines=quantities,
        tracking_numbers=tuple(t.number for t in found.tracking_info if t.number),
        carrier=next((t.company for t in found.tracking_info if t.company), ""),
    )


def tracking_input(tracking: Tracking) -> dict[str, object]:
    """A `FulfillmentTrackingInput`; what is not known is left out."""
    found: dict[str, object] = {}
    if tracking.carrier:
        found["company"] = tracking.carrier
    if tracking.numbers:
        found["numbers"] = list(tracking.numbers)
    if tracking.urls:
        found["urls"] = list(tracking.urls)
    return found


def fulfilment_input(shipment: NewFulfilment) -> dict[str, object]:
    """A `FulfillmentInput`: the lines grouped by fulfilment order."""
    groups: dict[str, list[dict[str, object]]] = {}
    for line in shipment.lines:
        entry: dict[str, object] = {
            "id": gid("FulfillmentOrderLineItem", line.fulfilment_order_line_id),
            "quantity": line.quantity,
        }
        groups.setdefault(line.fulfilment_order_id, []).append(entry)
    found: dict[str, object] = {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": gid("FulfillmentOrder", key), "fulfillmentOrderLineItems": lines}
            for key, lines in groups.items()
        ],
        "notifyCustomer": shipment.notify_customer,
    }
    tracking = tracking_input(shipment.tracking)
    if tracking:
        found["trackingInfo"] = tracking
    return found
