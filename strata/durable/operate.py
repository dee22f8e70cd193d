"""What operators see and do: lists, details, counts; retry, edit, skip, discard, each audited."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct, structs

from strata.durable.store import Store
from strata.durable.types import (
    Audit,
    Count,
    Failure,
    InboundEvent,
    Item,
    ItemDetail,
    ItemFilter,
    Page,
    SignalRecord,
    Status,
    StepRecord,
)
from strata.errors import Conflict, FailureClass, NotFound, Problem

_ITEM = """'run' AS kind, id, process, version, key, order_key, label, status, failure_class, step, reason, backend,
  attempt, next_at, first_failed_at, created_at, updated_at, correlation_id, facts::text AS facts"""
_EVENT = """'event' AS kind, id, '' AS process, 0 AS version, source || '/' || delivery_id AS key, subject AS order_key,
  type AS label, status, CASE status WHEN 'quarantined' THEN 'P' ELSE '' END AS failure_class, NULL AS step, reason,
  NULL AS backend, 0 AS attempt, NULL::timestamptz AS next_at, NULL::timestamptz AS first_failed_at,
  received_at AS created_at, received_at AS updated_at, correlation_id, '{}' AS facts"""
_BEHIND = """(SELECT count(*) FROM (SELECT FROM durable.run q WHERE q.order_key = r.order_key AND q.status = 'queued'
  AND r.kind = 'run' AND r.status NOT IN ('queued', 'done', 'discarded') LIMIT 1000) held)::int AS behind"""
# Every combination of filters walks the one index (process, status, class, id), once per combination that exists.
_LIST = f"""
SELECT r.*, {_BEHIND} FROM (
  SELECT i.* FROM (SELECT DISTINCT process AS p, status AS s, failure_class AS c FROM durable.tally
      WHERE ($1::text[] IS NULL OR status = ANY($1)) AND ($2::text IS NULL OR failure_class = $2)
        AND ($3::text IS NULL OR process = $3)) places
    CROSS JOIN LATERAL (SELECT {_ITEM} FROM durable.run
      WHERE process = p AND status = s AND failure_class = c AND id < $4 ORDER BY id DESC LIMIT $5) i
  ORDER BY id DESC LIMIT $5) r ORDER BY id DESC"""  # noqa: S608  # constants of this module
_LIST_BACKEND = f"""
SELECT r.*, {_BEHIND} FROM (
  SELECT i.* FROM unnest(coalesce($1::text[], ARRAY['running', 'ready', 'parked', 'sleeping', 'dead'])) s
    CROSS JOIN LATERAL (SELECT {_ITEM} FROM durable.run
      WHERE backend = $6 AND status = s AND ($2::text IS NULL OR failure_class = $2)
        AND ($3::text IS NULL OR process = $3) AND id < $4 ORDER BY id DESC LIMIT $5) i
  ORDER BY id DESC LIMIT $5) r ORDER BY id DESC"""  # noqa: S608
_LIST_EVENTS = f"""SELECT {_EVENT}, 0 AS behind FROM durable.inbox
  WHERE status = 'quarantined' AND id < $1 ORDER BY id DESC LIMIT $2"""  # noqa: S608
_FIRST = 2**62


class Operator(Store):
    """The operator's part of the journal."""

    reparse: Callable[[InboundEvent], InboundEvent] | None = None
    """Reads a quarantined event again (type, subject, version, data of its body) when somebody retries or edits it."""

    async def list_items(
        self,
        *,
        status: Status | str | Sequence[str] | None = None,
        failure_class: FailureClass | str | None = None,
        process: str | None = None,
        backend: str | None = None,
        cursor: int | None = None,
        limit: int = 50,
    ) -> Page:
        """Items that fit every given filter, newest first; quarantined events are among them."""
        wanted = [status] if isinstance(status, str) else status and list(status)
        before = _FIRST if cursor is None else cursor
        asked: list[object] = [wanted, failure_class, process, before, limit]
        if backend is None:
            rows = await self.call(_LIST, *asked)
        else:
            rows = await self.call(_LIST_BACKEND, *asked, backend)
        if (
            (wanted is None or Status.QUARANTINED in wanted)
            and failure_class in {None, FailureClass.POISON}
            and process is None
            and backend is None
        ):
            rows += await self.call(_LIST_EVENTS, before, limit)
            rows = sorted(rows, key=lambda row: -row["id"])[:limit]
        items = tuple(_item(row) for row in rows)
        return Page(items, items[-1].id if len(items) == limit else None)

    async def get_item(self, item_id: int) -> ItemDetail:
        """One item with its steps, signals, failures and audit trail. Raises NotFound."""
        rows = await self.call(
            f"SELECT r.*, {_BEHIND} FROM (SELECT {_ITEM}, input, result, problem FROM durable.run WHERE id = $1"  # noqa: S608
            f" UNION ALL SELECT {_EVENT}, body, NULL, NULL FROM durable.inbox WHERE id = $1) r",
            item_id,
        )
        if not rows:
            raise NotFound(f"There is no item {item_id}")
        [row] = rows
        steps = "name, kind, result, attempt, took_ms, recorded_at FROM durable.step WHERE run_id = $1 ORDER BY pos"
        signals = "consumed_pos IS NOT NULL FROM durable.signal WHERE run_id = $1 ORDER BY id"
        history = "at, attempt, status, failure_class, step, reason FROM durable.history WHERE run_id = $1 ORDER BY id"
        audit = "at, actor, action, why, before FROM durable.audit WHERE item_id = $1 ORDER BY id"
        return ItemDetail(
            item=_item(row),
            input=row["input"],
            result=row["result"],
            problem=row["problem"] and msgspec.json.decode(row["problem"], type=Problem),
            steps=tuple(StepRecord(*r) for r in await self.call(f"SELECT pos, {steps}", item_id)),
            signals=tuple(
                SignalRecord(*r) for r in await self.call(f"SELECT name, payload, received_at, {signals}", item_id)
            ),
            history=tuple(
                Failure(r[0], r[1], Status(r[2]), *r[3:]) for r in await self.call(f"SELECT {history}", item_id)
            ),
            audit=tuple(Audit(*r) for r in await self.call(f"SELECT {audit}", item_id)),
        )

    async def head(self, order_key: str) -> Item | None:
        """The run that goes, waits or stands still now for an order key; None when nothing is open."""
        rows = await self.call(
            f"SELECT r.*, {_BEHIND} FROM (SELECT {_ITEM} FROM durable.run WHERE order_key = $1"  # noqa: S608
            " AND status IN ('ready', 'running', 'sleeping', 'waiting', 'parked', 'dead')) r",
            order_key,
        )
        return _item(rows[0]) if rows else None

    async def counts(self) -> tuple[Count, ...]:
        """How many items stand where, from the maintained rollup: as quick at a million as at ten."""
        await self.call("SELECT durable.fold()")
        rows = await self.call(
            "SELECT process, status, failure_class, sum(n)::bigint FROM durable.tally"
            " GROUP BY 1, 2, 3 HAVING sum(n) <> 0 UNION ALL"
            " SELECT '', status, 'P', count(*) FROM durable.inbox WHERE status = 'quarantined' GROUP BY 1, 2, 3"
            " ORDER BY 1, 2, 3"
        )
        return tuple(Count(r[0], Status(r[1]), r[2], r[3]) for r in rows)

    async def retry(self, item_id: int, *, by: str, why: str) -> None:
        """Go on from the failed step, now; route a quarantined event again. Done steps are not repeated.

        Raises Conflict while the run is running or when it has ended; NotFound. So do the other three.
        """
        await self._operate(item_id, "retry", by, why)

    async def edit(self, item_id: int, new_input: Struct | bytes, *, by: str, why: str) -> None:
        """Replace the input of a run, or the body of an event, keep the old one in the audit trail, and go on."""
        await self._operate(item_id, "edit", by, why, payload=to_json(new_input))

    async def skip_step(self, item_id: int, step: str, result: object, *, by: str, why: str) -> None:
        """Give a step its result by hand (anything msgspec encodes; bytes are JSON already), and go on."""
        await self._operate(item_id, "skip", by, why, step=step, payload=to_json(result))

    async def discard(self, item_id: int, *, by: str, why: str) -> None:
        """End an item for good; the next run of its order key goes on."""
        await self._operate(item_id, "discard", by, why)

    async def retry_many(self, which: ItemFilter, *, by: str, why: str) -> int:
        """Retry all items that fit (default: dead and quarantined); one refused stops no other. Answers how many."""
        cursor, retried = None, 0
        while True:
            page = await self.list_items(
                status=which.status or (Status.DEAD, Status.QUARANTINED),
                failure_class=which.failure_class,
                process=which.process,
                backend=which.backend,
                cursor=cursor,
                limit=200,
            )
            for item in page.items:
                try:
                    await self.retry(item.id, by=by, why=why)
                    retried += 1
                except Conflict:
                    continue  # it moved on by itself meanwhile
            if page.cursor is None:
                return retried
            cursor = page.cursor

    async def _operate(
        self, item_id: int, action: str, by: str, why: str, *, step: str | None = None, payload: bytes | None = None
    ) -> None:
        read: tuple[object, ...] = (None, None, None, None)
        if self.reparse is not None and action in {"retry", "edit"} and (event := await self._event(item_id)):
            again = self.reparse(event if payload is None else structs.replace(event, body=payload, data=None))
            read = (again.type, again.subject, again.version, again.body if again.data is None else again.data)
        outcome = await self.value(
            "SELECT durable.operate($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            *(new_operation(), item_id, action, by, why, step, payload, *read),
        )
        if outcome == "missing":
            raise NotFound(f"There is no item {item_id}")
        if outcome != "ok":
            raise Conflict(f"Item {item_id}: {action} is refused, {outcome}")

    async def _event(self, item_id: int) -> InboundEvent | None:
        rows = await self.call(
            "SELECT source, delivery_id, type, subject, version, body, headers, correlation_id, traceparent"
            " FROM durable.inbox WHERE id = $1",
            item_id,
        )
        if not rows:
            return None
        fields = dict(rows[0])
        headers = msgspec.json.decode(fields.pop("headers"), type=dict[str, str])
        return InboundEvent(**fields, headers=headers)


def to_json(value: Any) -> bytes:
    """A Struct (or anything msgspec encodes) as JSON; bytes are taken as they are."""
    return value if isinstance(value, bytes) else msgspec.json.encode(value)


def new_operation() -> uuid.UUID:
    """Names one thing a person does, so that repeating it after a lost reply does it once."""
    return uuid.uuid4()


def _item(row: asyncpg.Record) -> Item:
    fields = {name: row[name] for name in Item.__struct_fields__}
    fields["facts"] = msgspec.json.decode(row["facts"], type=dict[str, object])
    return msgspec.convert(fields, Item)
