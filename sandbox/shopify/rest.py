"""Resources in the REST form of version 2026-10, which is also the form of webhook bodies.

Source: shopify.dev/docs/api/admin-rest (order, fulfillment, customer, shop), the fixtures of Shopify's Python client.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.shopify import totals
from sandbox.shopify.gid import gid
from sandbox.shopify.model import (
    Address,
    Allocation,
    Application,
    Customer,
    Fulfillment,
    Line,
    Order,
    ShippingLine,
    Shop,
    Tax,
    Transaction,
)
from sandbox.shopify.money import Bag, money_text
from sandbox.shopify.state import State

FULFILLMENT_STATUS = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}
SERVICE = "manual"
Json = dict[str, Any]


def time_text(when: datetime | None, shop: Shop) -> str | None:
    """In the shop's zone, as REST does: 2026-11-20T09:00:00-08:00."""
    return None if when is None else when.astimezone(ZoneInfo(shop.timezone)).isoformat()


def _shop_money(bag: Bag) -> str:
    return money_text(bag.shop, bag.currency)


def _set(bag: Bag) -> Json:
    return {
        "shop_money": {"amount": money_text(bag.shop, bag.currency), "currency_code": bag.currency},
        "presentment_money": {
            "amount": money_text(bag.presentment, bag.presentment_currency),
            "currency_code": bag.presentment_currency,
        },
    }


def address(item: Address | None) -> Json | None:
    if item is None:
        return None
    return {
        "first_name": item.first_name,
        "address1": item.address1,
        "phone": item.phone,
        "city": item.city,
        "zip": item.zip,
        "province": item.province,
        "country": item.country,
        "last_name": item.last_name,
        "address2": item.address2,
        "company": item.company,
        "latitude": None,
        "longitude": None,
        "name": item.name,
        "country_code": item.country_code,
        "province_code": item.province_code,
    }


def _customer_address(item: Address, owner: Customer) -> Json:
    body: Json = {"id": item.id, "customer_id": owner.id, **(address(item) or {})}
    for name in ("latitude", "longitude"):
        del body[name]
    return body | {"country_name": item.country, "default": item.id == owner.default_address_id}


def _tax(item: Tax) -> Json:
    return {
        "channel_liable": item.channel_liable,
        "price": _shop_money(item.price),
        "price_set": _set(item.price),
        "rate": float(item.rate),
        "title": item.title,
    }


def _allocation(item: Allocation) -> Json:
    return {
        "amount": _shop_money(item.amount),
        "amount_set": _set(item.amount),
        "discount_application_index": item.application,
    }


def _application(item: Application) -> Json:
    whole = item.value == item.value.to_integral_value()
    value = f"{item.value:.1f}" if whole else f"{item.value.normalize():f}"
    return {
        "target_type": item.target,
        "type": "discount_code",
        "value": value,
        "value_type": item.value_type,
        "allocation_method": "across",
        "target_selection": "all",
        "code": item.code,
    }


def _code(item: Application) -> Json:
    kind = "shipping" if item.target == "shipping_line" else item.value_type
    return {"code": item.code, "amount": _shop_money(item.amount), "type": kind}


def line(item: Line, quantity: int | None = None) -> Json:
    """quantity: of a fulfilment's line, where it differs from the order's."""
    done = item.fulfilled_quantity
    status = None if not done else "fulfilled" if not item.fulfillable_quantity else "partial"
    zero = item.price.zero()
    return {
        "id": item.id,
        "admin_graphql_api_id": gid("LineItem", item.id),
        "attributed_staffs": [],
        "current_quantity": item.current_quantity,
        "fulfillable_quantity": item.fulfillable_quantity,
        "fulfillment_service": item.fulfillment_service,
        "fulfillment_status": status,
        "gift_card": item.gift_card,
        "grams": item.grams,
        "name": item.name,
        "price": _shop_money(item.price),
        "price_set": _set(item.price),
        "product_exists": item.product_id is not None,
        "product_id": item.product_id,
        "properties": [{"name": p.name, "value": p.value} for p in item.properties],
        "quantity": item.quantity if quantity is None else quantity,
        "requires_shipping": item.requires_shipping,
        "sales_line_item_group_id": None,
        "sku": item.sku,
        "taxable": item.taxable,
        "title": item.title,
        # discounts of codes are allocated, never in total_discount
        "total_discount": _shop_money(zero),
        "total_discount_set": _set(zero),
        "variant_id": item.variant_id,
        "variant_inventory_management": "shopify" if item.variant_id else None,
        "variant_title": item.variant_title,
        "vendor": item.vendor,
        "tax_lines": [_tax(t) for t in item.taxes],
        "duties": [],
        "discount_allocations": [_allocation(a) for a in item.allocations],
    }


