"""The process worker: one claims and carries the runs of all process families, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from strata import telemetry
from strata.contracts.operation import Layer
from strata.durable import Worker
from strata.launch import front
from strata.launch.retention import retain
from strata.runtime import open_context
from strata.settings import Settings


async def work(settings: Settings, stop: asyncio.Event, *, ready: Callable[[], None]) -> None:
    """Work until `stop` is set, then finish or hand back what is in hand. `ready` is called once it takes work.

    Raises Invalid for wrong settings, StoreUnavailable when the database does not answer at the start.
    """
    telemetry.setup(settings, settings.service_name)
    context = await open_context(settings)
    try:
        context.takes_webhooks = False
        front.embed(context, Layer.SYSTEM)
        parts = context.topology.worker_parts()
        worker = Worker(
            context.journal,
            parts.definitions,
            context,
            capacity=settings.worker_capacity,
            schedules=parts.schedules,
            subscriptions=parts.subscriptions,
            dead_after_s=settings.worker_dead_after_s,
        )
        await context.startup()
        ready()
        retention = asyncio.create_task(retain(context.journal, settings), name="retention")
        try:
            await worker.run(stop)
        finally:
            retention.cancel()
    finally:
        await context.shutdown()
        telemetry.shutdown()
