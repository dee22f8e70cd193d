"""The one writer of roll-ups: from the ledger in memory to rows in PostgreSQL, merged with other gateways' rows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog

from gateway.core.account import Ledger
from gateway.store import DATABASE_ERRORS, Pool

_log = structlog.stdlib.get_logger("strata.gateway")

_MERGE = """
INSERT INTO gateway.rollups AS known
    (minute, api, operation, client, status_class, requests, latency_us, histogram)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (minute, api, operation, client, status_class) DO UPDATE SET
    requests = known.requests + excluded.requests,
    latency_us = known.latency_us + excluded.latency_us,
    histogram = (SELECT array_agg(a + b ORDER BY place)
                 FROM unnest(known.histogram, excluded.histogram) WITH ORDINALITY AS pair (a, b, place))
"""


class Flusher:
    """Writes the ledger every `every_s` seconds in one transaction; what cannot be written waits and is merged.

    Rows are written in the order of their key, so that two gateways never lock each other out. An outage that cuts
    the connection exactly between commit and answer counts those few seconds twice.
    """

    def __init__(self, ledger: Ledger, pool: Pool, every_s: float) -> None:
        self._ledger = ledger
        self._pool = pool
        self._every_s = every_s
        self.failures = 0

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

    async def flush(self) -> bool:
        """Write what was counted. False when the database is away: nothing is lost, the rows wait."""
        rows = self._ledger.take()
        if not rows:
            return True
        values = [
            (
                datetime.fromtimestamp(key.minute * 60, UTC),
                key.api,
                key.operation,
                key.client,
                key.status_class,
                row.requests,
                row.latency_us,
                row.histogram,
            )
            for key, row in sorted(rows.items())
        ]
        try:
            async with self._pool.acquire(timeout=5.0) as connection, connection.transaction():
                await connection.executemany(_MERGE, values)
        except DATABASE_ERRORS as error:
            self.failures += 1
            self._ledger.give_back(rows)
            _log.warning("rollups_wait", error=type(error).__name__, rows=len(rows))
            return False
        except BaseException:
            self._ledger.give_back(rows)
            raise
        return True
