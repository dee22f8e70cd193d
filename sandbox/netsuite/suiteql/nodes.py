"""Small pieces of syntax trees, and questions about them."""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.expressions import Expr

from sandbox.netsuite.errors import NsError, bad_query
from sandbox.netsuite.suiteql.catalogue import Column
from sandbox.netsuite.suiteql.functions import sqlite_name

UNSUPPORTED = "Search error occurred: Invalid or unsupported search."


def unsupported() -> NsError:
    return bad_query(UNSUPPORTED)


class Source:
    """Something in FROM: its alias, what it is called in error messages, and its columns."""

    def __init__(self, alias: str, title: str, columns: dict[str, Column | None]) -> None:
        self.alias = alias
        self.title = title
        self.columns = columns


Env = list[dict[str, Source]]


def identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def column_of(alias: str, name: str) -> exp.Column:
    return exp.Column(this=identifier(name), table=identifier(alias))


def call(name: str, *arguments: Expr) -> Expr:
    return exp.Anonymous(this=sqlite_name(name), expressions=list(arguments))


def date_literal(stored: str) -> Expr:
    made = exp.Literal.string(stored)
    made.meta["date"] = True
    return made


def is_date_node(node: Expr | None) -> bool:
    if node is None:
        return False
    column: Column | None = node.meta.get("column")
    return bool(node.meta.get("date")) or (column is not None and column.kind in ("d", "t"))


def as_dates(node: Expr) -> None:
    """A text compared with a date is read in the account's format, as Oracle does by its settings."""
    sides = [node.this, *(node.args.get(n) for n in ("expression", "low", "high")), *node.args.get("expressions", [])]
    if not any(is_date_node(side) for side in sides):
        return
    for side in sides:
        if isinstance(side, exp.Literal) and side.is_string and not side.meta.get("date"):
            side.replace(call("TO_DATE", side.copy()))


def row_bound(term: Expr) -> int | None:  # noqa: PLR0911  # a table of cases
    """n of `ROWNUM <= n` and its like; None for other conditions."""
    if isinstance(term, exp.Paren):
        return row_bound(term.this)
    if not isinstance(term, exp.LTE | exp.LT | exp.EQ | exp.Between):
        return None
    left = term.this
    if not isinstance(left, exp.Column) or left.table or left.name.lower() != "rownum":
        return None
    bound = term.args.get("high") if isinstance(term, exp.Between) else term.expression
    if not isinstance(bound, exp.Literal) or bound.is_string or not str(bound.this).isdigit():
        raise unsupported()
    number = int(bound.this)
    if isinstance(term, exp.LT):
        return number - 1
    if isinstance(term, exp.EQ):
        return 1 if number == 1 else 0
    if isinstance(term, exp.Between) and term.args["low"].sql() not in ("0", "1"):
        return 0
    return number


AGGREGATE_NAMES = frozenset({"COUNT", "ns_sum", "ns_avg", "ns_listagg"})


def is_aggregate(node: Expr) -> bool:
    if not isinstance(node, exp.Anonymous) or isinstance(node.parent, exp.Window):
        return False
    # MIN and MAX of several arguments are LEAST and GREATEST
    return node.this in AGGREGATE_NAMES or (node.this in ("MIN", "MAX") and len(node.expressions) == 1)


def children(node: Expr) -> list[Expr]:
    found: list[Expr] = []
    for value in node.args.values():
        parts: list[Any] = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]
        found += [part for part in parts if isinstance(part, Expr)]
    return found


def aggregates(node: Expr) -> bool:
    if is_aggregate(node):
        return True
    if isinstance(node, exp.Subquery | exp.Select):
        return False
    return any(aggregates(child) for child in children(node))


def grouped(node: Expr, keys: set[str]) -> bool:
    if node.sql(dialect="sqlite") in keys or is_aggregate(node):
        return True
    if isinstance(node, exp.Subquery | exp.Select):
        return node.sql(dialect="sqlite") in keys or all(
            column.sql(dialect="sqlite") in keys for column in outer_columns(node)
        )
    if isinstance(node, exp.Column):
        return False
    return all(grouped(child, keys) for child in children(node))


def outer_columns(node: Expr) -> list[exp.Column]:
    own = {table.alias_or_name for table in node.find_all(exp.Table)}
    return [column for column in node.find_all(exp.Column) if column.table and column.table not in own]
