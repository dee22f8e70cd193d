"""The client side of the journal: what any service may ask of it. No process code is needed here."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from strata.durable.definition import REGISTRY
from strata.durable.operate import Operator, new_operation, to_json
from strata.durable.store import migrate
from strata.durable.types import Alert, InboundEvent, Paused, Received, Started, Subscription
from strata.errors import Missing

_TRACE = TraceContextTextMapPropagator()
_ENDED_RUNS = """
DELETE FROM durable.run WHERE id IN (
  SELECT id FROM durable.run WHERE finished_at < durable.now() - $1::interval AND finished_at IS NOT NULL
  ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1"""
_OLD_EVENTS = """
DELETE FROM durable.inbox WHERE id IN (
  SELECT id FROM durable.inbox i WHERE received_at < durable.now() - $1::interval AND status IN ('routed', 'discarded')
    AND NOT EXISTS (SELECT FROM durable.run r WHERE r.id = ANY (i.runs) AND r.finished_at IS NULL)
  ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1"""


class Journal(Operator):
    """Start runs, send signals, receive events, pause backends, keep watermarks; and everything an Operator may do.

    What returns has been committed. Raises StoreUnavailable while the database is away: nothing was accepted, or it is
    uncertain and the same call may be made again without harm.
    """

    async def migrate(self) -> int:
        """Bring the schema up to date. Answers its version."""
        return await migrate(self)

    async def start(
        self,
        process: str,
        key: str,
        input: Struct | bytes,  # noqa: A002  # the word of the face
        *,
        order_key: str | None = None,
        version: int | None = None,
        priority: int = 5,
        label: str = "",
        correlation_id: str | None = None,
        traceparent: str | None = None,
        not_before: datetime | None = None,
    ) -> Started:
        """Start a run of `process` unless one with this key exists.

        order_key: runs that share it go one after another, in the order of their starts, whatever their process; none:
        the run stands alone. version: default the newest that any worker offers. priority: lower goes first.
        not_before: by the journal's clock. traceparent: default the current span's.
        """
        known = max((v for name, v in REGISTRY if name == process), default=None)
        [row] = await self.call(
            "SELECT run_id, created FROM durable.start($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, $11)",
            process,
            version,
            key,
            f"{process}/{key}" if order_key is None else order_key,
            priority,
            label or key,
            correlation_id or new_correlation_id(),
            traceparent or current_traceparent(),
            not_before,
            to_json(input),
            known,
        )
        return Started(row["run_id"], row["created"])

    async def signal(self, process: str, key: str, name: str, payload: Struct | bytes, *, dedupe: str) -> bool:
        """Send a signal to a run; False: one with this name and `dedupe` came before. Raises Missing: no such run."""
        rows = await self.call(
            "SELECT durable.send(id, $3, $4, $5) FROM durable.run WHERE process = $1 AND key = $2",
            process,
            key,
            name,
            dedupe,
            to_json(payload),
        )
        if not rows:
            raise Missing(f"There is no run {key} of {process}")
        return bool(rows[0][0])

    async def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Add or replace subscriptions; events that nobody wanted when they came are routed now."""
        for s in subscriptions:
            await self.call(
                "SELECT durable.subscribe($1, $2, $3, $4, $5, $6, $7, $8)",
                *(s.event, s.process, s.key, s.order_key, s.on_existing, s.version, s.priority, s.label),
            )
        after: int | None = 0
        while after is not None:
            after = await self.value("SELECT durable.route_waiting($1, 200)", after)

    async def receive(self, event: InboundEvent) -> Received:
        """Keep an event and start or signal what subscribed to it, in one transaction. Then answer the sender 2xx."""
        return await self._receive(event, None)

    async def quarantine(self, event: InboundEvent, reason: str) -> int:
        """Keep an event that cannot be read: an item of class P that blocks nothing. Answers its item id."""
        return (await self._receive(event, reason)).inbox_id

    async def _receive(self, event: InboundEvent, quarantine: str | None) -> Received:
        [row] = await self.call(
            "SELECT inbox_id, duplicate, runs FROM durable.receive($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            *(event.source, event.delivery_id, event.type, event.subject, event.version, event.body),
            msgspec.json.encode(dict(event.headers)),
            event.body if event.data is None else event.data,
            event.correlation_id or new_correlation_id(),
            event.traceparent or current_traceparent(),
            quarantine,
        )
        return Received(row["inbox_id"], row["duplicate"], tuple(row["runs"]))

    async def pause(self, backend: str, *, by: str, why: str, until: datetime | None = None) -> None:
        """Leave a backend alone: steps that name it park, holding nothing, until `resume` or `until`. Audited."""
        await self._switch("pause", backend, by, why, until)

    async def resume(self, backend: str, *, by: str, why: str) -> None:
        """Go on with a backend, whatever it was paused for: oldest first. Audited."""
        await self._switch("resume", backend, by, why, None)

    async def _switch(self, action: str, backend: str, by: str, why: str, until: datetime | None) -> None:
        await self.call(
            "SELECT durable.switch($1, $2, $3, $4, $5, $6)", new_operation(), action, backend, by, why, until
        )
        if action == "resume":
            while await self.value("SELECT durable.tick()"):
                pass

    async def paused(self) -> tuple[Paused, ...]:
        """The backends that are left alone, and how many runs wait for each."""
        rows = await self.call(
            "SELECT name, paused, paused_by, why, since, until,"
            " (SELECT count(*) FROM durable.run WHERE backend = name AND status = 'parked')::int"
            " FROM durable.backend WHERE paused IS NOT NULL ORDER BY name"
        )
        return tuple(Paused(*row) for row in rows)

    async def watermark(self, name: str) -> str | None:
        """How far a delta read has come; None: it never ran."""
        rows = await self.call("SELECT value FROM durable.watermark WHERE name = $1", name)
        return str(rows[0][0]) if rows else None

    async def advance_watermark(self, name: str, value: str, *, expected: str | None) -> bool:
        """Set a watermark if it still is `expected` (None: not there yet). False: somebody else moved it."""
        if expected is None:
            sql = "INSERT INTO durable.watermark VALUES ($1, $2, durable.now()) ON CONFLICT DO NOTHING RETURNING true"
            rows = await self.call(sql, name, value)
        else:
            sql = "UPDATE durable.watermark SET value = $2, updated_at = durable.now()"
            sql += " WHERE name = $1 AND value = $3 RETURNING true"
            rows = await self.call(sql, name, value, expected)
        # after a lost reply the watermark may be where we wanted it already
        return bool(rows) or await self.watermark(name) == value

    async def alerts(self) -> tuple[Alert, ...]:
        """What a person should know of now."""
        rows = await self.call("SELECT kind, subject, message, since FROM durable.alert ORDER BY since")
        return tuple(Alert(*row) for row in rows)

    async def now(self) -> datetime:
        """The journal's clock: the database's, simulated or not."""
        return await self.value("SELECT durable.now()")

    async def set_clock(self, *, offset_s: float = 0.0, speed: float = 1.0) -> None:
        """Simulate time: real time plus `offset_s`, from now on `speed` times as fast. Heartbeats stay real."""
        sql = (
            "UPDATE durable.clock SET real_at = statement_timestamp(),"
            " clock_at = statement_timestamp() + $1, speed = $2"
        )
        await self.call(sql, timedelta(seconds=offset_s), speed)

    async def advance_clock(self, seconds: float) -> None:
        """Let `seconds` pass at once, at the same speed as before."""
        sql = "UPDATE durable.clock SET clock_at = durable.now() + $1, real_at = statement_timestamp()"
        await self.call(sql, timedelta(seconds=seconds))

    async def purge(self, older_than_s: float, *, events_older_than_s: float | None = None, batch: int = 1000) -> int:
        """Delete runs that ended, and routed events that came, longer ago than this; in short transactions.

        events_older_than_s: default the same. An event stays while a run of it is open, and so does one that nobody
        subscribed to yet or that is quarantined. Safe from several workers at once. Answers how many went.
        """
        gone = 0
        events_s = older_than_s if events_older_than_s is None else events_older_than_s
        for sql, age_s in ((_ENDED_RUNS, older_than_s), (_OLD_EVENTS, events_s)):
            while rows := await self.call(sql, timedelta(seconds=age_s), batch):
                gone += len(rows)
        return gone


def new_correlation_id() -> str:
    """An id that ties together what happens in all systems because of one event."""
    return secrets.token_hex(16)


def current_traceparent() -> str | None:
    """W3C trace context of the current span."""
    carrier: dict[str, str] = {}
    _TRACE.inject(carrier)
    return carrier.get("traceparent")
