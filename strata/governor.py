"""The governor of a backend account: never more calls in flight than the account allows, whoever asks.

A vendor such as NetSuite counts the requests of one account over all our processes. So each call first takes a lease:

    async with governor.lease("netsuite:TD3025871", limit=5, server_limit_s=900, wait_s=20) as lease:
        try:
            await send()
        except TimedOut:
            await lease.keep_until_limit()     # the vendor may still be at it: its place stays taken
            raise

Leases and waiting tickets are rows in PostgreSQL. The oldest ticket is always the next to be granted, across processes;
the process that gives a lease back grants the next ones in the same statement and wakes their owners by NOTIFY. A
process that dies stops giving signs of life, and its leases are free `dead_after_s` later. Explained in
docs/explanation/governor.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from strata import store, telemetry
from strata.errors import StoreUnavailable, Throttled

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_MIGRATIONS = Path(__file__).with_name("governor_migrations")
_TURN = "SELECT * FROM governor.turn($1, $2, $3, $4, $5, $6, $7, $8)"
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
_WINDOW = 4
"""Tickets that one process has in the database for an account, as a multiple of the limit; more wait in its memory."""
_RETRY_AFTER_S = 1.0


async def migrate(pool: asyncpg.Pool) -> int:
    """Bring the governor's tables to the newest version."""
    return await store.migrate(pool, "governor", _MIGRATIONS)


class Lease:
    """One place among the calls in flight at an account. Given back when its `async with` block ends."""

    def __init__(self, account: _Account, ticket: uuid.UUID, server_limit_s: float) -> None:
        self._account = account
        self.id = ticket
        self._server_limit_s = server_limit_s
        self.sent_at = time.monotonic()
        self.kept = False

    def sending(self) -> None:
        """Say that the request goes out now: the backend's own limit counts from here."""
        self.sent_at = time.monotonic()

    async def keep_until_limit(self, unsure_s: float = 0.0) -> None:
        """Keep the place until the backend itself has surely ended the request, even when this process dies.

        For a call that was sent and not answered. unsure_s: how much later than `sending()` it may have arrived.
        """
        self.kept = True
        elapsed = time.monotonic() - self.sent_at
        await self._account.keep(self, max(0.0, self._server_limit_s + unsure_s - elapsed))


class _Waiter:
    __slots__ = ("lease", "ready")

    def __init__(self, lease: Lease, ready: asyncio.Future[None]) -> None:
        self.lease = lease
        self.ready = ready


class _Account:
    """The local side of one account: who waits here, what is held here, and the one task that talks to the store."""

    def __init__(self, governor: Governor, name: str, limit: int) -> None:
        self._governor = governor
        self.name = name
        self.limit = limit
        self.queue: deque[_Waiter] = deque()
        self.waiting: dict[uuid.UUID, _Waiter] = {}
        self.held: dict[uuid.UUID, Lease] = {}
        self.to_keep: dict[uuid.UUID, float] = {}
        self.done: set[uuid.UUID] = set()
        self._sent_done: frozenset[uuid.UUID] = frozenset()
        self._kick = asyncio.Event()
        self._tidy = True
        self.task = asyncio.create_task(self._work(), name=f"governor {name}")

    async def acquire(self, server_limit_s: float, wait_s: float) -> Lease:
        waiter = _Waiter(Lease(self, uuid.uuid4(), server_limit_s), asyncio.get_running_loop().create_future())
        self.queue.append(waiter)
        self._kick.set()
        try:
            async with asyncio.timeout(wait_s):
                await waiter.ready
        except BaseException as error:
            self._give_up(waiter)
            if isinstance(error, TimeoutError):
                raise Throttled(
                    f"All {self.limit} places of {self.name} were taken for {wait_s:g} s", retry_after_s=_RETRY_AFTER_S
                ) from error
            raise
        waiter.lease.sending()
        return waiter.lease

    def _give_up(self, waiter: _Waiter) -> None:
        waiter.ready.cancel()
        ticket = waiter.lease.id
        if self.waiting.pop(ticket, None) is not None or self.held.pop(ticket, None) is not None:
            self.done.add(ticket)
            self._kick.set()

    def release(self, lease: Lease) -> None:
        if not lease.kept and self.held.pop(lease.id, None) is not None:
            self.done.add(lease.id)
            self._kick.set()

    async def keep(self, lease: Lease, seconds: float) -> None:
        self.to_keep[lease.id] = time.monotonic() + seconds
        self.held.pop(lease.id, None)
        with contextlib.suppress(StoreUnavailable):  # the next beat tries again
            await self._keep_all()

    async def _keep_all(self) -> None:
        for ticket, until in list(self.to_keep.items()):
            seconds = max(0.0, until - time.monotonic())
            await self._governor.keep(self.name, self.limit, ticket, seconds)
            self.to_keep.pop(ticket, None)

    def grant(self, ticket: uuid.UUID) -> None:
        """The store says that this ticket is a lease now."""
        waiter = self.waiting.pop(ticket, None)
        if waiter is not None and not waiter.ready.done():
            self.held[ticket] = waiter.lease
            waiter.ready.set_result(None)
        elif ticket not in self.held and ticket not in self._sent_done and ticket not in self.to_keep:
            self.done.add(ticket)  # nobody waits for it any more
            self._kick.set()

    def tidy(self) -> None:
        self._tidy = True
        self._kick.set()

    async def _work(self) -> None:
        while True:
            await self._kick.wait()
            self._kick.clear()
            if self._tidy or self.done or self.queue:
                await self._turn()

    async def _turn(self) -> None:
        tidy, self._tidy = self._tidy, False
        new: list[uuid.UUID] = []
        while self.queue and len(self.waiting) < _WINDOW * self.limit:
            waiter = self.queue.popleft()
            if not waiter.ready.done():
                self.waiting[waiter.lease.id] = waiter
                new.append(waiter.lease.id)
        done, self.done = self.done, set()
        self._sent_done = frozenset(done)
        try:
            if tidy and self.to_keep:
                await self._keep_all()
            want = list(self.waiting) if tidy else new  # a ticket that the store lost is queued again
            held = list(self.held) if tidy else []
            for ticket in await self._governor.turn(self.name, self.limit, list(done), want, held, tidy=tidy):
                self.grant(ticket)
        except StoreUnavailable as error:
            self.done |= done  # given back at the next beat
            self._tidy = True
            self.fail(error)
        finally:
            self._sent_done = frozenset()
        if self.queue and len(self.waiting) < _WINDOW * self.limit:
            self._kick.set()

    def fail(self, error: StoreUnavailable) -> None:
        """Tell everybody who waits here."""
        for waiter in (*self.waiting.values(), *self.queue):
            if not waiter.ready.done():
                waiter.ready.set_exception(StoreUnavailable(error.detail))
        self.done |= set(self.waiting)
        self.waiting.clear()
        self.queue.clear()


