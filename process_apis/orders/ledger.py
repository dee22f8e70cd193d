"""Our own ledger of orders, in PostgreSQL: written by steps, each function safe to repeat; read by the order API.

A status never goes backwards, but for cancel and for leaving a hold. Times are the journal's clock.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from process_apis.orders.rules.allocation import SoldLine
from process_apis.orders.rules.status import RANK
from strata.canonical.money import Money
from strata.canonical.orders import ChannelOrder, OrderRef, OrderStatus, Shipment
from strata.durable.store import UNAVAILABLE
from strata.errors import StoreUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
CLAIM_S = 120.0
"""A claim on making a customer that is never let go ends by itself; longer than an ERP takes for one."""
_ORDER_KEY = re.compile(r"^[a-z]{2}:([^:]+):order:(.+)$")


class LedgerLine(Struct, frozen=True, omit_defaults=True):
    """One line of an order as the channel told it."""

    id: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    ships: bool = True


class ToldShipment(Struct, frozen=True):
    """A shipment as it was told to the channel last. lines: the channel's order line id -> pieces."""

    version: str
    lines: dict[str, int]
    tracking_numbers: tuple[str, ...]
    tracking_urls: tuple[str, ...]
    carrier: str
    told: tuple[str, ...]


class KnownOrder(Struct, frozen=True):
    """What fulfilment needs to know of an order."""

    key: str
    status: OrderStatus
    lines: tuple[LedgerLine, ...]
    sold: tuple[SoldLine, ...]


class Claim(Struct, frozen=True):
    """The right to make a buyer's customer. key: under which; first: nobody ever claimed it before."""

    key: str
    first: bool


@contextmanager
def reachable() -> Generator[None]:
    """Turns a database that is away into StoreUnavailable (class T): the step comes again."""
    try:
        yield
    except UNAVAILABLE as error:
        raise StoreUnavailable("Our own database does not answer") from error


def parts_of(key: str) -> tuple[str, str]:
    """Shop and source id of an order key. Raises ValueError for what is not one."""
    match = _ORDER_KEY.match(key)
    if match is None:
        raise ValueError(f"{key!r} is not an order key")
    return match.group(1), match.group(2)


def plain(number: str) -> str:
    """A number as people search for it."""
    return number.strip().lstrip("#").casefold()