def _shipping_line(item: ShippingLine) -> Json:
    discounted = item.price - item.discount
    return {
        "id": item.id,
        "carrier_identifier": None,
        "code": item.code,
        "current_discounted_price_set": _set(discounted),
        "discounted_price": _shop_money(discounted),
        "discounted_price_set": _set(discounted),
        "is_removed": False,
        "phone": None,
        "price": _shop_money(item.price),
        "price_set": _set(item.price),
        "requested_fulfillment_service_id": None,
        "source": item.source,
        "title": item.title,
        "tax_lines": [_tax(t) for t in item.taxes],
        "discount_allocations": [_allocation(a) for a in item.allocations],
    }


def customer(shop: Shop, item: Customer) -> Json:
    """The body of customers/create and customers/update."""
    default = item.default_address
    return _customer_core(shop, item) | {
        "orders_count": item.orders_count,
        "total_spent": money_text(item.total_spent, shop.currency),
        "last_order_id": item.last_order_id,
        "last_order_name": None,
        "addresses": [_customer_address(a, item) for a in item.addresses],
        "default_address": _customer_address(default, item) if default else None,
    }


def _customer_core(shop: Shop, item: Customer) -> Json:
    return {
        "id": item.id,
        "admin_graphql_api_id": gid("Customer", item.id),
        "created_at": time_text(item.created_at, shop),
        "updated_at": time_text(item.updated_at, shop),
        "first_name": item.first_name,
        "last_name": item.last_name,
        "state": item.state.lower(),
        "note": item.note,
        "verified_email": item.verified_email,
        "multipass_identifier": item.multipass_identifier,
        "tax_exempt": item.tax_exempt,
        "email": item.email,
        "phone": item.phone,
        "currency": shop.currency,
        "tax_exemptions": [],
        "tags": ", ".join(item.tags),
        "email_marketing_consent": (
            {"state": "not_subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": None}
            if item.email
            else None
        ),
        "sms_marketing_consent": None,
    }


def _order_customer(shop: Shop, item: Customer) -> Json:
    default = item.default_address
    core = _customer_core(shop, item)
    return core | {"default_address": _customer_address(default, item) if default else None}


def fulfillment(shop: Shop, of: Order, item: Fulfillment) -> Json:
    """The body of fulfillments/create and fulfillments/update, and a member of an order's fulfillments."""
    lines = {one.id: one for one in of.lines}
    return {
        "id": item.id,
        "admin_graphql_api_id": gid("Fulfillment", item.id),
        "created_at": time_text(item.created_at, shop),
        "location_id": item.location_id,
        "name": item.name,
        "order_id": of.id,
        "origin_address": {},
        "receipt": {},
        "service": SERVICE,
        "shipment_status": None,
        "status": item.status.lower(),
        "tracking_company": item.company,
        "tracking_number": item.numbers[0] if item.numbers else None,
        "tracking_numbers": item.numbers,
        "tracking_url": item.urls[0] if item.urls else None,
        "tracking_urls": item.urls,
        "updated_at": time_text(item.updated_at, shop),
        "line_items": [line(lines[one.line_id], one.quantity) for one in item.lines],
    }


def fulfillment_event(shop: Shop, of: Order, item: Fulfillment) -> Json:
    """A fulfilment on its own carries the destination and the buyer's address too."""
    return fulfillment(shop, of, item) | {"email": of.email or "", "destination": address(of.shipping_address)}


