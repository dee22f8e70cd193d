"""Queries: whatever a value holds, it stays a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from strata.errors import BadParameter
from system_apis.netsuite import suiteql

PRINTABLE = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=("Cs",)), max_size=60)
HOSTILE = st.sampled_from(
    ["'", "''", "' OR '1'='1", "'; DROP TABLE customer; --", "\\'", "\\", "/*", "*/", "--", "{key}", "{0}", "%", "’"]
)
VALUES = st.one_of(PRINTABLE, HOSTILE, st.tuples(HOSTILE, PRINTABLE).map("".join))


def literals(sql: str) -> list[str]:
    """The texts that an Oracle parser finds in a query."""
    return [str(node.this) for node in sqlglot.parse_one(sql, read="oracle").find_all(exp.Literal) if node.is_string]


class TestText:
    @given(value=VALUES)
    @settings(max_examples=400, deadline=None)
    def test_it_is_one_literal_with_exactly_this_value(self, value: str) -> None:
        sql = suiteql.fill("SELECT id FROM customer WHERE externalid = {key}", key=suiteql.text(value))
        statement = sqlglot.parse_one(sql, read="oracle")
        assert isinstance(statement, exp.Select)
        assert literals(sql) == [value]

    @given(values=st.lists(VALUES, min_size=1, max_size=8))
    @settings(max_examples=150, deadline=None)
    def test_a_list_is_as_many_literals(self, values: list[str]) -> None:
        sql = suiteql.fill("SELECT id FROM item WHERE itemid IN ({skus})", skus=suiteql.texts(values))
        assert literals(sql) == values

    @pytest.mark.parametrize("value", ["\x00", "a\nb", "\r", "\t", "\x7f", "\x1b[2J"])
    def test_control_characters_are_refused(self, value: str) -> None:
        with pytest.raises(BadParameter):
            suiteql.text(value)


class TestNumber:
    @pytest.mark.parametrize("value", ["", "-1", "1.5", "1e3", "٣", "1 OR 1=1", "0x10", "1" * 19, "²"])
    def test_anything_but_digits_is_refused(self, value: str) -> None:
        with pytest.raises(BadParameter):
            suiteql.number(value)

    def test_digits_are_taken(self) -> None:
        assert suiteql.numbers(["12", 7]) == "12, 7"


class TestMoments:
    @pytest.mark.parametrize("value", ["", "2026-01-31", "2026-01-31 10:00:00'", "x", "2026-13-01 00:00:00"])
    def test_another_form_is_refused(self, value: str) -> None:
        with pytest.raises(BadParameter):
            suiteql.timestamp(value)

    def test_a_moment_is_shown_on_the_clocks_of_the_account(self) -> None:
        at = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)
        assert suiteql.local_lower_bound(at, ZoneInfo("America/Los_Angeles")) == "2026-07-01 10:00:00"

    @given(at=st.integers(0, 3 * 365 * 86400).map(lambda s: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=s)))
    @settings(max_examples=300, deadline=None)
    def test_a_lower_bound_is_never_too_late_and_rarely_early(self, at: datetime) -> None:
        zone = ZoneInfo("America/Los_Angeles")
        bound = datetime.fromisoformat(suiteql.local_lower_bound(at, zone))
        shown = at.astimezone(zone).replace(tzinfo=None)
        assert bound <= shown
        assert shown - bound <= timedelta(hours=1)

    def test_nothing_is_missed_in_the_hour_that_comes_twice(self) -> None:
        zone = ZoneInfo("America/Los_Angeles")
        since = datetime(2026, 11, 1, 8, 50, tzinfo=UTC)  # 01:50 in summer time
        changed = datetime(2026, 11, 1, 9, 5, tzinfo=UTC)  # 01:05 in winter time, a quarter of an hour later
        assert changed.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") >= suiteql.local_lower_bound(since, zone)
