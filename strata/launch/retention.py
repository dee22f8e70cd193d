"""Keeps the journal from growing for ever: what ended long ago goes, a little at a time, beside the work."""

from __future__ import annotations

import asyncio

import asyncpg

from strata.durable import Journal
from strata.errors import StrataError
from strata.settings import Settings
from strata.telemetry import log

_DAY_S = 86_400.0


async def retain(journal: Journal, settings: Settings, *, every_s: float = 600.0) -> None:
    """Every `every_s` seconds, for ever, delete runs and events older than the settings keep them.

    Every worker may do it: they do not disturb each other. A database that is away is tried again the next time.
    """
    keep_runs_s, keep_events_s = settings.keep_runs_days * _DAY_S, settings.keep_events_days * _DAY_S
    while True:
        await asyncio.sleep(every_s)
        try:
            gone = await journal.purge(keep_runs_s, events_older_than_s=keep_events_s)
        except (StrataError, asyncpg.PostgresError, OSError) as error:
            log.warning("what ended long ago was not deleted", error=repr(error))
        else:
            if gone:
                log.info("deleted what ended long ago", items=gone)
