"""Counting what happened: rollups by minute x API x operation x client x status class with a latency histogram.

Mergeable: buckets grow by a quarter, so any percentile read from them is within 12 % of the true value, whichever
nodes and minutes are added up. Bounded: at most `max_rows` rows wait in memory; the oldest are dropped and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

GROWTH: Final = 1.25
FIRST_US: Final = 100  # upper bound of the first bucket
BUCKETS: Final = 64  # the last one ends at about 127 s and takes everything above
RELATIVE_ERROR: Final = math.sqrt(GROWTH) - 1  # of a percentile, 11.8 %
_LOG: Final = math.log(GROWTH)


class RollupKey(Struct, frozen=True, order=True):
    """minute: whole minutes since the epoch. client: client id, or `-` when nobody was identified."""

    minute: int
    api: str
    operation: str
    client: str
    status_class: int


class Rollup(Struct):
    """What one row counted. latency_us: sum over its requests; histogram: requests per bucket."""

    requests: int
    latency_us: int
    histogram: list[int]


def bucket(latency_us: int) -> int:
    """The bucket of a latency; bucket i ends at FIRST_US * GROWTH**i microseconds."""
    if latency_us <= FIRST_US:
        return 0
    return min(BUCKETS - 1, math.ceil(math.log(latency_us / FIRST_US) / _LOG - 1e-9))


def upper_us(index: int) -> float:
    """Where a bucket ends, in microseconds."""
    return FIRST_US * GROWTH**index


def percentile_us(histogram: Iterable[int], share: float) -> float:
    """The latency that `share` (0 to 1) of the requests did not exceed, within RELATIVE_ERROR; 0.0 without any."""
    counts = list(histogram)
    wanted = share * sum(counts)
    seen = 0
    for index, count in enumerate(counts):
        seen += count
        if count and seen >= wanted:
            return FIRST_US / math.sqrt(GROWTH) if index == 0 else upper_us(index) / math.sqrt(GROWTH)
    return 0.0


class Ledger:
    """The rows that were counted and not yet written."""

    def __init__(self, max_rows: int = 20_000) -> None:
        self.max_rows = max_rows
        self.rows: dict[RollupKey, Rollup] = {}
        self.dropped_requests = 0

    def count(self, key: RollupKey, latency_us: int) -> None:
        """One request more."""
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Rollup(0, 0, [0] * BUCKETS)
            if len(self.rows) > self.max_rows:
                self._drop_oldest()
        row.requests += 1
        row.latency_us += latency_us
        row.histogram[bucket(latency_us)] += 1

    def take(self) -> dict[RollupKey, Rollup]:
        """All rows, to be written; counting goes on in new ones."""
        rows, self.rows = self.rows, {}
        return rows

    def give_back(self, rows: dict[RollupKey, Rollup]) -> None:
        """Rows that could not be written wait again, merged with what was counted since."""
        newer, self.rows = self.rows, rows
        for key, row in newer.items():
            merge(self.rows, key, row)
        while len(self.rows) > self.max_rows:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = next(iter(self.rows))  # insertion order is the order of time
        self.dropped_requests += self.rows.pop(oldest).requests


def merge(rows: dict[RollupKey, Rollup], key: RollupKey, row: Rollup) -> None:
    """Add a row to the one of the same key."""
    known = rows.get(key)
    if known is None:
        rows[key] = row
        return
    known.requests += row.requests
    known.latency_us += row.latency_us
    known.histogram = [a + b for a, b in zip(known.histogram, row.histogram, strict=True)]
