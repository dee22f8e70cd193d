"""Expressions of SuiteQL rewritten for SQLite: names resolved, functions replaced by ours, dates read as dates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.expressions import Expr

from sandbox.netsuite.errors import NsError, bad_query
from sandbox.netsuite.suiteql.catalogue import Column
from sandbox.netsuite.suiteql.functions import AGGREGATES, NATIVE, SCALARS, WINDOW_ONLY
from sandbox.netsuite.suiteql.nodes import Source, as_dates, call, column_of, date_literal, identifier, unsupported

# BUILTIN.DF of a reference: storage, its key, and what is shown
DISPLAY = {
    "entity": ("q_entity", "id", "entitytitle"),
    "item": ("q_item", "id", "fullname"),
    "transaction": ("q_transaction", "id", "trandisplayname"),
    "currency": ("q_currency", "id", "name"),
    "subsidiary": ("q_subsidiary", "id", "name"),
    "location": ("q_location", "id", "name"),
    "department": ("q_department", "id", "name"),
    "term": ("q_term", "id", "name"),
    "priceLevel": ("q_pricelevel", "id", "name"),
    "customerStatus": ("q_customerstatus", "id", "name"),
    "customerCategory": ("q_customercategory", "id", "name"),
    "taxType": ("q_taxtype", "id", "name"),
    "taxItem": ("q_salestaxitem", "id", "itemid"),
    "tracking": ("q_trackingnumber", "id", "trackingnumber"),
}
LABELS = ("type", "source", "itemtype")
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
ARITHMETIC: dict[type[Expr], str] = {exp.Add: "_ADD", exp.Sub: "_SUBTRACT", exp.Mul: "_MULTIPLY", exp.Div: "_DIVIDE"}
# passed through as they are, with their children checked
PLAIN = (
    exp.And, exp.Or, exp.Not, exp.Paren, *COMPARISONS, exp.Between, exp.In, exp.Is, exp.Like, exp.Escape, exp.Exists,
    exp.Case, exp.If, exp.Null, exp.Literal, exp.Ordered, exp.Tuple, exp.Distinct, exp.Window, exp.WindowSpec,
    exp.Order, exp.Var, exp.DecodeCase,
)  # fmt: skip


Env = list[dict[str, Source]]
Ctes = dict[str, dict[str, Column | None]]


class Expressions(ABC):
    """Rewrites expressions; what is a query inside of them is left to `query`."""

    def __init__(self, now: str) -> None:
        self._now = now
        self._ctes: Ctes = {}

    @abstractmethod
    def query(self, node: Expr, outer: Env, ctes: Ctes) -> tuple[Expr, dict[str, Column | None]]:
        """The query rewritten, and its columns."""

    def _rewrite(self, node: Expr, env: Env) -> Expr:
        if isinstance(node, exp.Subquery | exp.Select | exp.SetOperation):
            return self.query(node, env, self._ctes)[0]
        if isinstance(node, exp.Column):
            return self._column(node, env)
        special = self._special(node, env)
        if special is not None:
            return special
        if not isinstance(node, PLAIN):
            raise unsupported()
        if isinstance(node, exp.Literal):
            return exp.Null() if node.is_string and node.this == "" else node
        for name, value in list(node.args.items()):
            if isinstance(value, Expr):
                node.set(name, self._rewrite(value, env))
            elif isinstance(value, list):
                parts: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # sqlglot types args as Any
                node.set(name, [self._rewrite(v, env) if isinstance(v, Expr) else v for v in parts])
        if isinstance(node, (*COMPARISONS, exp.Between, exp.In)):
            as_dates(node)
        return node

    def _special(self, node: Expr, env: Env) -> Expr | None:
        """Constructs that become calls of our own functions; None for others."""
        operator = ARITHMETIC.get(type(node))
        if operator is not None:
            return call(operator, self._rewrite(node.this, env), self._rewrite(node.expression, env))
        handlers: dict[type[Expr], Callable[[Any, Env], Expr]] = {
            exp.Neg: self._negative,
            exp.DPipe: lambda n, e: call("CONCAT", self._rewrite(n.this, e), self._rewrite(n.expression, e)),
            exp.Anonymous: self._function,
            exp.Dot: self._builtin,
            exp.CurrentTimestamp: lambda _n, _e: date_literal(self._now),
            exp.CurrentDate: lambda _n, _e: date_literal(self._now[:11] + " 00:00:00"),
            exp.Extract: self._extract,
            exp.Trim: self._trim,
            exp.Cast: self._cast,
            exp.GroupConcat: self._listagg,
        }
        handler = handlers.get(type(node))
        return None if handler is None else handler(node, env)

    def _negative(self, node: exp.Neg, env: Env) -> Expr:
        if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return node
        return call("_NEGATE", self._rewrite(node.this, env))

    def _column(self, node: exp.Column, env: Env) -> Expr:
        if node.args.get("join_mark") or node.args.get("db"):
            raise unsupported()
        name, table = node.name.lower(), node.table.lower()
        if not table and name == "rownum":
            return exp.Window(this=exp.Anonymous(this="ROW_NUMBER"))
        if not table and name == "sysdate":
            return date_literal(self._now)
        for sources in env:
            if table and table not in sources:
                continue
            owners = [sources[table]] if table else [s for s in sources.values() if name in s.columns]
            if len(owners) > 1:
                raise bad_query(f"Search error occurred: Identifier '{name}' is ambiguous.")
            if owners and name in owners[0].columns:
                made = column_of(owners[0].alias, name)
                made.meta["column"] = owners[0].columns[name]
                made.meta["alias"] = owners[0].alias
                return made
            if table:
                break
        raise self._unknown(node.sql(dialect="oracle").lower().replace('"', "") if table else node.name.lower(), env)

    def _unknown(self, name: str, env: Env) -> NsError:
        known = ", ".join(f"{s.alias}={s.title}" for s in (env[0] if env else {}).values())
        return bad_query(f"Search error occurred: Unknown identifier '{name}'. Available identifiers are: {{{known}}}")

    def _function(self, node: exp.Anonymous, env: Env) -> Expr:
        name = str(node.this).upper()
        arguments: list[Expr] = node.expressions
        if name in AGGREGATES:
            return self._aggregate(name, arguments, env)
        if name == "NVL" and len(arguments) == 2:
            name = "COALESCE"
        if name == "NVL2" and len(arguments) == 3:
            test, present, absent = (self._rewrite(a, env) for a in arguments)
            when = exp.If(this=exp.Is(this=test, expression=exp.Null()), true=absent)
            return exp.Paren(this=exp.Case(ifs=[when], default=present))
        rewritten = [self._rewrite(argument, env) for argument in arguments]
        if name in ("GREATEST", "LEAST") and len(rewritten) > 1:
            return exp.Anonymous(this="MAX" if name == "GREATEST" else "MIN", expressions=rewritten)
        bounds = NATIVE.get(name) or WINDOW_ONLY.get(name)
        if bounds is not None and bounds[0] <= len(rewritten) <= bounds[1]:
            return exp.Anonymous(this=name, expressions=rewritten)
        scalar = SCALARS.get(name)
        if scalar is None or name.startswith("_") or not scalar[0] <= len(rewritten) <= scalar[1]:
            raise unsupported()
        made = call(name, *rewritten)
        if name in ("TO_DATE", "TO_TIMESTAMP", "ADD_MONTHS", "LAST_DAY"):
            made.meta["date"] = True
        return made

    def _aggregate(self, name: str, arguments: list[Expr], env: Env) -> Expr:
        if name == "COUNT" and len(arguments) == 1 and isinstance(arguments[0], exp.Star):
            return exp.Anonymous(this="COUNT", expressions=[exp.Star()])
        if len(arguments) != 1:
            raise unsupported()
        argument = arguments[0]
        if isinstance(argument, exp.Distinct):
            if len(argument.expressions) != 1:
                raise unsupported()
            inner = self._rewrite(argument.expressions[0], env)
            made = exp.Anonymous(this=AGGREGATES[name], expressions=[exp.Distinct(expressions=[inner])])
        else:
            inner = self._rewrite(argument, env)
            made = exp.Anonymous(this=AGGREGATES[name], expressions=[inner])
        if name in ("MIN", "MAX") and "column" in inner.meta:
            made.meta["column"] = inner.meta["column"]
        return made

    def _builtin(self, node: exp.Dot, env: Env) -> Expr:
        """BUILTIN.DF(column) shows a value by name; BUILTIN.CF(transaction.status) with its type in front."""
        inner = node.expression
        if not isinstance(inner, exp.Anonymous) or node.this.name.upper() != "BUILTIN" or len(inner.expressions) != 1:
            raise unsupported()
        column = self._rewrite(inner.expressions[0], env)
        definition: Column | None = column.meta.get("column")
        match str(inner.this).upper():
            case "DF":
                return self._display(column, definition)
            case "CF":
                if definition is None or definition.df != "status":
                    return column
                kind = column_of(column.meta["alias"], "type")
                return call("CONCAT", call("CONCAT", kind, exp.Literal.string(":")), column)
            case _:
                raise unsupported()

    def _display(self, column: Expr, definition: Column | None) -> Expr:
        if definition is None or not definition.df:
            return call("_TEXT", column)
        if definition.df == "status":
            return call("_STATUS", column_of(column.meta["alias"], "type"), column)
        if definition.df in LABELS:
            return call("_LABEL", exp.Literal.string(definition.df), column)
        if definition.df == "address":
            both = [
                self._lookup(storage, "nkey", "addrtext", column) for storage in ("q_tranaddress", "q_entityaddress")
            ]
            return exp.Anonymous(this="COALESCE", expressions=both)
        return self._lookup(*DISPLAY[definition.df], column)

    def _lookup(self, storage: str, key: str, shown: str, value: Expr) -> Expr:
        table = exp.Table(this=identifier(storage), alias=exp.TableAlias(this=identifier("_df")))
        test = exp.EQ(this=column_of("_df", key), expression=value.copy())
        select = exp.Select(
            expressions=[column_of("_df", shown)], from_=exp.From(this=table), where=exp.Where(this=test)
        )
        return exp.Subquery(this=select)

    def _extract(self, node: exp.Extract, env: Env) -> Expr:
        part = node.this.name.upper()
        if part not in ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"):
            raise unsupported()
        return call("_EXTRACT", exp.Literal.string(part), self._rewrite(node.expression, env))

    def _trim(self, node: exp.Trim, env: Env) -> Expr:
        characters = node.args.get("expression")
        side = str(node.args.get("position") or "BOTH").upper()
        made = exp.Literal.string(" ") if characters is None else self._rewrite(characters, env)
        return call("TRIM", self._rewrite(node.this, env), made, exp.Literal.string(side))

    def _cast(self, node: exp.Cast, env: Env) -> Expr:
        inner = self._rewrite(node.this, env)
        kind = node.to
        if kind.is_type(*exp.DataType.TEXT_TYPES):
            return call("_TEXT", inner)
        if kind.is_type(*exp.DataType.INTEGER_TYPES):
            return call("ROUND", inner)
        if kind.is_type(*exp.DataType.NUMERIC_TYPES):
            return call("TO_NUMBER", inner)
        if kind.is_type(*exp.DataType.TEMPORAL_TYPES):
            made = call("TO_DATE", inner)
            made.meta["date"] = True
            return made
        raise unsupported()

    def _listagg(self, node: exp.GroupConcat, env: Env) -> Expr:
        inner, key, descending = node.this, node.this, False
        if isinstance(inner, exp.Order):
            if len(inner.expressions) != 1:
                raise unsupported()
            ordered = inner.expressions[0]
            inner, key, descending = inner.this, ordered.this, bool(ordered.args.get("desc"))
        separator = node.args.get("separator")
        arguments = [
            self._rewrite(inner.copy(), env),
            exp.Literal.string("") if separator is None else self._rewrite(separator, env),
            self._rewrite(key.copy(), env),
            exp.Literal.number(int(descending)),
        ]
        return exp.Anonymous(this="ns_listagg", expressions=arguments)
