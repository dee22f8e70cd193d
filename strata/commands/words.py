"""Items in plain words: what is wrong, where, what to do, since when, and how many wait behind it. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from strata.durable import Item, ItemDetail, Status
from strata.errors import Problem

NEEDS_A_PERSON = (Status.DEAD, Status.QUARANTINED)
FAILED_OR_WAITING = (*NEEDS_A_PERSON, Status.PARKED, Status.SLEEPING, Status.WAITING)

# failure class -> (what it means when nothing better is known, what to do)
CLASSES = {
    "T": (
        "A system it needs does not answer",
        "It is tried again by itself. Once the system is back: strata retry {id}",
    ),
    "U": ("It is not known whether a write arrived", "Nothing: it is looked up before anything is sent again."),
    "R": ("A system asks for a pause", "Nothing: it goes on by itself."),
    "A": (
        "A system refuses our credential",
        "Renew the credential of the connection; the rest goes on by itself.",
    ),
    "V": ("The data or a mapping is not right", "Mend the source or the mapping, then: strata retry {id}"),
    "D": (
        "A record it depends on is not there yet",
        "It waits by itself. If it takes long: see why that record is missing.",
    ),
    "X": (
        "It conflicts with what is there",
        "Look at both sides, decide, then: strata retry {id}, or strata discard {id}",
    ),
    "P": ("It cannot be read, or the product met something nobody foresaw", "Look at it: strata items show {id}"),
    "C": ("The code changed under it", "Deploy code that fits, then: strata retry {id}"),
}

STATUSES = {
    Status.QUEUED: "waits behind an earlier one of the same order",
    Status.READY: "is about to go on",
    Status.RUNNING: "is being worked on",
    Status.SLEEPING: "will be tried again",
    Status.WAITING: "waits for something to happen",
    Status.PARKED: "waits until its system is back",
    Status.DEAD: "needs a person",
    Status.DONE: "is done",
    Status.DISCARDED: "was given up",
    Status.QUARANTINED: "was received and cannot be read",
    Status.ROUTED: "was received and handed on",
    Status.UNROUTED: "was received and waits for somebody to take it",
}


class Cause(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong."""

    what: str
    where: str = ""
    value: str = ""
    remedy: str = ""
    code: str = ""


class PlainItem(Struct, frozen=True, kw_only=True):
    """One item as `strata items --json` shows it."""

    id: int
    kind: str
    order: str
    """The number people know it by, or its key."""
    shop: str
    """The shop whose number that is; empty for what belongs to none."""
    key: str
    process: str
    status: str
    failure_class: str
    needs_a_person: bool
    what: str
    where: str
    causes: tuple[Cause, ...]
    remedy: str
    since: datetime
    next_at: datetime | None
    attempt: int
    behind: int
    """Items of the same order that it holds up."""
    correlation_id: str


def plain(item: Item, problem: Problem | None = None) -> PlainItem:
    """An item in plain words. problem: the last failure, where it is known; it names every cause at once."""
    causes = _causes(problem)
    meaning, remedy = CLASSES.get(item.failure_class, ("", ""))
    what = item.reason or (problem.detail if problem is not None else "") or meaning or STATUSES[item.status]
    remedies = list(dict.fromkeys(cause.remedy for cause in causes if cause.remedy))
    if remedies and item.status in NEEDS_A_PERSON:
        remedy = f"{' '.join(remedies)} Then: strata retry {item.id}"
    return PlainItem(
        id=item.id,
        kind=item.kind,
        order=number_of(item),
        shop=shop_of(item),
        key=item.key,
        process=item.process,
        status=item.status.value,
        failure_class=item.failure_class,
        needs_a_person=item.status in NEEDS_A_PERSON,
        what=what,
        where=_where(item),
        causes=causes,
        remedy=remedy.format(id=item.id) if "{id}" in remedy else remedy,
        since=item.first_failed_at or item.updated_at,
        next_at=item.next_at,
        attempt=item.attempt,
        behind=item.behind,
        correlation_id=item.correlation_id,
    )


def plain_detail(detail: ItemDetail) -> PlainItem:
    """The same, with every cause."""
    return plain(detail.item, detail.problem)


def number_of(item: Item) -> str:
    """What people call it: the order number when it is known."""
    number = item.facts.get("number")
    return str(number) if number else item.label or item.key


def shop_of(item: Item) -> str:
    """The shop of an order's key, `sh:{shop}:order:{id}`."""
    parts = item.order_key.split(":")
    return parts[1] if len(parts) == 4 and parts[2] == "order" else ""


def _where(item: Item) -> str:
    place = item.step.replace("_", " ") if item.step else ""
    if item.backend:
        place = f"{place} ({item.backend})" if place else item.backend
    return place or item.process or "intake"


def _causes(problem: Problem | None) -> tuple[Cause, ...]:
    if problem is None:
        return ()
    return tuple(Cause(e.detail, e.pointer, e.value, e.remedy, e.code) for e in problem.errors)


def ago(then: datetime, now: datetime) -> str:
    """How long since, to one unit: `4 s`, `12 min`, `3 h`, `2 d`."""
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
