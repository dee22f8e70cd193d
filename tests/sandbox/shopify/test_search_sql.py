# ruff: noqa: E501, S608, PLR0911, RUF012  # tables of cases; SQL under test
from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.shopify.search_sql import compile_query
from sandbox.shopify.state import COLUMNS, epoch, listed
from sandbox.shopify.tokens import tokens, words

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TAGS = st.sampled_from(
    ["vip", "erp:so1", "a b", "it's", 'qu"ote', "x,y", "100%", "under_score", "star*", "back\\slash", "-minus", "(p)"]
)
HOSTILE = st.text(alphabet="ab:()'\"\\*-, <>=.%_ANDORNT\x1f|", max_size=25)


@st.composite
def rows(draw):
    number = draw(st.integers(1, 9))
    return {
        "id": draw(st.integers(1, 10**6)),
        "created_at": NOW - timedelta(hours=draw(st.integers(0, 100))),
        "name": f"#100{number}",
        "email": draw(st.sampled_from(["", "bob@example.com", "bob.norman@shop.example.org", "ann@example.com"])),
        "financial_status": draw(st.sampled_from(["paid", "pending", "partially_paid"])),
        "status": draw(st.sampled_from(["open", "closed", "cancelled"])),
        "tags": draw(st.lists(TAGS, max_size=3, unique=True)),
        "total": draw(st.integers(0, 50)),
    }


def found(table, query):
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE TABLE order_search (id INTEGER, {', '.join(COLUMNS['order'])})")
    for row in table:
        db.execute(
            "INSERT INTO order_search (id, shop, created_at, name, email, financial_status, status, tags, total, default_text)"
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            (row["id"], "s", epoch(row["created_at"]), tokens(row["name"]), tokens(row["email"]), row["financial_status"],
             row["status"], listed(row["tags"]), row["total"], tokens(row["name"], row["email"], *row["tags"])),
        )  # fmt: skip
    compiled = compile_query("order", query, now=NOW, shop="s")
    return [
        row[0]
        for row in db.execute(f"SELECT id FROM order_search WHERE {compiled.where} ORDER BY rowid", compiled.params)
    ]


