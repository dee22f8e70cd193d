"""What was asked: a bounded log of the newest requests with counts and the high-water mark of concurrency."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime

import msgspec

KEEP = 10_000
BODY_BYTES = 64 * 1024
ALL_BODIES_BYTES = 64 * 1024 * 1024


class Logged(msgspec.Struct):
    """One request. at: sandbox time of arrival. ms: until the answer was ready. status 0: it was never answered."""

    id: int
    at: datetime
    method: str
    path: str
    query: str
    operation: str
    account: str | None
    status: int = 0
    ms: float = 0.0
    fault: str | None = None
    concurrent: int = 1
    request_headers: dict[str, str] = {}
    request_body: str = ""
    response_body: str = ""

    def size_bytes(self) -> int:
        return len(self.request_body) + len(self.response_body)


class Summary(msgspec.Struct):
    """Counts since the last clearing, over all requests and not only those still kept."""

    total: int
    by_operation: dict[str, int]
    by_status: dict[str, int]
    faults: dict[str, int]
    throttled: int
    in_flight: int
    max_concurrency: int
    first_at: datetime | None
    last_at: datetime | None


class RequestLog:
    """The newest `KEEP` requests; older bodies go first when all bodies together pass `ALL_BODIES_BYTES`."""

    def __init__(self) -> None:
        self._entries: deque[Logged] = deque()
        self._bodies: deque[Logged] = deque()
        self._bytes = 0
        self._number = 0
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        self._entries.clear()
        self._bodies.clear()
        self._bytes = 0
        self._total = 0
        self._operations: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._throttled = 0
        self._max = self.in_flight
        self._first: datetime | None = None
        self._last: datetime | None = None

    def start(self, entry: Logged) -> Logged:
        """Note an arriving request; it counts as in flight until `finish`."""
        self._number += 1
        self.in_flight += 1
        self._total += 1
        self._max = max(self._max, self.in_flight)
        entry.id, entry.concurrent = self._number, self.in_flight
        self._operations[entry.operation] += 1
        self._first = self._first or entry.at
        self._last = entry.at
        self._entries.append(entry)
        if len(self._entries) > KEEP:
            self._entries.popleft()
        return entry

    def finish(self, entry: Logged, *, throttled: bool = False) -> None:
        """Note the end of a request whose members the caller has filled in."""
        self.in_flight -= 1
        self._statuses[str(entry.status)] += 1
        if entry.fault is not None:
            self._faults[entry.fault] += 1
        self._throttled += throttled
        size = entry.size_bytes()
        if size:
            self._bodies.append(entry)
            self._bytes += size
        while self._bytes > ALL_BODIES_BYTES:
            oldest = self._bodies.popleft()
            self._bytes -= oldest.size_bytes()
            oldest.request_body = oldest.response_body = ""

    def newest(self, *, limit: int, operation: str | None = None, since: int | None = None) -> list[Logged]:
        """The newest entries, oldest of them first. since: only those with a greater id."""

        def matching() -> Iterator[Logged]:
            for entry in reversed(self._entries):
                if since is not None and entry.id <= since:
                    return
                if operation is None or entry.operation == operation:
                    yield entry

        found: list[Logged] = []
        for entry in matching():
            if len(found) == limit:
                break
            found.append(entry)
        return found[::-1]

    def summary(self) -> Summary:
        return Summary(
            total=self._total,
            by_operation=dict(self._operations),
            by_status=dict(self._statuses),
            faults=dict(self._faults),
            throttled=self._throttled,
            in_flight=self.in_flight,
            max_concurrency=self._max,
            first_at=self._first,
            last_at=self._last,
        )


def clip(body: bytes) -> str:
    """A body as text for the log, at most `BODY_BYTES` of it."""
    return body[:BODY_BYTES].decode("utf-8", "replace")
