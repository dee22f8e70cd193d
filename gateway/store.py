"""The gateway's own tables: which migrations there are, and what "the database is away" looks like."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import asyncpg

from strata import store
from strata.errors import StoreUnavailable

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, StoreUnavailable)
"""What is raised when the database is away, restarting or refusing."""

_PARTS = ("identity", "analytics")


async def migrate(pool: Pool) -> None:
    """Bring all tables of the gateway up to date; gateways that start together wait for each other."""
    for part in _PARTS:
        await store.migrate(pool, f"gateway_{part}", Path(__file__).with_name(part) / "migrations")
