"""Items (capability `products`)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from strata.canonical.customers import Item
from strata.contracts.system import Products
from strata.contracts.system.products import ItemLookup
from system_apis.netsuite import mapping, suiteql, wire
from system_apis.netsuite.client import NetSuiteClient

_BATCH = 200
_MOST_KEPT = 50_000
_FIND = (
    "SELECT id, itemid, displayname, itemtype, isinactive,"
    " TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS changed FROM item WHERE itemid IN ({skus}) ORDER BY id"
)


class NetSuiteProducts(Products):
    """Serves the contract for one account. Active items are kept for some minutes; missing and inactive ones never.

    A person who mends one expects the next order to go on.
    """

    def __init__(self, client: NetSuiteClient, names: mapping.Names) -> None:
        self._client = client
        self._names = names
        self._kept: dict[str, tuple[float, Item]] = {}

    async def find_items(self, *, body: ItemLookup) -> tuple[Item, ...]:
        wanted = list(dict.fromkeys(body.skus))
        now = time.monotonic()
        kept = {} if body.fresh else {sku: self._kept[sku][1] for sku in wanted if self._kept.get(sku, (0.0,))[0] > now}
        missing = [sku for sku in wanted if sku not in kept]
        found = {item.sku: item for item in await self._read(missing)}
        self._keep(found.values(), now + self._client.connection.item_cache_s)
        both = kept | found
        return tuple(both[sku] for sku in wanted if sku in both)

    async def _read(self, skus: Sequence[str]) -> list[Item]:
        found: list[Item] = []
        for start in range(0, len(skus), _BATCH):
            sql = suiteql.fill(_FIND, skus=suiteql.texts(skus[start : start + _BATCH]))
            found += [mapping.item(row, self._names) for row in await self._client.query(sql, wire.ItemRow)]
        return found

    def _keep(self, items: Iterable[Item], until: float) -> None:
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        for item in items:
            if item.active:
                self._kept[item.sku] = (until, item)
            else:
                self._kept.pop(item.sku, None)
