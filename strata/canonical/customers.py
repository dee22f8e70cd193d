"""Customers and items, as an ERP keeps them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from strata.canonical.common import Address, Sku, VendorRef
from strata.canonical.money import Currency

CustomerKey = Annotated[
    str,
    Meta(min_length=1, max_length=80, description="our key of a customer", examples=["sh:northwind-us:customer:7001"]),
]


class CustomerDraft(Struct, frozen=True, omit_defaults=True):
    """What is needed to create a customer."""

    key: CustomerKey
    selling_entity: str
    currency: Currency
    person: bool = True
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    tax_exempt: bool = False
    billing_address: Address | None = None
    shipping_address: Address | None = None
    terms: str = ""
    provisional: bool = False
    """Made while a person still has to decide about a possible duplicate."""


class CustomerMatch(Struct, frozen=True, omit_defaults=True):
    """A customer that the ERP holds."""

    ref: VendorRef
    name: str
    key: str = ""
    """The external id the ERP holds, if any."""
    email: str = ""
    active: bool = True
    selling_entities: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()


ItemKind = Literal["inventory", "non_inventory", "service", "kit", "gift_card", "discount", "shipping", "other"]


class Item(Struct, frozen=True, omit_defaults=True):
    """An article, as the ERP keeps it; its kind is known before an order is written."""

    ref: VendorRef
    sku: Sku
    name: str
    kind: ItemKind
    active: bool = True
