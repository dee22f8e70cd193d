"""Steps of the delta reads: fulfilments of ERPs (O2C-04) and orders of channels (O2C-08), each with a watermark."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from process_apis.orders.ledger import Ledger, moment, parts_of
from process_apis.orders.steps.fulfilment import FulfilmentInput
from strata.canonical.events import ChannelOrderEvent
from strata.canonical.orders import OrderStatus, Shipment
from strata.context import Context
from strata.contracts.system import ChannelOrders, Fulfilments
from strata.contracts.system.channel_orders import ChannelOrderHead
from strata.durable import At
from strata.errors import Missing

FIRST_LOOK_BACK_S = 3600.0
"""How far the very first read of a connection looks back. Older orders are a matter of a planned initial load."""
PAGE = 100


class SweepInput(Struct, frozen=True):
    """Which connection to ask. kind: `fulfilments` or `orders`."""

    connection: str
    kind: str

    @property
    def watermark(self) -> str:
        """Name of the watermark in the journal."""
        return f"{self.kind}:{self.connection}"


class Mark(Struct, frozen=True):
    """Where the last read ended (empty: never), and from when this one asks."""

    value: str
    since: datetime


class PageRead(Struct, frozen=True, omit_defaults=True):
    """What one page held. newest: the newest change in it, as RFC 3339 in UTC."""

    seen: int
    started: int
    newest: str = ""
    next: str = ""


def shops(context: Context) -> dict[str, str]:
    """Shop subdomain -> connection of the channel. A connection that names no shop is called like its shop."""
    return {str(c.options.get("shop", name)): name for name, c in context.connections.items()}


def stamp(at: datetime) -> str:
    """A time as watermarks keep it: UTC with fixed digits, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def version_of(shipment: Shipment) -> str:
    """What tells two versions of a shipment apart: the vendor's version, which may be no finer than a second, and
    what the channel would be told."""
    told = (shipment.status, shipment.lines, shipment.carrier, shipment.tracking_numbers, shipment.tracking_urls)
    digest = hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:12]
    return f"{shipment.ref.version or stamp(shipment.updated_at)}:{digest}"


async def read_watermark(at: At[Context], given: SweepInput) -> Mark:
    """Where the last read ended, and from when to read now: an overlap behind it (contract C7)."""
    value = await at.services.journal.watermark(given.watermark)
    if value is None:
        return Mark("", await at.services.journal.now() - timedelta(seconds=FIRST_LOOK_BACK_S))
    return Mark(value, moment(value) - timedelta(seconds=at.services.settings.sweep_overlap_s))


async def advance(at: At[Context], given: SweepInput, before: str, newest: str) -> bool:
    """Move the watermark, after everything up to it was started. False: somebody else moved it."""
    return await at.services.journal.advance_watermark(given.watermark, newest, expected=before or None)


async def poll_page(at: At[Context], given: SweepInput, since: datetime, cursor: str) -> PageRead:
    """One page of shipments: a run for each that is new, or new in this version. Starting twice makes one run."""
    context = at.services
    erp = context.topology.system(given.connection, Fulfilments)
    page = await erp.list_fulfilments(updated_from=since, cursor=cursor, limit=PAGE)
    channels, ledger = shops(context), Ledger(context.database)
    versions = {shipment.ref.id: version_of(shipment) for shipment in page.items}
    new = await ledger.unseen(given.connection, versions)
    started = 0
    for shipment in page.items:
        if shipment.ref.id not in new:
            continue
        shop, _ = parts_of(shipment.order_key)
        if shop not in channels:
            continue  # an order of a shop that is no longer connected: nobody to tell
        version = versions[shipment.ref.id]
        made = await context.journal.start(
            "fulfilment_back",
            f"{given.connection}:fulfilment:{shipment.ref.id}:{version}",
            FulfilmentInput(given.connection, channels[shop], shipment),
            order_key=shipment.order_key,
            label=f"{shipment.order_number} shipment {shipment.ref.id}",
        )
        started += made.created
    await ledger.saw(given.connection, {shipment: versions[shipment] for shipment in new})
    newest = max((stamp(s.updated_at) for s in page.items), default="")
    return PageRead(len(page.items), started, newest, page.next)


async def sweep_page(at: At[Context], given: SweepInput, since: datetime, cursor: str) -> PageRead:
    """One page of orders: a capture for each that we do not have, a word to each that is held and may go on now."""
    context = at.services
    channel = context.topology.system(given.connection, ChannelOrders)
    page = await channel.list_orders(updated_from=since, cursor=cursor, limit=PAGE)
    open_heads = [head for head in page.items if not head.erp_order_id]
    statuses = await Ledger(context.database).statuses([head.key for head in open_heads])
    started = 0
    for head in open_heads:
        status = statuses.get(head.key)
        if status is None:
            started += await _start(context, given.connection, head)
        elif status is OrderStatus.ON_HOLD:
            started += await _wake(context, given.connection, head, sweep=at.run_id)
    newest = max((stamp(head.updated_at) for head in page.items), default="")
    return PageRead(len(page.items), started, newest, page.next)


def _event(connection: str, head: ChannelOrderHead) -> ChannelOrderEvent:
    version = head.updated_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return ChannelOrderEvent(head.key, connection, head.number, version)


async def _start(context: Context, connection: str, head: ChannelOrderHead) -> bool:
    made = await context.journal.start(
        "order_capture", head.key, _event(connection, head), order_key=head.key, label=head.number or head.key
    )
    return made.created


async def _wake(context: Context, connection: str, head: ChannelOrderHead, *, sweep: int) -> bool:
    """Tell a held order once a sweep: its version may be no finer than a second, so it alone does not tell of news."""
    event = _event(connection, head)
    try:
        return await context.journal.signal(
            "order_capture", head.key, "channel_order.changed", event, dedupe=f"{event.updated_at}:{sweep}"
        )
    except Missing:  # the run was deleted after its time, or never was: the ledger alone starts nothing
        return await _start(context, connection, head)
