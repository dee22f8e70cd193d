"""A house of processes: real journal, worker, ledger and tables on PostgreSQL; fake shops and ERP at the edge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from process_apis.orders import factory
from process_apis.orders.api import Orders
from strata import store
from strata.canonical.events import ChannelOrderEvent
from strata.canonical.orders import ChannelOrder
from strata.connections import Connection
from strata.context import Context, WorkerParts
from strata.crossref import CrossRef
from strata.durable import InboundEvent, ItemDetail, Journal, Received, Schedule, Status, Worker
from strata.durable.journal import to_json
from strata.internal import ServiceTokens
from strata.settings import Settings
from strata.tables import Tables
from tests.process_apis.fakes import FakeErp, FakeShop, FakeTopology

STRATA_MIGRATIONS = store.Path(store.__file__).parent / "migrations"
STANDS = {Status.DEAD, Status.WAITING, Status.SLEEPING, Status.DONE, Status.PARKED}


class House:
    """What the tests speak to."""

    def __init__(self, context: Context, parts: WorkerParts, *, us: FakeShop, eu: FakeShop, erp: FakeErp) -> None:
        self.context = context
        self.journal = context.journal
        self.parts = parts
        self.us, self.eu, self.erp = us, eu, erp
        self.api = Orders(context)
        self._deliveries = 0

    async def webhook(self, order: ChannelOrder, what: str = "created", **more: Any) -> Received:
        """The channel says that something happened to an order."""
        self._deliveries += 1
        event = ChannelOrderEvent(order.key, order.ref.connection, order.number, order.updated_at.isoformat())
        return await self.journal.receive(
            InboundEvent(
                source=f"shopify:{order.ref.connection}",
                delivery_id=more.get("delivery_id", f"d{self._deliveries}"),
                type=f"channel_order.{what}",
                subject=order.key,
                version=order.updated_at.isoformat(),
                body=b"{}",
                data=to_json(event),
            )
        )

    async def start(self, schedule: Schedule, nth: int) -> str:
        """Let a schedule come round."""
        key = f"{schedule.name}-{nth}"
        await self.journal.start(schedule.process, key, schedule.input)
        return key

    def schedule(self, name: str) -> Schedule:
        """A schedule by name."""
        return next(s for s in self.parts.schedules if s.name == name)

    async def item(self, process: str, key: str) -> ItemDetail:
        """A run as operators see it."""
        [row] = await self.journal.call("SELECT id FROM durable.run WHERE process = $1 AND key = $2", process, key)
        return await self.journal.get_item(row["id"])

    async def stands(self, process: str, key: str, *, status: Status | None = None) -> ItemDetail:
        """Wait until a run stands still (at `status`, where given)."""
        deadline = asyncio.get_running_loop().time() + 10
        while True:
            detail = await self.item(process, key)
            if detail.item.status in STANDS and status in {None, detail.item.status}:
                return detail
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{process} {key} is {detail.item.status}: {detail.item.reason}")
            await asyncio.sleep(0.01)

    async def captured(self, order: ChannelOrder) -> ItemDetail:
        """Wait until the capture of an order is done."""
        return await self.stands("order_capture", order.key, status=Status.DONE)

    async def retry(self, detail: ItemDetail) -> None:
        """A person mended the cause."""
        await self.journal.retry(detail.item.id, by="ops", why="mended")

    async def runs(self, process: str) -> int:
        """How many runs of a process there are."""
        return await self.journal.value("SELECT count(*) FROM durable.run WHERE process = $1", process)


async def _worker(house: House, schedules: tuple[Schedule, ...], stop: asyncio.Event) -> None:
    worker = Worker(
        house.journal,
        house.parts.definitions,
        house.context,
        poll_s=0.02,
        schedules=schedules,
        subscriptions=house.parts.subscriptions,
    )
    await worker.run(stop)


@pytest.fixture
async def house(postgres_url: str) -> AsyncIterator[House]:
    """Everything running but the schedules, which tests let come round themselves."""
    pool = await store.connect(postgres_url, size=6)
    journal = await Journal.open(postgres_url, max_connections=6)
    await journal.migrate()
    await store.migrate(pool, "strata", STRATA_MIGRATIONS)
    connections = {
        "northwind-us": Connection("northwind-us", "shopify", {"shop": "northwind-us"}),
        "northwind-eu": Connection("northwind-eu", "shopify", {"shop": "northwind-eu"}),
        "erp": Connection("erp", "netsuite", {}),
    }
    context = Context(
        settings=Settings(hold_check_s=3600.0),
        connections=connections,
        database=pool,
        journal=journal,
        tables=Tables(pool),
        crossref=CrossRef(pool),
        tokens=ServiceTokens(""),
    )
    us, eu, erp = FakeShop(), FakeShop(), FakeErp()
    topology: Any = FakeTopology({"northwind-us": us, "northwind-eu": eu, "erp": erp})
    context.topology = topology
    house = House(context, factory.worker_parts(context), us=us, eu=eu, erp=erp)
    await context.startup()
    await journal.subscribe(house.parts.subscriptions)
    stop = asyncio.Event()
    working = asyncio.create_task(_worker(house, (), stop))
    while not await journal.value("SELECT count(*) FROM durable.worker"):
        if working.done():
            working.result()
        await asyncio.sleep(0.01)
    yield house
    stop.set()
    await working
    await journal.close()
    await pool.close()