def transaction(shop: Shop, of: Order, item: Transaction) -> Json:
    return {
        "id": item.id,
        "admin_graphql_api_id": gid("OrderTransaction", item.id),
        "order_id": of.id,
        "kind": item.kind.lower(),
        "gateway": item.gateway,
        "status": item.status.lower(),
        "message": None,
        "created_at": time_text(item.created_at, shop),
        "test": item.test,
        "authorization": item.authorization,
        "location_id": item.location_id,
        "user_id": None,
        "parent_id": item.parent_id,
        "processed_at": time_text(item.processed_at, shop),
        "device_id": None,
        "error_code": None,
        "source_name": of.source_name,
        "receipt": {},
        "amount": money_text(item.amount.presentment, item.amount.presentment_currency),
        "currency": item.amount.presentment_currency,
        "payment_id": f"{of.name}.{of.transactions.index(item) + 1}",
        "total_unsettled_set": _set(item.amount.zero()),
        "manual_payment_gateway": item.gateway == "manual",
    }


def order(state: State, shop: Shop, item: Order) -> Json:
    """The body of orders/* and of GET orders/{id}.json."""
    sums = item.totals
    zero = item.zero()
    buyer = state.customers.get(item.customer_id) if item.customer_id else None
    due = totals.outstanding(item)
    discounted_shipping = sums.shipping - sums.shipping_discount
    cancelled = item.cancelled_at is not None
    current = zero if cancelled else sums.total
    note_attributes = [{"name": a.name, "value": a.value} for a in item.attributes]
    return {
        "id": item.id,
        "admin_graphql_api_id": gid("Order", item.id),
        "app_id": 580111,
        "browser_ip": None,
        "buyer_accepts_marketing": item.buyer_accepts_marketing,
        "cancel_reason": item.cancel_reason.lower() if item.cancel_reason else None,
        "cancelled_at": time_text(item.cancelled_at, shop),
        "cart_token": None,
        "checkout_id": None,
        "checkout_token": None,
        "client_details": None,
        "closed_at": time_text(item.closed_at, shop),
        "confirmation_number": item.confirmation_number,
        "confirmed": True,
        "contact_email": item.email,
        "created_at": time_text(item.created_at, shop),
        "currency": item.currency,
        "current_shipping_price_set": _set(zero if cancelled else discounted_shipping),
        "current_subtotal_price": _shop_money(zero if cancelled else sums.subtotal),
        "current_subtotal_price_set": _set(zero if cancelled else sums.subtotal),
        "current_total_additional_fees_set": None,
        "current_total_discounts": _shop_money(zero if cancelled else sums.discounts),
        "current_total_discounts_set": _set(zero if cancelled else sums.discounts),
        "current_total_duties_set": None,
        "current_total_price": _shop_money(current),
        "current_total_price_set": _set(current),
        "current_total_tax": _shop_money(zero if cancelled else sums.tax),
        "current_total_tax_set": _set(zero if cancelled else sums.tax),
        "customer_locale": None,
        "device_id": None,
        "discount_codes": [_code(a) for a in item.applications],
        "duties_included": False,
        "email": item.email or "",
        "estimated_taxes": False,
        "financial_status": item.financial_status.lower(),
        "fulfillment_status": FULFILLMENT_STATUS.get(item.fulfillment_status),
        "landing_site": None,
        "landing_site_ref": None,
        "location_id": item.location_id,
        "merchant_business_entity_id": None,
        "merchant_of_record_app_id": None,
        "name": item.name,
        "note": item.note,
        "note_attributes": note_attributes,
        "number": item.number,
        "order_number": item.order_number,
        "order_status_url": f"https://{shop.domain}/{shop.id}/orders/{item.token}/authenticate?key={item.token[:16]}",
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        "payment_gateway_names": list(dict.fromkeys(t.gateway for t in item.transactions)),
        "phone": item.phone,
        "po_number": item.po_number,
        "presentment_currency": item.presentment_currency,
        "processed_at": time_text(item.processed_at, shop),
        "reference": item.source_identifier,
        "referring_site": item.referring_site,
        "source_identifier": item.source_identifier,
        "source_name": item.source_name,
        "source_url": item.source_url,
        "subtotal_price": _shop_money(sums.subtotal),
        "subtotal_price_set": _set(sums.subtotal),
        "tags": ", ".join(item.tags),
        "tax_exempt": bool(buyer and buyer.tax_exempt),
        "tax_lines": [_tax(t) for t in item.taxes],
        "taxes_included": item.taxes_included,
        "test": item.test,
        "token": item.token,
        "total_cash_rounding_payment_adjustment_set": _set(zero),
        "total_cash_rounding_refund_adjustment_set": _set(zero),
        "total_discounts": _shop_money(sums.discounts),
        "total_discounts_set": _set(sums.discounts),
        "total_line_items_price": _shop_money(sums.lines),
        "total_line_items_price_set": _set(sums.lines),
        "total_outstanding": _shop_money(due),
        "total_price": _shop_money(sums.total),
        "total_price_set": _set(sums.total),
        "total_shipping_price_set": _set(sums.shipping),
        "total_tax": _shop_money(sums.tax),
        "total_tax_set": _set(sums.tax),
        "total_tip_received": _shop_money(zero),
        "total_weight": sums.weight_grams,
        "updated_at": time_text(item.updated_at, shop),
        "user_id": item.user_id,
        "billing_address": address(item.billing_address),
        "customer": _order_customer(shop, buyer) if buyer else None,
        "discount_applications": [_application(a) for a in item.applications],
        "fulfillments": [fulfillment(shop, item, f) for f in state.fulfillments.find("order", item.id)]
        if item.fulfillment_count
        else [],
        "line_items": [line(one) for one in item.lines],
        "payment_terms": None,
        "refunds": [],
        "shipping_address": address(item.shipping_address),
        "shipping_lines": [_shipping_line(one) for one in item.shipping_lines],
    }


