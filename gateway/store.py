"""The gateway's own schema: numbered SQL files, applied once, safely when several gateways start together."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TypeAlias

import asyncpg

_LOCK = 0x5354_5241_5441_4757  # "STRATAGW": the advisory lock of these migrations
_SETS = ("identity", "analytics")

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What asyncpg raises when the database is away, restarting or refusing."""


class MigrationChangedError(Exception):
    """A file that was applied before has another content now: the database and the code have parted."""


async def connect(dsn: str) -> Pool:
    """A small pool: the data path asks the database for tokens and roll-ups only, never per request."""
    return await asyncpg.create_pool(dsn, min_size=1, max_size=6, command_timeout=5.0, timeout=5.0)


async def migrate(pool: Pool) -> list[str]:
    """Apply what is missing and return its names. Raises MigrationChangedError; concurrent callers wait."""
    applied: list[str] = []
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute("CREATE SCHEMA IF NOT EXISTS gateway")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS gateway.migrations ("
            "name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = await connection.fetch("SELECT name, sha256 FROM gateway.migrations")
        known: dict[str, str] = {row["name"]: row["sha256"] for row in rows}
        for name, sql in _files():
            digest = hashlib.sha256(sql.encode()).hexdigest()
            if name in known:
                if known[name] != digest:
                    raise MigrationChangedError(name)
                continue
            await connection.execute(sql)
            await connection.execute("INSERT INTO gateway.migrations (name, sha256) VALUES ($1, $2)", name, digest)
            applied.append(name)
    return applied


def _files() -> list[tuple[str, str]]:
    return [
        (f"{part}/{entry.name}", entry.read_text("utf-8"))
        for part in _SETS
        for entry in sorted(files("gateway").joinpath(part, "migrations").iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    ]