def quoted(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def phrase(text, wanted):
    have, want = words(text), words(wanted)
    return bool(want) and any(have[i : i + len(want)] == want for i in range(len(have)))


@st.composite
def filters(draw, depth=2):
    """(query text, the same as a Python predicate)."""
    kind = draw(st.integers(0, 9 if depth else 6))
    if kind == 0:
        tag = draw(TAGS)
        if "," in tag:
            parts = tag.split(",")
            return f"tag:{quoted(tag)}", lambda r: any(t in r["tags"] for t in parts)
        return f"tag:{quoted(tag)}", lambda r: tag in r["tags"]
    if kind == 1:
        sign = draw(st.sampled_from([">=", "<=", ">", "<"]))
        at = NOW - timedelta(hours=draw(st.integers(0, 100)))
        text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        compare = {">=": lambda r: r["created_at"] >= at, "<=": lambda r: r["created_at"] <= at,
                   ">": lambda r: r["created_at"] > at, "<": lambda r: r["created_at"] < at}[sign]  # fmt: skip
        return f"created_at:{sign}'{text}'", compare
    if kind == 2:
        status = draw(st.sampled_from(["paid", "pending", "partially_paid"]))
        return f"financial_status:{status}", lambda r: r["financial_status"] == status
    if kind == 3:
        status = draw(st.sampled_from(["open", "closed", "cancelled"]))
        return f"status:{status}", lambda r: r["status"] == status
    if kind == 4:
        name = draw(st.sampled_from(["#1001", "1002", "1003"]))
        return f"name:{quoted(name)}", lambda r: phrase(r["name"], name)
    if kind == 5:
        email = draw(st.sampled_from(["bob@example.com", "example.com", "norman", "nobody@example.net"]))
        return f"email:{email}", lambda r: phrase(r["email"], email)
    if kind == 6:
        low, high = draw(st.integers(0, 50)), draw(st.integers(0, 50))
        return f"total_price:{low}..{high}", lambda r: low <= r["total"] <= high
    if kind == 7:
        text, inner = draw(filters(depth=depth - 1))
        return draw(st.sampled_from([f"NOT {text}", f"-{text}"])) if not text.startswith(
            ("(", "NOT", "-")
        ) else f"NOT ({text})", lambda r: not inner(r)
    a, first = draw(filters(depth=depth - 1))
    b, second = draw(filters(depth=depth - 1))
    if kind == 8:
        return f"({a} OR {b})", lambda r: first(r) or second(r)
    return draw(st.sampled_from([f"({a} AND {b})", f"({a} {b})"])), lambda r: first(r) and second(r)


class TestAgainstAPlainFilter:
    @settings(max_examples=300, deadline=None)
    @given(st.lists(rows(), max_size=8), filters())
    def test_the_same_rows_are_found(self, table, wanted):
        query, predicate = wanted
        assert found(table, query) == [row["id"] for row in table if predicate(row)]

    @settings(max_examples=300, deadline=None)
    @given(st.lists(rows(), max_size=3), HOSTILE)
    def test_no_text_breaks_it(self, table, query):
        ids = [row["id"] for row in table]
        assert set(found(table, query)) <= set(ids)

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=30).filter(lambda t: "," not in t and t.strip() and "\x1f" not in t and "\x00" not in t))
    def test_a_quoted_value_is_found_whatever_is_in_it(self, tag):
        row = {
            "id": 1,
            "created_at": NOW,
            "name": "",
            "email": "",
            "financial_status": "",
            "status": "",
            "tags": [tag],
            "total": 0,
        }
        assert found([row], f"tag:{quoted(tag)}") == [1]
        assert found([row], f"tag:{quoted(tag + 'x')}") == []


class TestSyntax:
    ROW = {
        "id": 7, "created_at": datetime(2026, 3, 5, 10, tzinfo=UTC), "name": "#1001-A", "email": "bob@example.com",
        "financial_status": "paid", "status": "open", "tags": ["vip", "erp:so1"], "total": 10,
    }  # fmt: skip

    @pytest.mark.parametrize(
        ("query", "meets"),
        [
            ("", True), ("bob", True), ("Bob example.com", True), ("alice", False), ("bo*", True), ("email:*", True),
            ("name:1001-A", True), ("name:1001", True), ("name:100", False), ("tag:vi*", True), ("tag:none,vip", True),
            ("tag:erp\\:so1", True), ("tag_not:vip", False), ("tag_not:other", True), ("id:7", True), ("id:>=7", True),
            ("id:>7", False), ("created_at:2026-03-05", True), ("created_at:2026-03", True), ("created_at:<=2026", True),
            ("created_at:<2026", False), ("created_at:>2026", False), ("created_at:<now", True), ("created_at:>now", False),
            ("financial_status:unpaid", False), ("financial_status:PAID", True), ("status:any", True),
            ("status:not_closed", True), ("fulfillment_status:nonsense", False), ("test:true", False),
            ("vip AND NOT alice", True), ("alice OR bob", True), ("(alice OR bob) tag:vip", True), ("unknown:1", True),
            ("created_at: >='2026-01-01'", True), ("total_price:>=10 total_price:<=20", True), ("total_price:abc", False),
        ],
    )  # fmt: skip
    def test_example(self, query, meets):
        assert bool(found([self.ROW], query)) is meets

    def test_an_unknown_field_is_ignored_with_a_warning(self):
        compiled = compile_query("order", "colour:red AND status:open", now=NOW, shop="s")
        assert [(w.field_, w.message) for w in compiled.warnings] == [
            ("colour", "Invalid search field for this query.")
        ]
