"""The way to PostgreSQL: one statement, one transaction, repeated when the reply was lost; and the migrations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import asyncpg

from strata.errors import Poison, StoreUnavailable

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

# Plans of these statements must not depend on what the planner believes of tables that grow a thousandfold in a minute.
SESSION = {
    "application_name": "strata-durable",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until it is promoted
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,  # an I/O error of the server
)
AGAIN = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,  # a migration changed a table under a prepared statement
)
UNREADABLE = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""A value that PostgreSQL does not take (a NUL in a text, a key longer than an index row): so it stays."""


class Store:
    """A pool for single statements. Every statement of the journal may be repeated, so a cut connection is safe."""

    def __init__(self, pool: Pool, *, owned: bool, patience_s: float) -> None:
        self.pool = pool
        self._owned = owned
        self._patience_s = patience_s

    @classmethod
    async def open(cls, dsn_or_pool: str | Pool, *, max_connections: int = 10, patience_s: float = 2.0) -> Self:
        """Connect. patience_s: how long a caller waits for a store that is away before it gets StoreUnavailable.

        With a DSN the pool is the journal's own, with the planner settings its statements want; a pool that is passed
        in stays the caller's. The store need not answer yet.
        """
        if not isinstance(dsn_or_pool, str):
            return cls(dsn_or_pool, owned=False, patience_s=patience_s)
        pool = asyncpg.create_pool(
            dsn_or_pool,
            min_size=0,
            max_size=max_connections,
            command_timeout=30,
            timeout=5,
            server_settings=SESSION,
            reset=_no_reset,
        )
        await pool
        return cls(pool, owned=True, patience_s=patience_s)

    async def close(self) -> None:
        """Give the connections back."""
        if self._owned:
            try:
                await asyncio.wait_for(self.pool.close(), 5)
            except TimeoutError:
                self.pool.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    def connection(self) -> AbstractAsyncContextManager[Any]:
        """A connection of the pool, for LISTEN and for transactions of several statements."""
        return self.pool.acquire(timeout=5)

    async def call(self, sql: str, *args: object, patience_s: float | None = None) -> list[asyncpg.Record]:
        """Run one statement, again if the store went away meanwhile; give up after `patience_s` (inf: never).

        Raises StoreUnavailable when patience ended: then nothing is certain, and the caller repeats the whole
        operation. Raises Poison when PostgreSQL cannot take a value.
        """
        patience_s = self._patience_s if patience_s is None else patience_s
        loop = asyncio.get_running_loop()
        started = loop.time()
        pause_s = 0.02
        while True:
            try:
                async with self.pool.acquire(timeout=5) as connection:
                    return await connection.fetch(sql, *args)
            except AGAIN:
                pass
            except UNREADABLE as exc:
                raise Poison(f"The journal cannot store a value: {exc}") from exc
            except UNAVAILABLE as exc:
                if loop.time() - started + pause_s > patience_s or self.pool.is_closing():
                    raise StoreUnavailable(f"The journal's database does not answer: {type(exc).__name__}") from exc
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.5)

    async def value(self, sql: str, *args: object, patience_s: float | None = None) -> Any:
        """The first column of the first row."""
        return (await self.call(sql, *args, patience_s=patience_s))[0][0]


async def _no_reset(_connection: object) -> None:
    """Our statements leave no session state behind: spare the round trip that asyncpg would make after each."""


def migrations() -> list[tuple[int, str]]:
    """Number and text of every migration, in order."""
    folder = files("strata.durable") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), (folder / name).read_text()) for name in names]


async def migrate(store: Store, steps: Sequence[tuple[int, str]] | None = None) -> int:
    """Bring the schema up to date; safe from several processes at once. Answers the version it has then.

    Rules that let older workers go on beside newer ones: a migration only adds (columns with a default, tables,
    indexes), and a function keeps its name only while its meaning and arguments stay.
    """
    async with store.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock(7219650041)")
        try:
            await connection.execute(
                "CREATE SCHEMA IF NOT EXISTS durable;"
                "CREATE TABLE IF NOT EXISTS durable.migration (version int PRIMARY KEY, applied_at timestamptz)"
            )
            done = await connection.fetchval("SELECT coalesce(max(version), 0) FROM durable.migration")
            for version, sql in steps or migrations():
                if version > done:
                    done = await _apply(connection, version, sql)
            return int(done)
        finally:
            await connection.execute("SELECT pg_advisory_unlock(7219650041)")


async def _apply(connection: Any, version: int, sql: str) -> int:
    while True:
        try:
            async with connection.transaction():
                await connection.execute(
                    "SET LOCAL lock_timeout = '2s'"
                )  # never let intake queue behind our DDL for long
                await connection.execute(sql)
                await connection.execute("INSERT INTO durable.migration VALUES ($1, clock_timestamp())", version)
                return version
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(0.2)
