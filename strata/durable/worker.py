"""Workers claim runs and carry them: many on one database, any of them may die."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec
import structlog
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from strata.durable.definition import Definition
from strata.durable.journal import Journal
from strata.durable.operate import to_json
from strata.durable.run import BackendView, Claimed, Left, Recorded, Run
from strata.durable.store import UNAVAILABLE
from strata.durable.types import Schedule, Subscription
from strata.errors import Poison, StoreUnavailable

S = TypeVar("S")
_log = structlog.get_logger("strata.durable")
_TRACER = trace.get_tracer("strata.durable")
_TRACE = TraceContextTextMapPropagator()

CLAIM = """
WITH pick AS (
  SELECT i.id FROM unnest($2::text[], $3::int[]) d(process, version) CROSS JOIN LATERAL (
    SELECT id, priority FROM durable.run WHERE status = 'ready' AND process = d.process AND version = d.version
    ORDER BY priority, id LIMIT $4 * 2) i
  ORDER BY i.priority, i.id LIMIT $4 * 2),
mine AS (
  SELECT r.id, r.begun FROM durable.run r WHERE r.id IN (SELECT id FROM pick) AND r.status = 'ready'
    AND EXISTS (SELECT FROM durable.worker WHERE id = $1)
  ORDER BY r.priority, r.id LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE durable.run r SET status = 'running', owner = $1, fence = r.fence + 1, begun = true, updated_at = durable.now()
FROM mine WHERE r.id = mine.id
RETURNING r.id, r.process, r.version, r.key, r.order_key, r.correlation_id, r.traceparent, r.input, r.fence, r.attempt,
  mine.begun, r.failure_class <> '' OR r.first_failed_at IS NOT NULL AS failing,
  (SELECT name FROM durable.backend WHERE probe_run = r.id) AS probe"""

UNCLAIM = """
UPDATE durable.run SET status = 'ready', owner = NULL, fence = fence + 1, updated_at = durable.now()
WHERE status = 'running' AND owner = $1 AND id <> ALL($2::bigint[])"""


class Worker(Generic[S]):
    """Carries runs of `definitions`, at most `capacity` at once, until told to stop.

    dead_after_s: real seconds without a heartbeat after which others take its runs over. poll_s: how often it looks for
    itself; NOTIFY wakes it sooner. step_timeout_s: a step that takes longer counts as class U.
    """

    def __init__(
        self,
        journal: Journal,
        definitions: Sequence[Definition],
        services: S,
        *,
        capacity: int = 32,
        schedules: Sequence[Schedule] = (),
        subscriptions: Sequence[Subscription] = (),
        dead_after_s: float = 15.0,
        poll_s: float = 0.25,
        step_timeout_s: float = 300.0,
        grace_s: float = 5.0,
        name: str | None = None,
    ) -> None:
        self.id = 0
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._journal = journal
        self._definitions = {(d.name, d.version): d for d in definitions}
        self._services = services
        self._capacity = capacity
        self._schedules = schedules
        self._subscriptions = subscriptions
        self._dead_after_s = dead_after_s
        self._poll_s = poll_s
        self._step_timeout_s = step_timeout_s
        self._grace_s = grace_s
        self._wake = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._backends: dict[str, BackendView] = {}
        self._stopping = False
        self._in_doubt = False
        self._alerted: set[tuple[str, str]] = set()
        self.ready = asyncio.Event()
        """Set once it is registered and takes work."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish what ends within the grace time and hand back the rest."""
        await self._announce()
        self.ready.set()
        helpers = [asyncio.create_task(self._claim_loop()), asyncio.create_task(self._beat_loop())]
        helpers += [asyncio.create_task(self._chores_loop()), asyncio.create_task(self._listen_loop())]
        halt = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([halt, *helpers], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {halt}:
                task.result()  # a helper never ends by itself: tell why
        finally:
            self._stopping = True
            halt.cancel()
            for task in helpers:
                task.cancel()
            await asyncio.gather(halt, *helpers, return_exceptions=True)
            await self._drain()

    async def _drain(self) -> None:
        tasks = set(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with suppress(StoreUnavailable):
            await self._journal.call("DELETE FROM durable.worker WHERE id = $1", self.id)

    async def _announce(self) -> None:
        """Register (again): under a new id, so that whatever an older one held is somebody else's."""
        names, versions = [d[0] for d in self._definitions], [d[1] for d in self._definitions]
        self.id = await self._journal.value(
            "INSERT INTO durable.worker (name, dead_after_s, beat_at, processes, versions)"
            " VALUES ($1, $2, clock_timestamp(), $3, $4) RETURNING id",
            *(self.name, self._dead_after_s, names, versions),
            patience_s=float("inf"),
        )
        await self._journal.call(
            "INSERT INTO durable.definition SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING",
            *(names, versions),
            patience_s=float("inf"),
        )
        for s in self._schedules:
            await self._journal.call(
                "INSERT INTO durable.schedule (name, process, every_s, input, next_at)"
                " VALUES ($1, $2, $3, $4, durable.now()) ON CONFLICT (name) DO UPDATE"
                " SET process = excluded.process, every_s = excluded.every_s, input = excluded.input,"
                " next_at = least(schedule.next_at, durable.now() + make_interval(secs => excluded.every_s))",
                *(s.name, s.process, s.every_s, to_json(s.input)),
                patience_s=float("inf"),
            )
        await self._journal.subscribe(self._subscriptions)
        await self._see_backends()

    async def _claim_loop(self) -> None:
        loop = asyncio.get_running_loop()
        ticked = 0.0
        while True:
            self._wake.clear()
            try:
                if loop.time() - ticked >= self._poll_s:
                    while await self._journal.value("SELECT durable.tick()"):
                        pass
                    ticked = loop.time()
                free = self._capacity - len(self._tasks)
                if free > 0 and await self._claim(free) == free and free > 1:
                    continue
            except StoreUnavailable as exc:
                _log.warning("journal away", worker=self.name, error=str(exc))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll_s)
            if len(self._tasks) * 2 > self._capacity:
                await asyncio.sleep(0.005)  # under load: let slots gather, claim several at once

    async def _claim(self, free: int) -> int:
        names, versions = [d[0] for d in self._definitions], [d[1] for d in self._definitions]
        if self._in_doubt:  # a claim may have been committed and its answer lost: what we own and do not carry is free
            await self._journal.call(UNCLAIM, self.id, list(self._tasks))
            self._in_doubt = False
        try:
            rows = await self._journal.call(CLAIM, self.id, names, versions, free, patience_s=0)
        except BaseException:
            self._in_doubt = True
            raise
        for row in sorted(rows, key=lambda row: row["id"]):
            claimed = msgspec.convert(dict(row), Claimed)
            task = asyncio.create_task(self._carry(claimed), name=f"run {claimed.id}")
            self._tasks[claimed.id] = task
            task.add_done_callback(lambda done, run=claimed.id: self._gone(run, done))
        return len(rows)

    def _gone(self, run: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(run, None)
        if task.cancelled() or task.exception() is not None:
            self._in_doubt = True  # whatever happened: nobody carries it now, the claim loop sees if it is still ours
            if not task.cancelled():
                _log.error("run was let go with an error", run=run, worker=self.name, exc_info=task.exception())
        self._wake.set()

    async def _carry(self, claimed: Claimed) -> None:
        definition = self._definitions[claimed.process, claimed.version]
        structlog.contextvars.bind_contextvars(correlation_id=claimed.correlation_id)  # each run is a task of its own
        context = _TRACE.extract({"traceparent": claimed.traceparent} if claimed.traceparent else {})
        attributes = {"strata.run": claimed.id, "strata.key": claimed.key, "strata.order_key": claimed.order_key}
        with _TRACER.start_as_current_span(f"process {claimed.process}", context=context, attributes=attributes):
            run: Run[S] | None = None
            try:
                run = await self._open(claimed)
                await self._execute(run, definition, claimed)
            except Left:
                pass
            except BaseException:
                if run is not None and not run.has_left:
                    with suppress(StoreUnavailable, TimeoutError):
                        await asyncio.wait_for(asyncio.shield(run.hand_back()), 5)
                raise

    async def _open(self, claimed: Claimed) -> Run[S]:
        recorded: list[Recorded] = []
        overrides: dict[str, bytes] = {}
        if claimed.fence > 1:
            sql = "SELECT name, kind, result FROM durable.step WHERE run_id = $1 ORDER BY pos"
            recorded = [Recorded(*row) for row in await self._journal.call(sql, claimed.id, patience_s=float("inf"))]
            sql = "SELECT step, result FROM durable.override WHERE run_id = $1"
            overrides = {row[0]: row[1] for row in await self._journal.call(sql, claimed.id, patience_s=float("inf"))}
        return Run(
            self._journal,
            claimed,
            self._services,
            recorded=recorded,
            overrides=overrides,
            backends=self._backends,
            step_timeout_s=self._step_timeout_s,
        )

    async def _execute(self, run: Run[S], definition: Definition, claimed: Claimed) -> None:
        try:
            try:
                given: Any = msgspec.json.decode(claimed.input, type=definition.input_type)
            except msgspec.MsgspecError as exc:
                raise Poison(f"The input of {definition.name} v{definition.version} cannot be read: {exc}") from exc
            await run.finish(await definition.fn(run, given), definition.result_type)
        except Exception as exc:  # whatever process code raises is classified
            await self._failed(run, exc)
        except asyncio.CancelledError as exc:
            task = asyncio.current_task()
            if self._stopping or (task is not None and task.cancelling()):
                raise
            await self._failed(run, exc)  # a stray one, from inside the process: nobody cancelled this run

    async def _failed(self, run: Run[S], exc: BaseException) -> None:
        if run.has_left:
            raise exc  # it may not have been written: the claim loop sees whether the run is still ours
        trace.get_current_span().record_exception(exc)
        status = await run.fail(exc)
        _log.warning("run failed", run=run.id, process=run.process, key=run.key, status=status, error=repr(exc))

    async def _beat_loop(self) -> None:
        while True:
            await asyncio.sleep(self._dead_after_s / 5)
            try:
                rows = await self._journal.call(
                    "UPDATE durable.worker SET beat_at = clock_timestamp() WHERE id = $1 RETURNING 1", self.id
                )
            except StoreUnavailable:
                continue
            if not rows:  # taken for dead: what it held is taken over, and its late writes are refused
                _log.warning("worker was taken for dead", worker=self.name, runs=len(self._tasks))
                for task in list(self._tasks.values()):
                    task.cancel()
                await self._announce()

    async def _chores_loop(self) -> None:
        while True:
            try:
                taken = await self._journal.value("SELECT durable.housekeep($1)", self.id)
                if taken:
                    _log.warning("took runs over", worker=self.name, runs=taken)
                await self._see_backends()
                alerts = {(alert.kind, alert.subject): alert.message for alert in await self._journal.alerts()}
                for what in alerts.keys() - self._alerted:
                    _log.error("alert", kind=what[0], subject=what[1], message=alerts[what])
                self._alerted = set(alerts)
            except StoreUnavailable:
                pass
            await asyncio.sleep(1.0)

    async def _see_backends(self) -> None:
        rows = await self._journal.call("SELECT name, paused, why, failures FROM durable.backend")
        self._backends.clear()
        self._backends.update({row[0]: BackendView(*row[1:]) for row in rows})

    async def _listen_loop(self) -> None:
        while True:
            try:
                async with self._journal.connection() as connection:
                    closed = asyncio.Event()
                    on_close = functools.partial(_set, closed)
                    connection.add_termination_listener(on_close)
                    await connection.add_listener("durable", self._heard)
                    self._wake.set()
                    try:
                        await closed.wait()
                    finally:
                        connection.remove_termination_listener(on_close)
                        await connection.remove_listener("durable", self._heard)
            except UNAVAILABLE:
                await asyncio.sleep(0.5)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload == "backend":
            self._refresh = asyncio.create_task(self._refresh_backends())
        self._wake.set()

    async def _refresh_backends(self) -> None:
        with suppress(StoreUnavailable):
            await self._see_backends()


def _set(event: asyncio.Event, _connection: object) -> None:
    event.set()