class Governor:
    """Leases for backend accounts, shared by every process on the same database.

    pool: one connection is taken from it for good, at the first lease. beat_s: time between signs of life.
    dead_after_s: silence after which a process is taken for dead and its leases are free.
    """

    def __init__(self, pool: asyncpg.Pool, *, beat_s: float = 1.0, dead_after_s: float = 5.0) -> None:
        self._pool = pool
        self._beat_s = beat_s
        self._dead_after = timedelta(seconds=dead_after_s)
        self._me = uuid.uuid4()
        self._accounts: dict[str, _Account] = {}
        self._connection: PoolConnectionProxy[Any] | None = None
        self._lock = asyncio.Lock()
        self._heart: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def lease(
        self, account: str, *, limit: int = 5, server_limit_s: float = 900.0, wait_s: float = 20.0
    ) -> AsyncGenerator[Lease, None]:
        """Hold one of the `limit` places of an account during the block.

        server_limit_s: how long the backend itself works on a request at most. Raises Throttled when no place was
        free within `wait_s`, StoreUnavailable when the database does not answer.
        """
        local = self._accounts.get(account)
        if local is None:
            local = self._accounts[account] = _Account(self, account, limit)
        local.limit = limit
        if self._heart is None:
            self._heart = asyncio.create_task(self._beat_for_ever(), name="governor beat")
        lease = await local.acquire(server_limit_s, wait_s)
        try:
            yield lease
        finally:
            local.release(lease)

    async def usage(self) -> dict[str, tuple[int, int]]:
        """Account -> (leases held, tickets waiting), over all processes."""
        rows = await self._query(
            "SELECT account, count(granted_at) AS held, count(*) - count(granted_at) AS waiting "
            "FROM governor.lease GROUP BY account"
        )
        return {row["account"]: (row["held"], row["waiting"]) for row in rows}

    async def close(self) -> None:
        """Give everything back but the kept leases."""
        tasks = [account.task for account in self._accounts.values()]
        for account in self._accounts.values():
            account.fail(StoreUnavailable("The governor is closed"))
        if self._heart is not None:
            tasks.append(self._heart)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._heart = None
        self._accounts.clear()
        if self._connection is not None:
            with contextlib.suppress(StoreUnavailable):
                await self._query("SELECT governor.leave($1)", self._me)
            await self._drop()

    async def turn(
        self,
        account: str,
        limit: int,
        done: list[uuid.UUID],
        want: list[uuid.UUID],
        held: list[uuid.UUID],
        *,
        tidy: bool,
    ) -> list[uuid.UUID]:
        """One turn at the store, for `_Account`: give back, queue, and learn what this process holds."""
        rows = await self._query(_TURN, self._me, account, limit, done, want, held, tidy, self._dead_after)
        return [row[0] for row in rows]

    async def keep(self, account: str, limit: int, ticket: uuid.UUID, seconds: float) -> None:
        """Have the store keep a lease for so long, for `_Account`."""
        await self._query("SELECT governor.keep($1, $2, $3, $4, $5)", self._me, account, limit, ticket, seconds)

    async def _query(self, sql: str, *args: object) -> list[asyncpg.Record]:
        async with self._lock:
            try:
                connection = self._connection or await self._connect()
                return await connection.fetch(sql, *args)
            except _LOST as error:
                await self._drop()
                telemetry.log.warning("governor lost its database", error=type(error).__name__, detail=str(error)[:200])
                raise StoreUnavailable("The database of the governor does not answer") from error

    async def _connect(self) -> PoolConnectionProxy[Any]:
        connection = self._connection = await self._pool.acquire()
        await connection.add_listener(f"governor_{self._me.hex}", self._told)
        await connection.execute("SELECT governor.beat($1, $2)", self._me, self._dead_after)
        return connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(*_LOST):
            if not connection.is_closed():
                await connection.remove_listener(f"governor_{self._me.hex}", self._told)
        with contextlib.suppress(*_LOST):
            await self._pool.release(connection)

    def _told(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        account, _, ticket = str(payload).rpartition(" ")
        local = self._accounts.get(account)
        if local is not None:
            local.grant(uuid.UUID(ticket))

    async def _beat_for_ever(self) -> None:
        while True:
            with contextlib.suppress(StoreUnavailable):  # it was logged; whoever waits for a lease is told
                await self._query("SELECT governor.beat($1, $2)", self._me, self._dead_after)
            for account in self._accounts.values():
                account.tidy()
            await asyncio.sleep(self._beat_s)