def shop(item: Shop) -> Json:
    """GET shop.json."""
    home = item.address
    return {
        "id": item.id,
        "name": item.name,
        "email": item.email,
        "domain": item.domain,
        "province": home.province,
        "country": home.country_code,
        "address1": home.address1,
        "zip": home.zip,
        "city": home.city,
        "source": None,
        "phone": home.phone,
        "latitude": None,
        "longitude": None,
        "primary_locale": "en",
        "address2": home.address2,
        "created_at": time_text(item.created_at, item),
        "updated_at": time_text(item.created_at, item),
        "country_code": home.country_code,
        "country_name": home.country,
        "currency": item.currency,
        "customer_email": item.email,
        "timezone": f"(GMT{item.utc_offset}) {item.timezone}",
        "iana_timezone": item.timezone,
        "shop_owner": item.owner,
        "money_format": "${{amount}}" if item.currency == "USD" else "€{{amount_with_comma_separator}}",
        "money_with_currency_format": f"{{{{amount}}}} {item.currency}",
        "weight_unit": "kg",
        "province_code": home.province_code,
        "taxes_included": item.taxes_included,
        "auto_configure_tax_inclusivity": None,
        "tax_shipping": None,
        "county_taxes": True,
        "plan_display_name": item.plan,
        "plan_name": "shopify_plus",
        "has_discounts": True,
        "has_gift_cards": True,
        "myshopify_domain": item.domain,
        "google_apps_domain": None,
        "google_apps_login_enabled": None,
        "money_in_emails_format": "{{amount}}",
        "money_with_currency_in_emails_format": f"{{{{amount}}}} {item.currency}",
        "eligible_for_payments": True,
        "requires_extra_payments_agreement": False,
        "password_enabled": False,
        "has_storefront": True,
        "finances": True,
        "primary_location_id": None,
        "checkout_api_supported": True,
        "multi_location_enabled": True,
        "setup_required": False,
        "pre_launch_enabled": False,
        "enabled_presentment_currencies": [item.currency, *item.presentment],
    }
