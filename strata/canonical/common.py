"""Small things that many canonical records are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Sku = Annotated[str, Meta(min_length=1, max_length=120, description="seller's article number")]
OrderKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z]{2}:[A-Za-z0-9_-]{1,60}:order:[A-Za-z0-9-]{1,40}$",
        description="our key of an order: source system, shop, `order`, the source's id",
        examples=["sh:northwind-us:order:5001"],
    ),
]
Timestamp = Annotated[datetime, Meta(tz=True)]
"""A moment with its offset, RFC 3339 on the wire."""
CountryCode = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]


class VendorRef(Struct, frozen=True, omit_defaults=True):
    """Where a record lives at its vendor. Always carried, so that nothing is lost on the way back."""

    connection: str
    """Name of the configured connection, e.g. `erp`."""
    vendor: str
    """`shopify`, `netsuite`, ..."""
    id: str
    """The vendor's own id."""
    version: str = ""
    """ETag, lastModified or updatedAt, as the vendor says it."""
    link: str = ""


class Address(Struct, frozen=True, omit_defaults=True):
    """A postal address; country as ISO 3166-1 alpha-2 code, region as ISO 3166-2 subdivision."""

    country: CountryCode
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    """ISO 3166-2 subdivision without the country, e.g. `CA`."""
    postal_code: str = ""
    phone: str = ""


PageSize = Annotated[int, Meta(ge=1, le=250, description="most records in one page")]


class Cursor(Struct, frozen=True, omit_defaults=True):
    """How a page of a list goes on: pass `next` as `cursor` for the next page; absent on the last one."""

    next: str = ""
