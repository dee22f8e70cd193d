"""The query engine agrees with a plain filter over the same rows, whatever the values are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.core.clock import Clock
from sandbox.core.store import Store
from sandbox.netsuite.projections import Projections
from sandbox.netsuite.records import Records
from sandbox.netsuite.suiteql import SuiteQL

hostile = st.one_of(
    st.sampled_from(
        [
            "",
            "'",
            "''",
            "a' OR '1'='1",
            "%",
            "_",
            "\\",
            "NULL",
            "0",
            "01",
            "1e3",
            " ",
            "é",
            "É",
            "\u2028",
            "\x01x",
            '"',
            "--",
            ";",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8),
)
rows = st.lists(st.tuples(hostile, hostile, st.integers(-5, 5)), max_size=12)
Compare = Callable[[Any, Any], bool]
OPERATORS: dict[str, Compare] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def kept(text: str) -> str | None:
    """A value as the account keeps it: an empty text is none."""
    return text or None


@pytest.fixture(scope="module")
def engine() -> tuple[Records, SuiteQL]:
    records = Records(Store(None), Clock())
    Projections(records)
    return records, SuiteQL(records)


def fill(records: Records, data: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """These locations and no others."""
    for doc in list(records.all("location")):
        records.remove("location", doc)
    stamp = "2026-01-01T00:00:00Z"
    for number, (name, full, parent) in enumerate(data, start=1):
        doc = {
            "id": str(number),
            "name": name,
            "fullName": full,
            "parent": {"id": str(parent)},
            "lastModifiedDate": stamp,
        }
        records.put("location", doc, None)
    return [
        {"id": n, "name": kept(name), "fullname": kept(full), "parent": parent}
        for n, (name, full, parent) in enumerate(data, start=1)
    ]


def ids(engine: SuiteQL, where: str) -> list[int]:
    _, found = engine.run(f"SELECT id FROM location WHERE {where} ORDER BY id", 1000, 0)  # noqa: S608
    return [int(row["id"]) for row in found]


QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(data=rows, value=hostile, operator=st.sampled_from(sorted(OPERATORS)))
def test_text_comparisons(
    engine: tuple[Records, SuiteQL], data: list[tuple[str, str, int]], value: str, operator: str
) -> None:
    records, suiteql = engine
    # code point order is what SQLite compares by; an empty literal is NULL and meets nothing
    expected = [
        row["id"]
        for row in fill(records, data)
        if value and row["name"] is not None and OPERATORS[operator](row["name"].encode(), value.encode())
    ]
    assert ids(suiteql, f"name {operator} {quoted(value)}") == expected


@QUICK
@given(data=rows, value=hostile, low=st.integers(-6, 6), high=st.integers(-6, 6))
def test_conditions_joined(
    engine: tuple[Records, SuiteQL], data: list[tuple[str, str, int]], value: str, low: int, high: int
) -> None:
    records, suiteql = engine
    expected = [
        row["id"]
        for row in fill(records, data)
        if (row["name"] == (value or object()) and row["name"] is not None)
        or (low <= row["parent"] <= high and row["fullname"] is None)
    ]
    where = f"name = {quoted(value)} OR (parent BETWEEN {low} AND {high} AND fullname IS NULL)"
    assert ids(suiteql, where) == expected


@QUICK
@given(data=rows, part=hostile)
def test_contains(engine: tuple[Records, SuiteQL], data: list[tuple[str, str, int]], part: str) -> None:
    records, suiteql = engine
    expected = [row["id"] for row in fill(records, data) if part and row["name"] is not None and part in row["name"]]
    escaped = part.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    if part:
        assert ids(suiteql, f"name LIKE {quoted(f'%{escaped}%')} ESCAPE '!'") == expected
    assert ids(suiteql, f"INSTR(name, {quoted(part)}) > 0") == expected


@QUICK
@given(data=rows)
def test_grouping_and_sums(engine: tuple[Records, SuiteQL], data: list[tuple[str, str, int]]) -> None:
    records, suiteql = engine
    groups: dict[str | None, list[int]] = {}
    for row in fill(records, data):
        groups.setdefault(row["name"], []).append(row["parent"])
    query = "SELECT name, COUNT(*) n, SUM(parent) s, MIN(parent) a, MAX(parent) b FROM location GROUP BY name"
    total, found = suiteql.run(query, 1000, 0)
    assert total == len(groups)
    seen = {row.get("name"): (int(row["n"]), int(row["s"]), int(row["a"]), int(row["b"])) for row in found}
    assert seen == {name: (len(v), sum(v), min(v), max(v)) for name, v in groups.items()}


@QUICK
@given(data=rows, size=st.integers(1, 5))
def test_pages_are_the_whole(engine: tuple[Records, SuiteQL], data: list[tuple[str, str, int]], size: int) -> None:
    records, suiteql = engine
    fill(records, data)
    found: list[int] = []
    for offset in range(0, len(data) + size, size):
        total, page = suiteql.run("SELECT id FROM location ORDER BY parent DESC, id", size, offset)
        found += [int(row["id"]) for row in page]
        assert total == len(data)
    expected = sorted(range(1, len(data) + 1), key=lambda n: (-data[n - 1][2], n))
    assert found == expected


@QUICK
@given(data=rows)
def test_joins(engine: tuple[Records, SuiteQL], data: list[tuple[str, str, int]]) -> None:
    records, suiteql = engine
    known = fill(records, data)
    query = "SELECT a.id x, b.id y FROM location a LEFT JOIN location b ON b.id = a.parent ORDER BY a.id"
    _, found = suiteql.run(query, 1000, 0)
    existing = {row["id"] for row in known}
    expected = [(row["id"], row["parent"] if row["parent"] in existing else None) for row in known]
    assert [(int(row["x"]), int(row["y"]) if "y" in row else None) for row in found] == expected
