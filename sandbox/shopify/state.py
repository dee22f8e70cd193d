"""The shop's tables: documents by id, and next to them the columns that search and sorting need."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime

from sandbox.core.clock import Clock
from sandbox.core.store import Store, Table
from sandbox.shopify.model import (
    AccessToken,
    Customer,
    Delivery,
    Fulfillment,
    FulfillmentOrder,
    GiftCard,
    Location,
    Metafield,
    Notification,
    Order,
    Product,
    Shop,
    Subscription,
    Variant,
)
from sandbox.shopify.tokens import tokens

# What each kind of object is searched and sorted by; `search.py` says what the columns mean.
COLUMNS: dict[str, dict[str, str]] = {
    "order": {
        "shop": "TEXT", "created_at": "INT", "updated_at": "INT", "processed_at": "INT", "name": "TEXT",
        "number": "INT",
        "email": "TEXT", "financial_status": "TEXT", "fulfillment_status": "TEXT", "status": "TEXT", "tags": "TEXT",
        "customer_id": "INT", "customer_name": "TEXT", "po_number": "TEXT", "source_name": "TEXT",
        "source_identifier": "TEXT", "test": "INT", "total": "REAL", "skus": "TEXT", "gateways": "TEXT",
        "discount_codes": "TEXT", "confirmation_number": "TEXT", "risk": "TEXT", "quantity": "INT",
        "default_text": "TEXT",
    },
    "customer": {
        "shop": "TEXT", "created_at": "INT", "updated_at": "INT", "email": "TEXT", "phone": "TEXT",
        "first_name": "TEXT",
        "last_name": "TEXT", "name": "TEXT", "tags": "TEXT", "state": "TEXT", "orders_count": "INT",
        "total_spent": "REAL", "country": "TEXT", "default_text": "TEXT",
    },
    "product": {
        "shop": "TEXT", "created_at": "INT", "updated_at": "INT", "title": "TEXT", "vendor": "TEXT", "handle": "TEXT",
        "product_type": "TEXT", "status": "TEXT", "tags": "TEXT", "skus": "TEXT", "gift_card": "INT",
        "default_text": "TEXT",
    },
    "variant": {
        "shop": "TEXT", "created_at": "INT", "updated_at": "INT", "title": "TEXT", "sku": "TEXT", "barcode": "TEXT",
        "product_id": "INT", "vendor": "TEXT", "position": "INT", "product_title": "TEXT", "default_text": "TEXT",
    },
}  # fmt: skip
INDEXES = {
    "order": ("updated_at", "created_at", "processed_at", "number"),
    "customer": ("updated_at", "email"),
    "variant": ("sku",),
}
SEPARATOR = "\x1f"
# Where each type's ids begin, and their step: of the size and spacing one sees at the vendor.
ID_START = {"Order": 6_482_915_066_001, "Customer": 7_923_310_112_385, "LineItem": 15_610_442_809_473}
ID_STEP = 32_768


def _ddl() -> str:
    parts: list[str] = []
    for kind, columns in COLUMNS.items():
        body = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
        parts.append(f"CREATE TABLE IF NOT EXISTS {kind}_search (id INTEGER PRIMARY KEY, {body});")
        parts.extend(
            f"CREATE INDEX IF NOT EXISTS {kind}_{name} ON {kind}_search (shop, {name}, id);"
            for name in INDEXES.get(kind, ())
        )
    return "\n".join(parts)


def epoch(when: datetime) -> int:
    return int(when.timestamp())


def listed(values: list[str]) -> str:
    """Values as one searchable column: lower case, each between separators."""
    return SEPARATOR + SEPARATOR.join(v.lower() for v in values) + SEPARATOR if values else ""


def _key(item: Order | Customer | Product | Variant | FulfillmentOrder | Fulfillment | Metafield) -> str:
    return str(item.id)


class State:
    """All that the shops remember. Objects of several shops live side by side; ids are unique over all of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        store.script(_ddl())
        self.shops = Table(store, "shop", Shop, key=lambda s: s.subdomain)
        self.locations = Table(store, "location", Location, key=lambda x: str(x.id), index={"shop": lambda x: x.shop})
        self.products = Table(store, "product", Product, key=_key)
        self.variants = Table(
            store, "variant", Variant, key=_key,
            index={"inventory_item": lambda v: v.inventory_item_id, "product": lambda v: v.product_id},
        )  # fmt: skip
        self.customers = Table(
            store, "customer", Customer, key=_key,
            index={
                "email": lambda c: f"{c.shop}:{c.email.lower()}" if c.email else None,
                "phone": lambda c: f"{c.shop}:{c.phone}" if c.phone else None,
            },
        )  # fmt: skip
        self.orders = Table(store, "order", Order, key=_key, index={"line": lambda o: [line.id for line in o.lines]})
        self.fulfillment_orders = Table(
            store, "fulfillment_order", FulfillmentOrder, key=_key, index={"order": lambda f: f.order_id}
        )
        self.fulfillments = Table(store, "fulfillment", Fulfillment, key=_key, index={"order": lambda f: f.order_id})
        self.notifications = Table(store, "notification", Notification, key=lambda n: str(n.id))
        self.metafields = Table(
            store, "metafield", Metafield, key=_key,
            index={
                "owner": lambda m: f"{m.owner_type}:{m.owner_id}",
                "value": lambda m: f"{m.shop}:{m.owner_type}:{m.namespace}:{m.key}:{m.value}",
            },
        )  # fmt: skip
        self.gift_cards = Table(store, "gift_card", GiftCard, key=lambda g: str(g.id), index={"shop": lambda g: g.shop})
        self.subscriptions = Table(
            store, "webhook_subscription", Subscription, key=lambda s: str(s.id),
            index={"topic": lambda s: f"{s.shop}:{s.topic}", "shop": lambda s: s.shop},
        )  # fmt: skip

        self.deliveries = Table(store, "webhook_delivery", Delivery, key=lambda d: str(d.id))
        self.access_tokens = Table(store, "access_token", AccessToken, key=lambda t: t.digest)

    def now(self) -> datetime:
        """The present in whole seconds, the vendor's resolution."""
        return self.clock.now().astimezone(UTC).replace(microsecond=0)

    def new_id(self, kind: str) -> int:
        return self.store.next(f"id:{kind}", ID_START.get(kind, 1_048_920_113_153), ID_STEP)

    def token(self) -> str:
        return secrets.token_hex(16)

    # Writing keeps the search columns in step ---------------------------------------------------------------------

    def _index(self, kind: str, key: int, values: dict[str, object]) -> None:
        columns = COLUMNS[kind]
        names = ", ".join(columns)
        marks = ", ".join("?" for _ in columns)
        row = [key, *(values[name] for name in columns)]
        self.store.db.execute(f"INSERT OR REPLACE INTO {kind}_search (id, {names}) VALUES (?, {marks})", row)  # noqa: S608  # our own names

    def put_order(self, order: Order) -> Order:
        self.orders.put(order)
        customer = self.customers.get(order.customer_id) if order.customer_id else None
        name = customer.name if customer else ""
        status = "cancelled" if order.cancelled_at else "closed" if order.closed_at else "open"
        self._index(
            "order",
            order.id,
            {
                "shop": order.shop, "created_at": epoch(order.created_at), "updated_at": epoch(order.updated_at),
                "processed_at": epoch(order.processed_at), "name": tokens(order.name), "number": order.order_number,
                "email": tokens(order.email), "financial_status": order.financial_status.lower(),
                "fulfillment_status": order.fulfillment_status.lower(), "status": status, "tags": listed(order.tags),
                "customer_id": order.customer_id, "customer_name": name.lower(), "po_number": tokens(order.po_number),
                "source_name": order.source_name.lower(), "source_identifier": tokens(order.source_identifier),
                "test": int(order.test), "total": float(order.totals.total.shop),
                "skus": listed([line.sku for line in order.lines if line.sku]),
                "gateways": listed([t.gateway for t in order.transactions]),
                "discount_codes": listed([a.code for a in order.applications]),
                "confirmation_number": order.confirmation_number.lower(), "risk": _risk_level(order.risk),
                "quantity": sum(line.quantity for line in order.lines),
                "default_text": tokens(
                    order.name, order.email, name, *(line.title for line in order.lines), *order.tags
                ),
            },
        )  # fmt: skip
        return order

    def put_customer(self, customer: Customer) -> Customer:
        self.customers.put(customer)
        countries = [a.country_code for a in customer.addresses if a.country_code]
        countries += [a.country for a in customer.addresses if a.country]
        self._index(
            "customer",
            customer.id,
            {
                "shop": customer.shop, "created_at": epoch(customer.created_at),
                "updated_at": epoch(customer.updated_at),
                "email": tokens(customer.email), "phone": tokens(customer.phone),
                "first_name": tokens(customer.first_name), "last_name": tokens(customer.last_name),
                "name": f"{customer.last_name or ''}, {customer.first_name or ''}".lower(),
                "tags": listed(customer.tags),
                "state": customer.state.lower(), "orders_count": customer.orders_count,
                "total_spent": float(customer.total_spent), "country": listed(countries),
                "default_text": tokens(customer.name, customer.email, customer.phone, *customer.tags),
            },
        )  # fmt: skip
        return customer

    def put_product(self, product: Product, variants: list[Variant]) -> None:
        self.products.put(product)
        skus = [v.sku for v in variants if v.sku]
        self._index(
            "product",
            product.id,
            {
                "shop": product.shop, "created_at": epoch(product.created_at), "updated_at": epoch(product.updated_at),
                "title": tokens(product.title), "vendor": tokens(product.vendor), "handle": product.handle.lower(),
                "product_type": tokens(product.product_type), "status": product.status.lower(),
                "tags": listed(product.tags), "skus": listed(skus), "gift_card": int(product.gift_card),
                "default_text": tokens(product.title, product.vendor, product.product_type, *skus, *product.tags),
            },
        )  # fmt: skip
        for variant in variants:
            self.put_variant(variant)

    def put_variant(self, variant: Variant) -> None:
        self.variants.put(variant)
        self._index(
            "variant",
            variant.id,
            {
                "shop": variant.shop, "created_at": epoch(variant.created_at), "updated_at": epoch(variant.updated_at),
                "title": tokens(variant.title), "sku": (variant.sku or "").lower(),
                "barcode": (variant.barcode or "").lower(),
                "product_id": variant.product_id, "vendor": tokens(variant.vendor), "position": variant.position,
                "product_title": variant.product_title.lower(),
                "default_text": tokens(variant.product_title, variant.title, variant.sku, variant.barcode),
            },
        )  # fmt: skip

    def shop_locations(self, shop: str) -> list[Location]:
        return self.locations.find("shop", shop)


def _risk_level(recommendation: str) -> str:
    return {"ACCEPT": "low", "INVESTIGATE": "medium", "CANCEL": "high"}.get(recommendation, "none")


def json_text(value: object) -> str:
    """Compact JSON with the letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
