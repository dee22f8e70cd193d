"""SuiteQL text to SQLite text: parsed as Oracle SQL, every name resolved, every construct one that is known.

What is not known is refused in NetSuite's words; nothing reaches SQLite that was not put together here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.dialects.oracle import Oracle
from sqlglot.errors import SqlglotError
from sqlglot.expressions import Expr

from sandbox.netsuite.errors import bad_query
from sandbox.netsuite.suiteql.catalogue import BY_NAME, Column
from sandbox.netsuite.suiteql.expressions import Ctes, Env, Expressions
from sandbox.netsuite.suiteql.nodes import Source, aggregates, column_of, grouped, identifier, row_bound, unsupported


class _Dialect(Oracle):
    """Oracle's grammar; functions stay as they are written, so that none is translated behind our back."""

    class Parser(Oracle.Parser):
        FUNCTIONS: ClassVar[dict[str, Callable[..., Expr]]] = {}


class Compiled(msgspec.Struct, frozen=True):
    """sql for SQLite; its columns have the names that results show, each once."""

    sql: str


def compile_query(text: str, now: str) -> Compiled:
    """Raises NsError. now: the present as rows keep times, for SYSDATE."""
    try:
        tokens = sqlglot.tokenize(text, dialect=_Dialect)
        if any(token.token_type.name == "LIMIT" and token.text.upper() == "LIMIT" for token in tokens):
            raise unsupported()
        statements = sqlglot.parse(text, dialect=_Dialect)
    except SqlglotError as error:
        raise unsupported() from error
    except RecursionError as error:
        raise unsupported() from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise unsupported()
    compiler = _Compiler(now)
    try:
        query, _ = compiler.query(statements[0], [], {})
        return Compiled(query.sql(dialect="sqlite"))
    except (SqlglotError, RecursionError) as error:
        raise unsupported() from error


