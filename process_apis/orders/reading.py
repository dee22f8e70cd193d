"""Reads the ledger for the order API: one order, or a page of them, each in one query."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from decimal import Decimal
from typing import Literal

import asyncpg
import msgspec
from msgspec import Struct

from process_apis.orders.ledger import LedgerLine, plain, reachable
from strata.canonical.money import Money
from strata.canonical.orders import FinancialState, OrderStatus
from strata.contracts.process.orders import (
    Milestone,
    OrderState,
    StatusLine,
    StatusShipment,
    SystemLink,
)
from strata.errors import BadParameter, FieldError

_ORDER = """
SELECT o.*, o.lines::text AS lines_json,
  coalesce((SELECT jsonb_agg(jsonb_build_object('status', m.status, 'at', m.at) ORDER BY m.at)
            FROM orders.milestone m WHERE m.key = o.key), '[]')::text AS milestones_json,
  coalesce((SELECT jsonb_agg(jsonb_build_object('vendor', l.vendor, 'connection', l.connection, 'id', l.id,
                                                'number', l.number) ORDER BY l.connection)
            FROM orders.link l WHERE l.key = o.key), '[]')::text AS links_json,
  coalesce((SELECT jsonb_agg(jsonb_build_object('id', s.id, 'shipped_at', s.shipped_at, 'carrier', s.carrier,
                                                'tracking_numbers', s.tracking_numbers,
                                                'tracking_urls', s.tracking_urls, 'lines', s.lines, 'told', s.told)
                             ORDER BY s.shipped_at, s.id)
            FROM orders.shipment s WHERE s.key = o.key), '[]')::text AS shipments_json
FROM orders.sales_order o
WHERE ($1::text[] IS NULL OR o.shop = ANY($1)) AND ($2 = '' OR o.partner = $2)
"""
MOST = 2


class Scope(Struct, frozen=True):
    """What a caller may see. shops: None = all."""

    shops: tuple[str, ...] | None
    partner: str = ""


class _Shipment(Struct, frozen=True):
    id: str
    shipped_at: datetime
    carrier: str
    tracking_numbers: tuple[str, ...]
    tracking_urls: tuple[str, ...]
    lines: dict[str, int]
    told: tuple[str, ...]


def encode_cursor(seq: int) -> str:
    """A place in the list as an opaque text."""
    return base64.urlsafe_b64encode(f"o{seq}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The place that a cursor names. Raises BadParameter for what is not one of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("o") or not text[1:].isdigit() or len(text) > 20:
        raise BadParameter(
            "The cursor is not one that this list gave out", errors=(FieldError("is not valid", "/query/cursor"),)
        )
    return int(text[1:])


class Reader:
    """Questions to the ledger."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def _fetch(self, condition: str, scope: Scope, *values: object) -> list[asyncpg.Record]:
        shops = None if scope.shops is None else list(scope.shops)
        with reachable():
            return await self._pool.fetch(_ORDER + condition, shops, scope.partner, *values)

    async def by_key(self, key: str, scope: Scope) -> tuple[OrderState, ...]:
        """The order with our key."""
        return tuple(state(row) for row in await self._fetch("AND o.key = $3", scope, key))

    async def by_source_id(self, source_id: str, scope: Scope) -> tuple[OrderState, ...]:
        """Orders with the source's id; two are enough to know that it is ambiguous."""
        rows = await self._fetch("AND o.source_id = $3 ORDER BY o.seq LIMIT $4", scope, source_id, MOST)
        return tuple(state(row) for row in rows)

    async def by_number(self, number: str, shop: str, scope: Scope) -> tuple[OrderState, ...]:
        """Orders with the number the shopper sees, in one shop or any."""
        condition = "AND o.number_plain = $3 AND ($4 = '' OR o.shop = $4) ORDER BY o.seq LIMIT $5"
        return tuple(state(row) for row in await self._fetch(condition, scope, plain(number), shop, MOST))

    async def page(self, scope: Scope, *, status: str, before: int | None, limit: int) -> list[tuple[int, OrderState]]:
        """Orders, newest first, each with its place in the list."""
        condition = "AND ($3 = '' OR o.status = $3) AND ($4::bigint IS NULL OR o.seq < $4) ORDER BY o.seq DESC LIMIT $5"
        rows = await self._fetch(condition, scope, status, before, limit)
        return [(int(row["seq"]), state(row)) for row in rows]


def state(row: asyncpg.Record) -> OrderState:
    """One row of the ledger as the contract tells it."""
    lines = msgspec.json.decode(row["lines_json"], type=tuple[LedgerLine, ...])
    parcels = msgspec.json.decode(row["shipments_json"], type=tuple[_Shipment, ...])
    currency = str(row["currency"])
    financial: FinancialState | Literal[""] = msgspec.convert(row["financial_state"], FinancialState | Literal[""])

    def money(column: str) -> Money | None:
        amount: Decimal | None = row[column]
        return None if amount is None or not currency else _exact(Money(amount, currency))

    shipped: dict[str, int] = {}
    for parcel in parcels:
        for line, pieces in parcel.lines.items():
            shipped[line] = shipped.get(line, 0) + pieces
    return OrderState(
        key=row["key"],
        number=row["number"],
        shop=row["shop"],
        status=OrderStatus(row["status"]),
        received_at=row["received_at"],
        updated_at=row["updated_at"],
        financial_state=financial,
        partner=row["partner"],
        total=money("total"),
        tax=money("tax"),
        shipping=money("shipping"),
        discounts=money("discounts"),
        customer_name=row["customer_name"],
        customer_email=row["customer_email"],
        po_number=row["po_number"],
        destination_country=row["country"],
        destination_city=row["city"],
        lines=tuple(
            StatusLine(line.sku, line.title, line.quantity, shipped.get(line.id, 0), _exact(line.unit_price))
            for line in lines
        ),
        shipments=tuple(_told(parcel, lines) for parcel in parcels),
        milestones=msgspec.json.decode(row["milestones_json"], type=tuple[Milestone, ...]),
        links=msgspec.json.decode(row["links_json"], type=tuple[SystemLink, ...]),
        held_because=row["held_because"],
    )


def _exact(money: Money) -> Money:
    """With all decimals of its currency (`9.90`, not `9.9`); of a currency that nobody knows, as it came."""
    try:
        return money.rounded()
    except ValueError:
        return money


def _told(parcel: _Shipment, lines: tuple[LedgerLine, ...]) -> StatusShipment:
    skus = {line.id: line.sku for line in lines}
    by_sku: dict[str, int] = {}
    for line, pieces in parcel.lines.items():
        sku = skus.get(line, line)
        by_sku[sku] = by_sku.get(sku, 0) + pieces
    return StatusShipment(
        parcel.id,
        parcel.shipped_at,
        by_sku,
        parcel.carrier,
        parcel.tracking_numbers,
        parcel.tracking_urls,
        bool(parcel.told),
    )
