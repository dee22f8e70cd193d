"""The lookup tables of order flows: what a row is, and how the row that fits best is found.

Every table is versioned data (contract C16). `*` in a column means *any*; of the rows that fit, the one with the most
columns given wins, then the one with the higher priority, then the one that comes first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from strata.canonical.common import Timestamp
from strata.tables import Table

ANY = "*"
R = TypeVar("R", bound=Struct)
DEFAULTS = Path(__file__).parent / "defaults"


class OrderRoute(Struct, frozen=True, omit_defaults=True):
    """Where orders of a place go (BR7, BR8): which ERP and selling entity, and with what on them. Ids are the ERP's."""

    erp: str
    """Name of the ERP's connection."""
    selling_entity: str
    shop: str = ANY
    country: str = ANY
    """ISO 3166-1 alpha-2, where the goods go."""
    currency: str = ANY
    channel: str = ANY
    b2b: bool | None = None
    tag: str = ANY
    location: str = ""
    form: str = ""
    terms: str = ""
    tax_nexus: str = ""
    """Name of the set of rows of `tax_codes` that applies; empty = those for any nexus."""
    department: str = ""
    channel_class: str = ""
    partner: str = ""
    """The trading partner that may see these orders."""
    priority: int = 0


class FilterRule(Struct, frozen=True, omit_defaults=True):
    """What happens to an order before it goes anywhere (BR9). The first row that fits decides."""

    action: Literal["release", "hold", "skip"]
    reason: str = ""
    """In plain words; `{financial_state}` and `{fraud_risk}` are filled in."""
    shop: str = ANY
    financial_state: str = ANY
    fraud_risk: str = ANY
    b2b: bool | None = None
    test: bool | None = None
    cancelled: bool | None = None
    fulfilment_state: str = ANY
    channel: str = ANY
    placed_before: Timestamp | None = None
    """Only orders placed earlier than this: those of the time before the shop was connected."""


class TaxCode(Struct, frozen=True, omit_defaults=True):
    """The ERP's tax code for a tax that the source charged (BR3).

    title: as the source names it; taxes that apply together are joined with ` + ` in alphabetical order. rate: as a
    fraction, their sum. A row with title "" and rate 0 says what untaxed lines get.
    """

    code: str
    title: str = ANY
    rate: Decimal | None = None
    nexus: str = ANY
    country: str = ANY
    region: str = ANY
    included: bool | None = None
    """Whether prices are shown with the tax; null = either."""
    erp_rate: Decimal | None = None
    """The rate that the ERP has for the code, where it is not the source's: shipping on the header is taxed by it."""


class DiscountItem(Struct, frozen=True, omit_defaults=True):
    """The ERP's discount item for a discount code or title."""

    item: str
    """Article number (name) of the item in the ERP."""
    erp: str = ANY
    code: str = ANY
    title: str = ANY


class ShippingMethod(Struct, frozen=True, omit_defaults=True):
    """The ERP's shipping method for what the shopper chose."""

    method: str
    """The ERP's id of the method."""
    erp: str = ANY
    shop: str = ANY
    title: str = ANY
    code: str = ANY


class SpecialItem(Struct, frozen=True, omit_defaults=True):
    """Articles that stand for something other than goods."""

    purpose: Literal["rounding", "shipping", "gift_card"]
    item: str
    """Article number (name) of the item in the ERP."""
    erp: str = ANY


class EmailDomain(Struct, frozen=True, omit_defaults=True):
    """What is known of a mail provider: its other names, and whether it ignores dots and +tags (section 5, step 4)."""

    domain: str
    same_as: str = ""
    ignores_dots: bool = False
    ignores_plus: bool = True


class OrderTables(Struct, frozen=True, omit_defaults=True):
    """The rows that a decision looks at, and the versions they are of."""

    routing: tuple[OrderRoute, ...] = ()
    tax_codes: tuple[TaxCode, ...] = ()
    discount_items: tuple[DiscountItem, ...] = ()
    shipping_methods: tuple[ShippingMethod, ...] = ()
    special_items: tuple[SpecialItem, ...] = ()
    versions: dict[str, int] = {}


def best(rows: Iterable[R], fits: Callable[[R], bool], given: Callable[[R], int]) -> R | None:
    """The row that fits with the most columns given; the first of equals. None when none fits."""
    chosen: R | None = None
    for row in rows:
        if fits(row) and (chosen is None or given(row) > given(chosen)):
            chosen = row
    return chosen


def is_or_any(column: str, value: str) -> bool:
    """Whether a column lets a value through, without regard to case."""
    return column == ANY or column.casefold() == value.casefold()


@lru_cache
def defaults(name: str, row: type[R]) -> tuple[R, ...]:
    """The rows that came with the product, from `defaults/NAME.toml`."""
    found = tomllib.loads((DEFAULTS / f"{name}.toml").read_text("utf-8"))
    return msgspec.convert(found.get("rows", []), tuple[row, ...])


def _table(name: str, row: type[R], doc: str) -> Table[R]:
    return Table(name, row, defaults(name, row), doc)


ROUTING = _table("order_routing", OrderRoute, "Which ERP, selling entity and location an order goes to (BR7, BR8).")
FILTER = _table("order_filter", FilterRule, "Which orders are released, held or skipped (BR9); first fit.")
TAX_CODES = _table("tax_codes", TaxCode, "The ERP's tax code for each tax of a source (BR3).")
DISCOUNT_ITEMS = _table("discount_items", DiscountItem, "The ERP's discount item for a discount code or title (BR2).")
SHIPPING_METHODS = _table("shipping_methods", ShippingMethod, "The ERP's shipping method for a source's shipping line.")
SPECIAL_ITEMS = _table("special_items", SpecialItem, "Items for rounding, shipping lines and gift cards, for each ERP.")
EMAIL_DOMAINS = _table("email_domains", EmailDomain, "Mail providers: aliases, dots, +tags (matching chain, step 4).")

ALL: tuple[Table[OrderRoute] | Table[FilterRule] | Table[TaxCode] | Table[DiscountItem] | Table[ShippingMethod]
           | Table[SpecialItem] | Table[EmailDomain], ...] = (
    ROUTING, FILTER, TAX_CODES, DISCOUNT_ITEMS, SHIPPING_METHODS, SPECIAL_ITEMS, EMAIL_DOMAINS,
)  # fmt: skip
