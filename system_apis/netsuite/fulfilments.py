"""Shipments (capability `fulfilments`), found by SuiteQL: NetSuite tells of nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from strata.canonical.orders import Shipment
from strata.contracts.system import Fulfilments
from strata.contracts.system.fulfilments import ShipmentPage
from strata.errors import NotFound
from system_apis.cursors import decode_cursor, encode_cursor
from system_apis.netsuite import mapping, suiteql, wire
from system_apis.netsuite.client import NetSuiteClient

# A fulfilment is tied to its order by the link of its lines, and to its parcels by the map of tracking numbers.
_HEADS = (
    "SELECT DISTINCT f.id, f.tranid, f.status, so.externalid AS orderkey, so.tranid AS ordernumber,"
    " BUILTIN.DF(f.shipmethod) AS carrier, TO_CHAR(f.trandate, 'YYYY-MM-DD') AS trandate,"
    " TO_CHAR(f.createddate, 'YYYY-MM-DD HH24:MI:SS') AS created,"
    " TO_CHAR(f.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS changed"
    " FROM transaction f JOIN previoustransactionlinelink l ON l.nextdoc = f.id"
    " JOIN transaction so ON so.id = l.previousdoc"
    " WHERE f.type = 'ItemShip' AND so.type = 'SalesOrd' AND so.externalid IS NOT NULL"
)
_SINCE = _HEADS + " AND f.lastmodifieddate >= {since} ORDER BY changed, id"
_AFTER = (
    _HEADS
    + " AND (f.lastmodifieddate > {since} OR (f.lastmodifieddate = {since} AND f.id > {id})) ORDER BY changed, id"
)
_ONE = _HEADS + " AND f.id = {id} ORDER BY changed, id"
_LINES = (
    "SELECT l.nextdoc AS shipment, l.previousline AS orderline, i.itemid, tl.quantity"
    " FROM previoustransactionlinelink l"
    " JOIN transactionline tl ON tl.transaction = l.nextdoc AND tl.id = l.nextline"
    " JOIN item i ON i.id = tl.item WHERE l.nextdoc IN ({ids}) ORDER BY l.nextdoc, l.previousline, tl.id"
)
_TRACKING = (
    "SELECT m.transaction AS shipment, t.trackingnumber AS number FROM trackingnumbermap m"
    " JOIN trackingnumber t ON t.id = m.trackingnumber WHERE m.transaction IN ({ids}) ORDER BY m.transaction, t.id"
)
_OURS = re.compile(r"^[a-z]{2}:[A-Za-z0-9_-]{1,60}:order:[A-Za-z0-9-]{1,40}$")
"""External ids that are order keys of ours; other integrations have orders in the account too."""


class _Position(Struct, frozen=True):
    """Where a list goes on: after this shipment."""

    changed: str
    id: str


class NetSuiteFulfilments(Fulfilments):
    """Serves the contract for one account."""

    def __init__(self, client: NetSuiteClient, names: mapping.Names) -> None:
        self._client = client
        self._names = names
        self._zone = client.connection.zone

    async def list_fulfilments(self, *, updated_from: datetime, cursor: str = "", limit: int = 100) -> ShipmentPage:
        if cursor:
            position = decode_cursor(cursor, _Position)
            since, after = suiteql.timestamp(position.changed), suiteql.number(position.id)
            sql = suiteql.fill(_AFTER, since=since, id=after)
        else:
            since = suiteql.timestamp(suiteql.local_lower_bound(updated_from, self._zone))
            sql = suiteql.fill(_SINCE, since=since)
        rows = await self._client.query(sql, wire.ShipmentRow, limit=limit)
        ours = [row for row in rows if _OURS.match(row.orderkey)]
        full = len(rows) == limit
        return ShipmentPage(
            items=await self._complete(ours),
            next=encode_cursor(_Position(rows[-1].changed, rows[-1].id)) if full else "",
        )

    async def get_fulfilment(self, fulfilment_id: str) -> Shipment:
        if not fulfilment_id.isascii() or not fulfilment_id.isdigit():
            raise NotFound(f"{self._client.name} has no fulfilment {fulfilment_id[:40]!r}")
        rows = await self._client.query(suiteql.fill(_ONE, id=suiteql.number(fulfilment_id)), wire.ShipmentRow)
        if not rows:
            raise NotFound(f"{self._client.name} has no fulfilment {fulfilment_id} of a sales order of ours")
        return (await self._complete(rows[:1]))[0]

    async def _complete(self, heads: Sequence[wire.ShipmentRow]) -> tuple[Shipment, ...]:
        """Shipments with their lines and tracking numbers: two queries for all of them."""
        if not heads:
            return ()
        ids = suiteql.numbers(head.id for head in heads)
        lines: dict[str, list[wire.ShipmentLineRow]] = {}
        for line in await self._client.query_all(suiteql.fill(_LINES, ids=ids), wire.ShipmentLineRow):
            lines.setdefault(line.shipment, []).append(line)
        tracking: dict[str, list[wire.TrackingRow]] = {}
        for entry in await self._client.query_all(suiteql.fill(_TRACKING, ids=ids), wire.TrackingRow):
            tracking.setdefault(entry.shipment, []).append(entry)
        return tuple(
            mapping.shipment(head, lines.get(head.id, ()), tracking.get(head.id, ()), self._zone, self._names)
            for head in heads
        )
