"""Faults on order: what goes wrong, for which requests, how often and how long."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from sandbox.core.clock import Clock

Kind = Literal[
    "status",
    "latency",
    "timeout_before",
    "timeout_after",
    "throttle",
    "maintenance",
    "malformed",
    "truncated",
    "connection_reset",
    "webhook_lost",
    "webhook_duplicate",
    "webhook_shuffle",
    "webhook_delay",
]
WEBHOOK_KINDS = frozenset({"webhook_lost", "webhook_duplicate", "webhook_shuffle", "webhook_delay"})


class Match(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which requests (or webhooks) a fault meets; a member left out meets all. Globs (`*`, `?`) in every member.

    method: HTTP method. path: the path without query. operation: the vendor's name of what is asked, such as the
    GraphQL root field `orderCreate` or `salesOrder:PUT`; for webhooks the topic. account: shop or account.
    """

    method: str | None = None
    path: str | None = None
    operation: str | None = None
    account: str | None = None


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that goes wrong.

    kind:
      status            answer `status` without doing the work, in the vendor's own error form unless `body` is given
      latency           do the work `latency_ms` later
      timeout_before    do nothing, stay silent for `hang_s`, then close the connection
      timeout_after     do and commit the work, stay silent for `hang_s`, then close the connection
      throttle          the vendor's own answer to too many requests
      maintenance       the vendor's own answer while it is down for maintenance
      malformed         do the work, answer a body that does not parse
      truncated         do the work, send half of the body, then cut the connection
      connection_reset  do nothing, cut the connection at once
      webhook_lost      never deliver
      webhook_duplicate deliver twice
      webhook_shuffle   deliver in random order within `latency_ms` (default 2000)
      webhook_delay     deliver `latency_ms` later
    headers: added to the answer. probability: 0..1, drawn from a generator seeded with `seed`.
    times: how many hits until it is used up; null is no bound. for_s: sandbox seconds until it ends by itself.
    """

    kind: Kind
    id: str = ""
    match: Match = msgspec.field(default_factory=Match)
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] = 503
    headers: dict[str, str] = {}
    body: str | None = None
    latency_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None
    hang_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    for_s: Annotated[float, msgspec.Meta(gt=0)] | None = None


class _Active(msgspec.Struct):
    fault: Fault
    left: int | None
    until: datetime | None
    random: random.Random
    hits: int = 0


class FaultView(msgspec.Struct):
    """A fault as `GET /_sandbox/faults` shows it: with its hits and what is left of it."""

    fault: Fault
    hits: int
    times_left: int | None
    until: datetime | None


class Faults:
    """The faults in force. They live in memory: a restart of the sandbox ends them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: dict[str, _Active] = {}
        self._count = 0

    def add(self, fault: Fault) -> str:
        """Put a fault in force and answer its id (made up when the fault has none; the same id replaces)."""
        if not fault.id:
            self._count += 1
            fault = msgspec.structs.replace(fault, id=f"fault-{self._count}")
        until = None if fault.for_s is None else self._clock.now() + timedelta(seconds=fault.for_s)
        self._active[fault.id] = _Active(fault, fault.times, until, random.Random(fault.seed))
        return fault.id

    def remove(self, fault_id: str) -> bool:
        return self._active.pop(fault_id, None) is not None

    def clear(self) -> int:
        count = len(self._active)
        self._active.clear()
        return count

    def list(self) -> list[FaultView]:
        self._drop_expired()
        return [FaultView(a.fault, a.hits, a.left, a.until) for a in self._active.values()]

    def _drop_expired(self) -> None:
        if not self._active:
            return
        now = self._clock.now()
        for key in [k for k, a in self._active.items() if a.left == 0 or (a.until is not None and a.until <= now)]:
            del self._active[key]

    def strike(
        self,
        *,
        operations: Iterable[str],
        method: str = "",
        path: str = "",
        account: str | None = None,
        webhooks: bool = False,
    ) -> list[Fault]:
        """The faults that meet this request (webhooks=True: this delivery), each counted as a hit.

        A request meets at most one fault besides `latency`: the first that was put in force.
        """
        if not self._active:
            return []
        self._drop_expired()
        named = tuple(operations)
        struck: list[Fault] = []
        answered = False
        for active in self._active.values():
            fault = active.fault
            exclusive = fault.kind not in ("latency", "webhook_delay")
            if (fault.kind in WEBHOOK_KINDS) != webhooks or (exclusive and answered):
                continue
            if not _meets(fault.match, named, method, path, account):
                continue
            if fault.probability < 1.0 and active.random.random() >= fault.probability:
                continue
            active.hits += 1
            if active.left is not None:
                active.left -= 1
            struck.append(fault)
            answered = answered or exclusive
        self._drop_expired()
        return struck


def _meets(match: Match, operations: tuple[str, ...], method: str, path: str, account: str | None) -> bool:
    if match.method is not None and not fnmatchcase(method.upper(), match.method.upper()):
        return False
    if match.path is not None and not fnmatchcase(path, match.path):
        return False
    if match.account is not None and (account is None or not fnmatchcase(account.lower(), match.account.lower())):
        return False
    return match.operation is None or any(fnmatchcase(name, match.operation) for name in operations)
