"""Items in a system of record."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from strata.canonical.customers import Item
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.contracts.system.channel_orders import COMMON

Skus = Annotated[str, Meta(min_length=1, max_length=8000, description="article numbers as a JSON array of strings")]


class Products(Contract):
    """Items in a system of record."""

    name, layer, version, title = "products", Layer.SYSTEM, "v1", "Items"

    @operation("GET", "/items", scope="products:read", errors=COMMON)
    async def find_items(self, *, skus: Skus, fresh: bool = False) -> tuple[Item, ...]:
        """Find items by article number; those that are not there are missing from the answer, inactive ones are in it.

        Answers may be some minutes old unless `fresh` is set.
        """
        declared()
