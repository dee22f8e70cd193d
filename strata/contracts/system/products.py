"""Items in a system of record."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from strata.canonical.common import Sku
from strata.canonical.customers import Item
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.contracts.system.channel_orders import COMMON

MOST_SKUS = 1000
"""Article numbers that one look-up takes."""


class ItemLookup(Struct, frozen=True, omit_defaults=True):
    """Which items are looked for."""

    skus: Annotated[tuple[Sku, ...], Meta(min_length=1, max_length=MOST_SKUS)]
    fresh: bool = False
    """Ask the system itself; otherwise an answer may be some minutes old."""


class Products(Contract):
    """Items in a system of record."""

    name, layer, version, title = "products", Layer.SYSTEM, "v1", "Items"

    @operation("POST", "/items/lookup", scope="products:read", errors=COMMON)
    async def find_items(self, *, body: ItemLookup) -> tuple[Item, ...]:
        """Find items by article number; those that are not there are missing from the answer, inactive ones are in it.

        A query with a body, since an order may have more lines than a URL takes. It changes nothing.
        """
        declared()