class _Compiler(Expressions):
    # Queries ----------------------------------------------------------------------------------------------------------

    def query(self, node: Expr, outer: Env, ctes: Ctes) -> tuple[Expr, dict[str, Column | None]]:
        """The query rewritten, and its columns."""
        ctes = dict(ctes)
        with_ = node.args.get("with_")
        if with_ is not None:
            if with_.args.get("recursive"):
                raise unsupported()
            for cte in with_.expressions:
                inner, columns = self.query(cte.this, outer, ctes)
                cte.set("this", inner)
                name = cte.alias.lower()
                cte.set("alias", exp.TableAlias(this=identifier(name)))
                ctes[name] = columns
        if isinstance(node, exp.Subquery):
            inner, columns = self.query(node.this, outer, ctes)
            node.set("this", inner)
            self._tail(node, [])
            return node, columns
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, outer, ctes)
        if isinstance(node, exp.Select):
            return self._select(node, outer, ctes)
        raise unsupported()

    def _set_operation(self, node: exp.SetOperation, outer: Env, ctes: Ctes) -> tuple[Expr, dict[str, Column | None]]:
        left, columns = self.query(node.left, outer, ctes)
        right, others = self.query(node.right, outer, ctes)
        if len(columns) != len(others):
            raise unsupported()
        # SQLite takes no parentheses around the parts
        for side, part in (("this", left), ("expression", right)):
            node.set(side, part.this if isinstance(part, exp.Subquery) and not part.alias else part)
        env: Env = [{"": Source("", "", columns)}]
        self._tail(node, env, names=set(columns))
        return node, columns

    def _tail(self, node: Expr, env: Env, names: set[str] | None = None) -> None:
        """ORDER BY, OFFSET and FETCH of a query."""
        order = node.args.get("order")
        if order is not None:
            for ordered in order.expressions:
                ordered.set("this", self._order_key(ordered.this, env, names or set()))
        for name in ("limit", "offset"):
            bound = node.args.get(name)
            if bound is not None:
                count = bound.args.get("count") or bound.args.get("expression")
                if not isinstance(count, exp.Literal) or count.is_string or not str(count.this).isdigit():
                    raise unsupported()

    def _order_key(self, key: Expr, env: Env, names: set[str]) -> Expr:
        if isinstance(key, exp.Literal) and not key.is_string:
            return key
        if isinstance(key, exp.Column) and not key.table and key.name.lower() in names:
            return exp.column(identifier(key.name.lower()))
        return self._rewrite(key, env)

    def _select(self, node: exp.Select, outer: Env, ctes: Ctes) -> tuple[Expr, dict[str, Column | None]]:
        self._only(node, "with_", "expressions", "from_", "joins", "where", "group", "having", "order", "limit",
                   "offset", "distinct", "hint")  # fmt: skip
        before, self._ctes = self._ctes, ctes
        try:
            return self._select_parts(node, outer, ctes)
        finally:
            self._ctes = before

    def _select_parts(self, node: exp.Select, outer: Env, ctes: Ctes) -> tuple[Expr, dict[str, Column | None]]:
        sources: dict[str, Source] = {}
        from_ = node.args.get("from_")
        if from_ is None:
            raise unsupported()
        dual = isinstance(from_.this, exp.Table) and from_.this.name.lower() == "dual" and not node.args.get("joins")
        if dual:
            node.set("from_", None)
        else:
            from_.set("this", self._source(from_.this, sources, outer, ctes))
        env: Env = [sources, *outer]
        joins: list[exp.Join] = node.args.get("joins") or []
        for join in joins:
            self._only(join, "this", "kind", "side", "on", "method")
            if join.args.get("method"):
                raise unsupported()
            join.set("this", self._source(join.this, sources, outer, ctes))
            if join.args.get("on") is not None:
                join.set("on", self._rewrite(join.args["on"], env))
        limit = self._row_limit(node)
        where = node.args.get("where")
        if where is not None:
            where.set("this", self._rewrite(where.this, env))
        columns = self._projections(node, env)
        group = node.args.get("group")
        if group is not None:
            self._only(group, "expressions")
            group.set("expressions", [self._rewrite(e, env) for e in group.expressions])
        having = node.args.get("having")
        if having is not None:
            having.set("this", self._rewrite(having.this, env))
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise unsupported()
        self._tail(node, env, names=set(columns))
        self._check_grouping(node)
        return (node if limit is None else self._limited(node, limit, columns)), columns

    def _only(self, node: Expr, *names: str) -> None:
        """Refuse clauses that are not known here."""
        if any(value for name, value in node.args.items() if name not in names):
            raise unsupported()

    def _source(self, node: Expr, sources: dict[str, Source], outer: Env, ctes: Ctes) -> Expr:
        alias_node = node.args.get("alias")
        alias = alias_node.name.lower() if alias_node is not None else ""
        if alias_node is not None and alias_node.args.get("columns"):
            raise unsupported()
        if isinstance(node, exp.Table):
            self._only(node, "this", "alias")
            name = node.name.lower()
            alias = alias or name
            storage: str = name
            columns: dict[str, Column | None]
            if name in ctes:
                columns = ctes[name]
            else:
                table = BY_NAME.get(name)
                if table is None:
                    raise bad_query(f"Invalid search type: {node.name}.")
                columns = {column.name: column for column in table.columns}
                storage = table.storage
            made: Expr = exp.Table(this=identifier(storage))
        elif isinstance(node, exp.Subquery):
            inner, columns = self.query(node.this, outer, ctes)
            alias = alias or f"_subquery{len(sources)}"
            name = alias
            made = exp.Subquery(this=inner)
        else:
            raise unsupported()
        if alias in sources:
            raise bad_query(f"Search error occurred: Identifier '{alias}' is used more than once.")
        sources[alias] = Source(alias, name, columns)
        made.set("alias", exp.TableAlias(this=identifier(alias)))
        return made

    def _projections(self, node: exp.Select, env: Env) -> dict[str, Column | None]:
        """Rewrite what is selected; names are lower case, nameless expressions are expr1, expr2, ..."""
        columns: dict[str, Column | None] = {}
        made: list[Expr] = []
        unnamed = 0

        def add(name: str, expression: Expr, column: Column | None) -> None:
            if name in columns:
                return  # a name is shown once
            columns[name] = column
            made.append(exp.alias_(expression, name, quoted=True))

        for projection in node.expressions:
            if isinstance(projection, exp.Star) or (
                isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
            ):
                wanted = projection.table.lower() if isinstance(projection, exp.Column) else None
                for source in env[0].values():
                    if wanted in (None, source.alias):
                        for name, column in source.columns.items():
                            add(name, column_of(source.alias, name), column)
                if wanted is not None and wanted not in env[0]:
                    raise self._unknown(wanted, env)
                continue
            inner = projection.this if isinstance(projection, exp.Alias) else projection
            if isinstance(projection, exp.Alias):
                name = projection.alias.lower()
            elif isinstance(inner, exp.Column):
                name = inner.name.lower()
            else:
                unnamed += 1
                name = f"expr{unnamed}"
            rewritten = self._rewrite(inner, env)
            add(name, rewritten, rewritten.meta.get("column"))
        if not made:
            raise unsupported()
        node.set("expressions", made)
        return columns

    # ROWNUM -----------------------------------------------------------------------------------------------------------

    def _row_limit(self, node: exp.Select) -> int | None:
        """Take `ROWNUM <= n` out of WHERE: it counts rows before they are sorted."""
        where = node.args.get("where")
        if where is None:
            return None
        terms = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        limit: int | None = None
        rest: list[Expr] = []
        for term in terms:
            bound = row_bound(term)
            if bound is None:
                rest.append(term)
            else:
                limit = bound if limit is None else min(limit, bound)
        if limit is None:
            return None
        if node.args.get("group") or node.args.get("distinct"):
            raise unsupported()
        if rest:
            where.set("this", exp.and_(*rest, copy=False))
        else:
            node.set("where", None)
        return max(limit, 0)

    def _limited(self, node: exp.Select, limit: int, columns: dict[str, Column | None]) -> Expr:
        if any(e.find(exp.Anonymous) and aggregates(e) for e in node.expressions):
            raise unsupported()
        order = node.args.get("order")
        if order is None:
            return node.limit(limit, copy=False)
        node.set("order", None)
        for number, ordered in enumerate(order.expressions):
            key = ordered.this
            if isinstance(key, exp.Column) and not key.table:
                alias = key.name
            elif isinstance(key, exp.Literal):
                alias = list(columns)[int(key.this) - 1]
            else:
                alias = f"_order{number}"
                node.append("expressions", exp.alias_(key, alias, quoted=True))
            ordered.set("this", exp.column(identifier(alias)))
        inner = exp.Subquery(this=node.limit(limit, copy=False), alias=exp.TableAlias(this=identifier("_limited")))
        picked = [exp.column(identifier(name)) for name in columns]
        return exp.Select(expressions=picked, from_=exp.From(this=inner), order=order)

    # Grouping ---------------------------------------------------------------------------------------------------------

    def _check_grouping(self, node: exp.Select) -> None:
        """Oracle refuses columns that are neither grouped nor aggregated; SQLite would pick a row."""
        group = node.args.get("group")
        outputs: list[Expr] = [e.this if isinstance(e, exp.Alias) else e for e in node.expressions]
        having = node.args.get("having")
        if group is None and having is None and not any(aggregates(e) for e in outputs):
            return
        keys = {e.sql(dialect="sqlite") for e in group.expressions} if group is not None else set[str]()
        names = {e.alias for e in node.expressions if isinstance(e, exp.Alias)}
        checked = [*outputs, *([having.this] if having is not None else [])]
        if node.args.get("order") is not None:
            checked += [
                o.this
                for o in node.args["order"].expressions
                if not (isinstance(o.this, exp.Column) and not o.this.table and o.this.name in names)
            ]
        for expression in checked:
            if not grouped(expression, keys):
                raise bad_query("Search error occurred: Invalid expression: not a GROUP BY expression.")
