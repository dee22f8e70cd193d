"""Opens what a process of the product needs, and closes it again."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

from strata import governor, store, telemetry
from strata.connections import load_connections
from strata.context import Context
from strata.crossref import CrossRef
from strata.durable import InboundEvent, Journal
from strata.internal import ServiceTokens
from strata.settings import Settings
from strata.tables import Tables
from strata.topology import Topology

MIGRATIONS = Path(__file__).parent / "migrations"


async def open_context(settings: Settings, *, migrate: bool = True) -> Context:
    """Connect to the stores, bring their tables up to date, and make the context that factories are given.

    Raises Invalid for settings that do not fit their profile, StoreUnavailable when PostgreSQL does not answer.
    """
    settings.check()
    pool = await store.connect(settings.database_url, size=settings.database_pool)
    # a pool of its own: its statements want their own planner settings, and a busy step starves no write
    journal = await Journal.open(settings.database_url, max_connections=settings.database_pool)
    if migrate:
        await store.migrate(pool, "strata", MIGRATIONS)
        await journal.migrate()
        await governor.migrate(pool)
    context = Context(
        settings=settings,
        connections=load_connections(settings),
        database=pool,
        journal=journal,
        tables=Tables(pool),
        crossref=CrossRef(pool),
        tokens=ServiceTokens(settings.secret_key),
    )
    context.topology = Topology(context)
    journal.reparse = partial(reread, context)
    return context


def reread(context: Context, event: InboundEvent) -> InboundEvent:
    """A quarantined event, read again by the backend that it came from (`source` is `{vendor}:{connection}`).

    Raises Invalid when it still cannot be read: then it stays where it is.
    """
    vendor, _, connection = event.source.partition(":")
    found = context.connections.get(connection)
    if found is None or found.vendor != vendor:
        return event
    events = importlib.import_module(f"system_apis.{vendor}.events")  # by name: this module imports no layer
    return cast("InboundEvent", events.reread(event, found))


@asynccontextmanager
async def opened(settings: Settings, *, migrate: bool = True) -> AsyncGenerator[Context]:
    """A context for a script or a test: started and shut down around the block."""
    context = await open_context(settings, migrate=migrate)
    try:
        await context.startup()
        yield context
    finally:
        await context.shutdown()
        telemetry.shutdown()
