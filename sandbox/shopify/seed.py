"""The company in Shopify's terms, and realistic orders on demand."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from sandbox.core.company import Company, Item, Person, ShopStore, company
from sandbox.shopify.addresses import country, province
from sandbox.shopify.context import Context
from sandbox.shopify.gid import gid
from sandbox.shopify.model import Address, Customer, Location, Product, Shop, Variant
from sandbox.shopify.mutations.order_create import order_create
from sandbox.shopify.state import State

OPENED = timedelta(days=900)
SHIPPING = {
    "USD": ("Standard", "7.95"),
    "CAD": ("Standard", "10.95"),
    "EUR": ("DHL Paket", "4.90"),
    "GBP": ("DHL", "5.90"),
    "JPY": ("DHL", "1200"),
}
CODES = ("WELCOME10", "TRAIL15", "FREESHIP", "SAVE5")


class SeedOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /_sandbox/seed` of Shopify.

    orders: how many realistic orders to place now. shop: in which shop (default: both in turn). webhooks: whether they
    are announced. seed: of the choice of customers and items. paid: share of orders that are paid at once.
    failing: share of orders with an article the ERP does not have or has switched off.
    uninstall: a shop whose app is uninstalled: sends app/uninstalled and drops its subscriptions and granted tokens.
    """

    orders: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    shop: str | None = None
    webhooks: bool = True
    seed: int | None = None
    paid: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.9
    failing: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    uninstall: str | None = None


def fill(state: State, seed: int) -> None:
    """Both shops with their places, articles and customers; no orders."""
    known = company(seed)
    opened = state.now() - OPENED
    for store in known.stores:
        home = next(s for s in known.subsidiaries if s.code == store.subsidiary)
        state.shops.put(
            Shop(
                id=state.new_id("Shop"), subdomain=store.subdomain, name=store.name, email="shop@example.com",
                owner="Robin Hale", currency=store.currency, presentment=list(store.presentment),
                taxes_included=store.taxes_included, timezone=store.timezone, utc_offset=store.utc_offset,
                address=_address(home.address, company_name=home.name), created_at=opened,
            )
        )  # fmt: skip
        places = {code: _location(state, known, store, code, opened) for code in store.locations}
        _products(state, known.items, store, places, opened)
        for person in known.people:
            if person.store == store.subdomain:
                _customer(state, person, opened)


def _address(given: Any, number: int = 0, person: Person | None = None, company_name: str | None = None) -> Address:
    code, name = country(given.country)
    province_code, province_name = province(code, given.province)
    return Address(
        id=number, address1=given.address1, address2=given.address2, city=given.city, zip=given.zip, country=name,
        country_code=code, province=province_name, province_code=province_code,
        first_name=person.first_name if person else None, last_name=person.last_name if person else None,
        phone=person.phone if person else None, company=person.company if person else company_name,
    )  # fmt: skip


def _location(state: State, known: Company, store: ShopStore, code: str, opened: datetime) -> int:
    place = next(p for p in known.locations if p.code == code)
    item = Location(
        id=state.new_id("Location"), shop=store.subdomain, name=place.name, code=code, address=_address(place.address),
        created_at=opened,
    )  # fmt: skip
    state.locations.put(item)
    return item.id


def _products(
    state: State, items: Sequence[Item], store: ShopStore, places: Mapping[str, int], opened: datetime
) -> None:
    titles: dict[str, list[Item]] = {}
    for item in items:
        titles.setdefault(item.title, []).append(item)
    for title, variants in titles.items():
        product_id = state.new_id("Product")
        gift_card = variants[0].kind == "gift_card"
        made = [
            Variant(
                id=state.new_id("ProductVariant"), shop=store.subdomain, product_id=product_id, product_title=title,
                vendor=item.vendor, inventory_item_id=state.new_id("InventoryItem"), title=item.variant, sku=item.sku,
                barcode=item.barcode, price=item.prices[store.currency], grams=item.grams, position=place,
                requires_shipping=item.requires_shipping, tracked=item.kind == "inventory", gift_card=gift_card,
                taxable=not gift_card, prices=item.prices, created_at=opened, updated_at=opened,
                stock={places[c]: {"available": n, "committed": 0} for c, n in item.stock.items() if c in places},
            )
            for place, item in enumerate(variants, start=1)
        ]  # fmt: skip
        product = Product(
            id=product_id, shop=store.subdomain, title=title,
            handle=re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"),
            vendor=variants[0].vendor, product_type="Gift Cards" if gift_card else "Outdoor",
            variant_ids=[v.id for v in made], created_at=opened, updated_at=opened, gift_card=gift_card,
            option_name="Denominations" if gift_card else "Variant",
        )  # fmt: skip
        state.put_product(product, made)


def _customer(state: State, person: Person, opened: datetime) -> None:
    number = state.new_id("MailingAddress")
    joined = opened + timedelta(days=person.number)
    state.put_customer(
        Customer(
            id=state.new_id("Customer"), shop=person.store, created_at=joined, updated_at=joined,
            first_name=person.first_name, last_name=person.last_name, email=person.email, phone=person.phone,
            addresses=[_address(person.address, number, person)], default_address_id=number, state="ENABLED",
        )
    )  # fmt: skip


