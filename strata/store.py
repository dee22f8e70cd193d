"""PostgreSQL: one pool a process, numbered migrations for each part of the house."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path

import asyncpg

from strata.errors import StoreUnavailable

_NUMBERED = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


async def connect(url: str, *, size: int = 10, wait_s: float = 10.0) -> asyncpg.Pool:
    """A pool of connections; waits up to `wait_s` seconds for a database that is just starting.

    Raises StoreUnavailable when it does not come.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while True:
        try:
            return await asyncpg.create_pool(
                url,
                min_size=min(2, size),
                max_size=size,
                command_timeout=30,
                server_settings={"application_name": "strata"},
            )
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
            if loop.time() > deadline:
                raise StoreUnavailable("PostgreSQL does not answer") from error
            await asyncio.sleep(0.05)


def numbered(folder: Path) -> list[tuple[int, str]]:
    """The migrations of a folder, `0001_name.sql` and following, in order."""
    found = [(int(m.group(1)), p.read_text("utf-8")) for p in folder.iterdir() if (m := _NUMBERED.match(p.name))]
    return sorted(found)


async def migrate(pool: asyncpg.Pool, part: str, folder: Path) -> int:
    """Bring one part's tables to the newest version and answer that version.

    Many processes may call it at once: an advisory lock lets one at a time. Each migration is one transaction.
    """
    lock = int.from_bytes(hashlib.sha256(f"strata:{part}".encode()).digest()[:8], "big", signed=True)
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", lock)
        try:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS public.strata_migration "
                "(part text NOT NULL, version int NOT NULL, at timestamptz NOT NULL DEFAULT now(), "
                "PRIMARY KEY (part, version))"
            )
            done = await connection.fetchval(
                "SELECT coalesce(max(version), 0) FROM public.strata_migration WHERE part = $1", part
            )
            current = int(done or 0)
            for version, statements in numbered(folder):
                if version <= current:
                    continue
                async with connection.transaction():
                    await connection.execute(statements)
                    await connection.execute(
                        "INSERT INTO public.strata_migration (part, version) VALUES ($1, $2)", part, version
                    )
                current = version
            return current
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", lock)