def ledger_lines(order: ChannelOrder) -> tuple[LedgerLine, ...]:
    """The lines that the ledger keeps: those with pieces left."""
    return tuple(
        LedgerLine(line.id, _text(line.sku), _text(line.title), line.quantity, line.unit_price, line.requires_shipping)
        for line in order.lines
        if line.quantity
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _text(value: str) -> str:
    """Without NUL, which PostgreSQL does not take in a text."""
    return value.replace("\x00", "")


class Ledger:
    """Small writes, each in one statement and safe to repeat; and what steps need to read."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def register(self, key: str, number: str, *, vendor: str, connection: str) -> None:
        """An order was heard of: its row as `received`, and its link to the channel. One that is there stays."""
        shop, source_id = parts_of(key)
        with reachable():
            await self._pool.execute(
                """WITH made AS (
                     INSERT INTO orders.sales_order
                       (key, shop, source_id, number, number_plain, status, rank, received_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, 'received', 0, durable.now(), durable.now())
                     ON CONFLICT (key) DO NOTHING RETURNING key, received_at),
                   linked AS (
                     INSERT INTO orders.link (key, connection, vendor, id, number)
                     SELECT key, $6, $7, $3, $4 FROM made)
                   INSERT INTO orders.milestone (key, status, at) SELECT key, 'received', received_at FROM made""",
                key, shop, source_id, number, plain(number), connection, vendor,
            )  # fmt: skip

    async def describe(self, order: ChannelOrder, status: OrderStatus, *, held_because: str = "") -> None:
        """What the channel says of an order, and the status it has before an ERP takes it.

        Once an ERP has it, or it ended, nothing is written any more.
        """
        name = ""
        if order.customer is not None:
            name = f"{order.customer.first_name} {order.customer.last_name}".strip() or order.customer.company
        address = order.shipping_address or order.billing_address
        with reachable():
            await self._pool.execute(
                """WITH changed AS (
                     UPDATE orders.sales_order SET number = $2, number_plain = $3, currency = $4, total = $5, tax = $6,
                       shipping = $7, discounts = $8, customer_name = $9, customer_email = $10, po_number = $11,
                       country = $12, city = $13, financial_state = $14, held_because = $15, lines = $16::jsonb,
                       status = $17, rank = $18, updated_at = durable.now()
                     WHERE key = $1 AND rank < $19 RETURNING key),
                   linked AS (UPDATE orders.link SET number = $2 WHERE key = $1 AND connection = $20)
                   INSERT INTO orders.milestone (key, status, at) SELECT key, $17, durable.now() FROM changed
                   ON CONFLICT DO NOTHING""",
                order.key, order.number, plain(order.number), order.currency, order.totals.total.amount,
                order.totals.tax.amount, order.totals.shipping.amount, order.totals.discounts.amount, _text(name),
                _text(order.customer.email) if order.customer else "", _text(order.po_number),
                address.country if address else "", _text(address.city) if address else "", order.financial_state,
                held_because, _json(ledger_lines(order)), status, RANK[status], RANK[OrderStatus.ACCEPTED],
                order.ref.connection,
            )  # fmt: skip

    async def accept(self, ref: OrderRef, status: OrderStatus, *, partner: str, sold: Sequence[SoldLine]) -> None:
        """An ERP has the order: its id and number, and a status of at least `accepted`."""
        with reachable():
            await self._pool.execute(
                """WITH changed AS (
                     UPDATE orders.sales_order SET partner = $2, erp = $3, sold = $4::jsonb, held_because = '',
                       status = CASE WHEN rank < $6 THEN $5 ELSE status END, rank = greatest(rank, $6),
                       updated_at = durable.now()
                     WHERE key = $1 RETURNING key),
                   reached AS (
                     INSERT INTO orders.milestone (key, status, at) SELECT key, $5, durable.now() FROM changed
                     ON CONFLICT DO NOTHING)
                   INSERT INTO orders.link (key, connection, vendor, id, number)
                   SELECT key, $3, $7, $8, $9 FROM changed
                   ON CONFLICT (key, connection) DO UPDATE SET id = excluded.id, number = excluded.number""",
                ref.key, partner, ref.ref.connection, _json(sold), status, RANK[status], ref.ref.vendor, ref.ref.id,
                ref.number,
            )  # fmt: skip

    async def set_status(self, key: str, status: OrderStatus) -> None:
        """Move an order forward; a status of lower rank than the one it has changes nothing."""
        with reachable():
            await self._pool.execute(
                """WITH changed AS (
                     UPDATE orders.sales_order SET status = $2, rank = $3, updated_at = durable.now()
                     WHERE key = $1 AND rank < $3 RETURNING key)
                   INSERT INTO orders.milestone (key, status, at) SELECT key, $2, durable.now() FROM changed
                   ON CONFLICT DO NOTHING""",
                key, status, RANK[status],
            )  # fmt: skip

    async def known(self, key: str) -> KnownOrder | None:
        """What fulfilment needs of an order; None for one that we do not have."""
        with reachable():
            row = await self._pool.fetchrow(
                "SELECT status, lines::text AS lines, sold::text AS sold FROM orders.sales_order WHERE key = $1", key
            )
        if row is None:
            return None
        return KnownOrder(
            key,
            OrderStatus(row["status"]),
            msgspec.json.decode(row["lines"], type=tuple[LedgerLine, ...]),
            msgspec.json.decode(row["sold"], type=tuple[SoldLine, ...]),
        )

    async def statuses(self, keys: Sequence[str]) -> dict[str, OrderStatus]:
        """The status of those orders that the ledger has."""
        with reachable():
            rows = await self._pool.fetch(
                "SELECT key, status FROM orders.sales_order WHERE key = ANY($1::text[])", list(keys)
            )
        return {str(row["key"]): OrderStatus(row["status"]) for row in rows}

    async def told_shipments(self, key: str) -> dict[str, ToldShipment]:
        """The shipments of an order that the ledger has, by `connection:id`."""
        with reachable():
            rows = await self._pool.fetch(
                """SELECT connection, id, version, lines::text AS lines, tracking_numbers, tracking_urls, carrier, told
                   FROM orders.shipment WHERE key = $1""",
                key,
            )
        return {
            f"{row['connection']}:{row['id']}": ToldShipment(
                str(row["version"]),
                msgspec.json.decode(row["lines"], type=dict[str, int]),
                tuple(row["tracking_numbers"]),
                tuple(row["tracking_urls"]),
                str(row["carrier"]),
                tuple(row["told"]),
            )
            for row in rows
        }

    async def tell_shipment(self, shipment: Shipment, lines: dict[str, int], told: Iterable[str]) -> OrderStatus:
        """A shipment is in the channel: its row, and the order's status by what has left so far.

        Only goods that ship count; answers the status the order has now.
        """
        with reachable():
            await self._pool.execute(
                """INSERT INTO orders.shipment AS s
                     (key, connection, id, version, shipped_at, carrier, tracking_numbers, tracking_urls, lines, told)
                   VALUES ($1, $2, $3, $4, $5, $6, $7::text[], $8::text[], $9::jsonb, $10::text[])
                   ON CONFLICT (key, connection, id) DO UPDATE SET version = excluded.version,
                     carrier = excluded.carrier, tracking_numbers = excluded.tracking_numbers,
                     tracking_urls = excluded.tracking_urls, lines = excluded.lines, told = excluded.told""",
                shipment.order_key, shipment.ref.connection, shipment.ref.id, shipment.ref.version,
                shipment.shipped_at, _text(shipment.carrier), [_text(n) for n in shipment.tracking_numbers],
                [_text(url) for url in shipment.tracking_urls], _json(lines), list(told),
            )  # fmt: skip
        order = await self.known(shipment.order_key)
        if order is None:
            return OrderStatus.RECEIVED
        left = {line.id: line.quantity for line in order.lines if line.ships}
        for one in (await self.told_shipments(shipment.order_key)).values():
            for line, pieces in one.lines.items():
                if line in left:
                    left[line] -= pieces
        partly = any(pieces > 0 for pieces in left.values())
        status = OrderStatus.PARTIALLY_SHIPPED if partly else OrderStatus.SHIPPED
        await self.set_status(shipment.order_key, status)
        return status

    async def unseen(self, connection: str, versions: dict[str, str]) -> frozenset[str]:
        """Of shipments (id -> version): the ids for which no run was started in that version."""
        with reachable():
            rows = await self._pool.fetch(
                "SELECT id, version FROM orders.seen_shipment WHERE connection = $1 AND id = ANY($2::text[])",
                connection,
                list(versions),
            )
        seen = {str(row["id"]): str(row["version"]) for row in rows}
        return frozenset(shipment for shipment, version in versions.items() if seen.get(shipment) != version)

    async def saw(self, connection: str, versions: dict[str, str]) -> None:
        """Runs were started for these shipments."""
        with reachable():
            await self._pool.execute(
                """INSERT INTO orders.seen_shipment (connection, id, version, at)
                   SELECT $1, id, version, durable.now() FROM unnest($2::text[], $3::text[]) AS x(id, version)
                   ON CONFLICT (connection, id) DO UPDATE SET version = excluded.version, at = excluded.at""",
                connection,
                list(versions),
                list(versions.values()),
            )

    async def claim_customer(self, order_key: str, *, erp: str, buyer: str, key: str) -> Claim | None:
        """The right to make a buyer's customer, until it is let go or runs out; None while another order has it."""
        with reachable():
            row = await self._pool.fetchrow(
                """INSERT INTO orders.customer_claim AS c (erp, buyer, key, claimed_by, until)
                   VALUES ($1, $2, $3, $4, durable.now() + make_interval(secs => $5))
                   ON CONFLICT (erp, buyer) DO UPDATE SET claimed_by = excluded.claimed_by, until = excluded.until
                     WHERE c.until < durable.now() OR c.claimed_by = excluded.claimed_by
                   RETURNING c.key, c.xmax = 0 AS first""",
                erp, _text(buyer), key, order_key, CLAIM_S,
            )  # fmt: skip
        return None if row is None else Claim(str(row["key"]), bool(row["first"]))

    async def let_customer_go(self, order_key: str, *, erp: str) -> None:
        """An order's customer is made and remembered: others may go on."""
        with reachable():
            await self._pool.execute(
                "UPDATE orders.customer_claim SET until = '-infinity' WHERE erp = $1 AND claimed_by = $2 "
                "AND until > '-infinity'",
                erp,
                order_key,
            )

    async def review_customer(
        self, order_key: str, *, erp: str, buyer_key: str, customer_id: str, reason: str, candidates: Sequence[str]
    ) -> None:
        """Ask a person which of several customers it is; once for each order."""
        with reachable():
            await self._pool.execute(
                """INSERT INTO orders.customer_review
                     (order_key, erp, buyer_key, customer_id, reason, candidates, at)
                   VALUES ($1, $2, $3, $4, $5, $6::jsonb, durable.now()) ON CONFLICT (order_key) DO NOTHING""",
                order_key, erp, buyer_key, customer_id, reason, _json(list(candidates)),
            )  # fmt: skip


def moment(text: str) -> datetime:
    """A stored watermark as a time. Raises msgspec.ValidationError."""
    return msgspec.convert(text, datetime)
