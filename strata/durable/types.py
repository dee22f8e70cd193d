"""What goes into the journal and what comes out of it: plain frozen Structs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct

from strata.errors import FailureClass, Problem

T = TypeVar("T")


class Status(StrEnum):
    """Where an item stands. From ready to dead: head of its order key."""

    QUEUED = "queued"  # behind another run of its order key
    READY = "ready"
    RUNNING = "running"
    SLEEPING = "sleeping"  # until next_at: a retry, a throttling hint, a later start
    WAITING = "waiting"  # for a signal or for something it depends on
    PARKED = "parked"  # its backend is paused or its circuit open
    DEAD = "dead"  # a person must act; it blocks its order key
    DONE = "done"
    DISCARDED = "discarded"
    QUARANTINED = "quarantined"  # an event that nobody could read
    ROUTED = "routed"  # an event that started or signalled its runs
    UNROUTED = "unrouted"  # an event that nobody subscribed to yet


class InboundEvent(Struct, frozen=True, kw_only=True):
    """One delivery of a webhook or change event, verified by whoever received it."""

    source: str
    """Who sent it: vendor and connection, e.g. `shopify/main`."""
    delivery_id: str
    """The sender's id of this delivery: unique within `source`, the same on redelivery."""
    type: str
    """Ours, dotted: `shopify.order.created`."""
    subject: str
    """Business key of what it is about: `sh:demo:order:42`."""
    version: str = ""
    """Version of the subject; two deliveries of the same version are the same fact."""
    body: bytes
    """Raw, exactly as it came."""
    headers: Mapping[str, str] = {}
    data: bytes | None = None
    """JSON input for the runs it starts and payload of the signals it sends; the body when None."""
    correlation_id: str = ""
    traceparent: str | None = None
    """W3C trace context; the current one when None."""


class Received(Struct, frozen=True):
    """Committed: the sender may be answered 2xx."""

    inbox_id: int
    duplicate: bool
    runs: tuple[int, ...]


class Started(Struct, frozen=True):
    """Committed. created: whether this call made the run, or one with this key was there."""

    run_id: int
    created: bool


class Subscription(Struct, frozen=True, kw_only=True):
    """Events of a type start a process, or signal the run that is there.

    key, order_key and label are templates of `{subject}`, `{version}`, `{delivery_id}`, `{type}` and `{source}`.
    """

    event: str
    """Exact type, or a prefix ending in `*`: `shopify.order.*`."""
    process: str
    key: str = "{subject}"
    order_key: str = "{subject}"
    on_existing: str | None = None
    """Name of the signal for a run that exists already; None: nothing more happens."""
    version: int | None = None
    priority: int = 5
    label: str = "{subject}"


class Schedule(Struct, frozen=True, kw_only=True):
    """Start `process` every `every_s` seconds of the journal's clock, at most one unfinished run at a time.

    After a downtime one run catches up. A dead run gives way to the next one (audited as discarded by `schedule`).
    """

    name: str
    process: str
    every_s: float
    input: Struct | bytes


class Signal(Struct, frozen=True):
    """What `wait_for` waited for."""

    name: str
    payload: bytes
    """JSON."""

    def decode(self, kind: type[T]) -> T:
        """The payload as a `kind`. Raises msgspec.ValidationError."""
        return msgspec.json.decode(self.payload, type=kind)


class Paused(Struct, frozen=True):
    """A backend that is left alone. reason: operator, auth or circuit; until: automatic resume or next probe."""

    backend: str
    reason: str
    by: str
    why: str
    since: datetime
    until: datetime | None
    parked: int


class Alert(Struct, frozen=True):
    """Something a person should know of; gone when it no longer holds."""

    kind: str
    subject: str
    message: str
    since: datetime


class Count(Struct, frozen=True):
    """How many items of one process stand at one status with one failure class ("" = none)."""

    process: str
    status: Status
    failure_class: FailureClass | str
    n: int


class ItemFilter(Struct, frozen=True, kw_only=True):
    """Which items. None: any."""

    status: Status | None = None
    failure_class: FailureClass | None = None
    process: str | None = None
    backend: str | None = None


class Item(Struct, frozen=True, kw_only=True):
    """One line of the operator's list: a run, or a quarantined event (process "", class P)."""

    id: int
    kind: str
    process: str
    version: int
    key: str
    order_key: str
    label: str
    status: Status
    failure_class: str
    step: str | None
    reason: str | None
    backend: str | None
    attempt: int
    behind: int
    """Runs of the same order key that it holds up (counted up to 1000)."""
    next_at: datetime | None
    first_failed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    correlation_id: str
    facts: dict[str, object]


class StepRecord(Struct, frozen=True):
    """A recorded step. kind: step, signal, timeout, skip, now, failed (raised, and the process went on)."""

    pos: int
    name: str
    kind: str
    result: bytes
    attempt: int
    took_ms: int
    recorded_at: datetime


class SignalRecord(Struct, frozen=True):
    """A signal that arrived. consumed: whether a wait took it."""

    name: str
    payload: bytes
    received_at: datetime
    consumed: bool


class Failure(Struct, frozen=True):
    """One attempt that failed."""

    at: datetime
    attempt: int
    status: Status
    failure_class: str
    step: str | None
    reason: str | None


class Audit(Struct, frozen=True):
    """What a person did. before: the input that an edit replaced."""

    at: datetime
    actor: str
    action: str
    why: str
    before: bytes | None


class ItemDetail(Struct, frozen=True, kw_only=True):
    """Everything about one item."""

    item: Item
    input: bytes
    result: bytes | None
    problem: Problem | None
    steps: tuple[StepRecord, ...]
    signals: tuple[SignalRecord, ...]
    history: tuple[Failure, ...]
    audit: tuple[Audit, ...]


class Page(Struct, frozen=True):
    """One page of items, newest first. cursor: pass it on for the next page; None on the last."""

    items: tuple[Item, ...]
    cursor: int | None
