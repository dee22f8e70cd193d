"""What the family of order processes brings: an API, and the parts of a worker."""

from __future__ import annotations

from process_apis.orders import tables, workflow
from process_apis.orders.api import Orders
from process_apis.orders.ledger import MIGRATIONS
from process_apis.orders.steps.sweep import SweepInput
from strata.calls import ASGIApp
from strata.context import Context, WorkerParts
from strata.contracts.system import ChannelOrders, Fulfilments
from strata.durable import Schedule, Subscription, definitions
from strata.serve import Mount, service
from strata.store import migrate

EVENTS = ("channel_order.created", "channel_order.paid", "channel_order.updated", "channel_order.cancelled")
PROCESSES = ("order_capture", "fulfilment_back", "fulfilment_poll", "order_sweep")


def prepare(context: Context) -> None:
    """Declare the tables of order flows, and bring the ledger up to date at the start of the process."""
    for table in tables.ALL:
        context.tables.declare(table)

    async def migrated() -> None:
        await migrate(context.database, "orders", MIGRATIONS)

    context.on_startup(migrated)


def create(context: Context) -> ASGIApp:
    """The app of the process API `order_management`."""
    prepare(context)
    return service(context, "process-orders", [Mount(Orders(context))])


def worker_parts(context: Context) -> WorkerParts:
    """Definitions of O2C-01, O2C-04 and O2C-08, their schedules, and the events that start them."""
    prepare(context)
    settings = context.settings
    polls = [
        Schedule(
            name=f"fulfilment_poll:{name}",
            process="fulfilment_poll",
            every_s=settings.fulfilment_poll_s,
            input=SweepInput(name, "fulfilments"),
        )
        for name in context.topology.offering(Fulfilments)
    ]
    sweeps = [
        Schedule(
            name=f"order_sweep:{name}",
            process="order_sweep",
            every_s=settings.sweep_s,
            input=SweepInput(name, "orders"),
        )
        for name in context.topology.offering(ChannelOrders)
    ]
    subscriptions = tuple(
        Subscription(event=event, process="order_capture", on_existing=workflow.CHANGED) for event in EVENTS
    )
    return WorkerParts(definitions(*PROCESSES), (*polls, *sweeps), subscriptions)