class OrderMaker:
    """Makes believable OrderCreateOrderInputs (as Python values) from the company's own customers and articles."""

    def __init__(self, state: State, seed: int, options: SeedOptions) -> None:
        self._state = state
        self._rng = random.Random(seed)
        self._options = options
        self._company = company()
        self._variants: dict[str, dict[str, Variant]] = {}
        for variant in state.variants.all():
            self._variants.setdefault(variant.shop, {})[variant.sku or ""] = variant
        self._people = [p for p in self._company.people if options.shop in (None, p.store)]

    def place(self, ctx_for: Any) -> int:
        """Place one order; answers its id."""
        person = self._rng.choice(self._people)
        store = next(s for s in self._company.stores if s.subdomain == person.store)
        ctx: Context = ctx_for(store.subdomain)
        return order_create(ctx, {"order": self.order(person, store)})["order"].id

    def order(self, person: Person, store: ShopStore) -> dict[str, Any]:
        """The input of one order."""
        rng = self._rng
        lines = [self._line(person, store, item) for item in self._items(store)]
        title, price = SHIPPING[person.currency]
        address = _input_address(person)
        paid = rng.random() < self._options.paid
        given: dict[str, Any] = {
            "currency": store.currency,
            "presentmentCurrency": person.currency,
            "email": person.email,
            "customer": {
                "toUpsert": {"email": person.email, "firstName": person.first_name, "lastName": person.last_name}
            },
            "shippingAddress": address,
            "billingAddress": address,
            "taxesIncluded": store.taxes_included,
            "lineItems": lines,
            "shippingLines": [
                {
                    "title": title,
                    "code": title,
                    "source": "shopify",
                    "priceSet": self._money(person, store, price),
                    "taxLines": [],
                }
            ],
            "financialStatus": "PAID" if paid else "PENDING",
            "sourceName": "web",
            "tags": [],
        }
        if rng.random() < 0.25:
            given["discountCode"] = self._discount(person, store)
        if rng.random() < 0.1:
            given["note"] = rng.choice(("Please leave at the door.", "Bitte klingeln!", "It's a gift 🎁"))
        if rng.random() < 0.1:
            given["poNumber"] = f"PO-{rng.randrange(10_000, 99_999)}"
        return given

    def _items(self, store: ShopStore) -> list[Item]:
        known = [i for i in self._company.items if i.sku in self._variants[store.subdomain]]
        good = [i for i in known if i.active and i.in_erp and i.kind != "gift_card"]
        bad = [i for i in known if not (i.active and i.in_erp)]
        chosen = self._rng.sample(good, self._rng.choice((1, 1, 2, 2, 3, 4)))
        if bad and self._rng.random() < self._options.failing:
            chosen[0] = self._rng.choice(bad)
        return chosen

    def _line(self, person: Person, store: ShopStore, item: Item) -> dict[str, Any]:
        variant = self._variants[store.subdomain][item.sku]
        return {
            "variantId": gid("ProductVariant", variant.id),
            "quantity": self._rng.choice((1, 1, 1, 2, 3)),
            "taxLines": self._taxes(person),
        }

    def _taxes(self, person: Person) -> list[dict[str, Any]]:
        home = person.address
        codes = [
            code
            for code in self._company.tax_codes
            if code.country == home.country and code.province in (None, home.province)
            # one rate in Germany, and the city's only in the city
            and code.code != "DE-7" and (code.code != "US-NYC" or home.city in ("New York", "Brooklyn"))
        ]  # fmt: skip
        return [{"title": code.title, "rate": code.rate} for code in codes]

    def _money(self, person: Person, store: ShopStore, amount: str) -> dict[str, Any]:
        usd = {c.code: c.usd for c in self._company.currencies}
        presentment = Decimal(amount)
        shop = presentment * usd[person.currency] / usd[store.currency]
        return {
            "shopMoney": {"amount": shop, "currencyCode": store.currency},
            "presentmentMoney": {"amount": presentment, "currencyCode": person.currency},
        }

    def _discount(self, person: Person, store: ShopStore) -> dict[str, Any]:
        code = self._rng.choice(CODES)
        if code == "FREESHIP":
            return {"freeShippingDiscountCode": {"code": code}}
        if code == "SAVE5":
            return {"itemFixedDiscountCode": {"code": code, "amountSet": self._money(person, store, "5.00")}}
        return {"itemPercentageDiscountCode": {"code": code, "percentage": 10.0 if code == "WELCOME10" else 15.0}}


def _input_address(person: Person) -> dict[str, Any]:
    home = person.address
    return {
        "firstName": person.first_name, "lastName": person.last_name, "company": person.company, "phone": person.phone,
        "address1": home.address1, "address2": home.address2, "city": home.city, "zip": home.zip,
        "countryCode": home.country, "provinceCode": home.province,
    }  # fmt: skip
