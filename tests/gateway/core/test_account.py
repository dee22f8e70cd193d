from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.account import (
    BUCKETS,
    RELATIVE_ERROR,
    Ledger,
    RollupKey,
    bucket,
    percentile_us,
    upper_us,
)


def key(minute: int = 1, api: str = "web") -> RollupKey:
    return RollupKey(minute, api, "get_order", "c", 2)


class TestBuckets:
    @given(st.integers(0, 10**9))
    def test_a_latency_is_inside_its_bucket(self, latency_us: int) -> None:
        index = bucket(latency_us)
        assert 0 <= index < BUCKETS
        if index < BUCKETS - 1:
            assert latency_us <= upper_us(index) * (1 + 1e-6)
        if index:
            assert latency_us > upper_us(index - 1) * (1 - 1e-6)

    @given(st.lists(st.integers(101, 60_000_000), min_size=1, max_size=200), st.floats(0.01, 1.0))
    def test_a_percentile_is_within_the_stated_error(self, latencies: list[int], share: float) -> None:
        histogram = [0] * BUCKETS
        for latency in latencies:
            histogram[bucket(latency)] += 1
        true = sorted(latencies)[max(0, math.ceil(share * len(latencies) - 1e-9) - 1)]
        assert abs(percentile_us(histogram, share) - true) <= true * RELATIVE_ERROR * 1.01

    def test_without_a_request_there_is_no_percentile(self) -> None:
        assert percentile_us([0] * BUCKETS, 0.5) == 0.0


class TestLedger:
    def test_it_counts(self) -> None:
        ledger = Ledger()
        ledger.count(key(), 1_000)
        ledger.count(key(), 3_000)
        row = ledger.take()[key()]
        assert (row.requests, row.latency_us, sum(row.histogram)) == (2, 4_000, 2)
        assert ledger.take() == {}

    def test_the_oldest_rows_go_when_there_are_too_many(self) -> None:
        ledger = Ledger(max_rows=3)
        for minute in range(5):
            ledger.count(key(minute), 1)
        assert [row.minute for row in ledger.rows] == [2, 3, 4]
        assert ledger.dropped_requests == 2

    def test_rows_that_could_not_be_written_are_merged_with_newer_ones(self) -> None:
        ledger = Ledger()
        ledger.count(key(1), 10)
        taken = ledger.take()
        ledger.count(key(1), 20)
        ledger.count(key(2), 30)
        ledger.give_back(taken)
        rows = ledger.take()
        assert rows[key(1)].requests == 2
        assert rows[key(1)].latency_us == 30
        assert list(rows) == [key(1), key(2)]
