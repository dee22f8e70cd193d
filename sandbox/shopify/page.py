"""Pages of search results: one SQL statement per page, cursors by sort value and id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sandbox.shopify.connection import Connection, Cursor, Edge, PageInfo, encode_cursor, window
from sandbox.shopify.context import Args, Context
from sandbox.shopify.search_sql import compile_query

T = TypeVar("T")
SORT: dict[str, dict[str, str]] = {
    "order": {
        "CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "PROCESSED_AT": "processed_at", "ID": "id",
        "ORDER_NUMBER": "number", "TOTAL_PRICE": "total", "CURRENT_TOTAL_PRICE": "total",
        "CUSTOMER_NAME": "customer_name", "FINANCIAL_STATUS": "financial_status",
        "FULFILLMENT_STATUS": "fulfillment_status", "PO_NUMBER": "po_number",
        "TOTAL_ITEMS_QUANTITY": "quantity", "RELEVANCE": "id",
    },
    "customer": {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "ID": "id", "NAME": "name", "RELEVANCE": "id"},
    "product": {
        "CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "ID": "id", "TITLE": "title", "VENDOR": "vendor",
        "PRODUCT_TYPE": "product_type", "RELEVANCE": "id",
    },
    "variant": {
        "ID": "id", "SKU": "sku", "TITLE": "title", "POSITION": "position", "NAME": "product_title", "RELEVANCE": "id",
    },
}  # fmt: skip


def search(
    ctx: Context,
    kind: str,
    args: Args,
    *,
    field: str,
    load: Callable[[Sequence[int]], list[T]],
    only: tuple[str, object] | None = None,
) -> Connection[T]:
    """A connection over one kind of object. load: ids -> objects, in their order. only: one more column to equal.

    Raises GraphQLProblem for a bad page or cursor. What of `query` cannot be used is noted in the context.
    """
    page = window(args, field)
    column = SORT[kind].get(args.get("sortKey") or "ID", "id")
    where, params = _where(ctx, kind, args, field, only)
    descending = bool(args.get("reverse")) != page.backward
    order = "DESC" if descending else "ASC"
    # the nearer bound of the way we walk is in the SQL; the farther one only cuts the result
    near, far = (page.before, page.after) if page.backward else (page.after, page.before)
    for cursor, beyond in ((near, not descending), (far, descending)):
        if cursor is None:
            continue
        sign = ">" if beyond else "<"
        if column == "id":
            where.append(f"id {sign} ?")
            params.append(cursor.last_id)
        else:
            where.append(f"({column}, id) {sign} (?, ?)")
            params.extend([cursor.last_value, cursor.last_id])
    sql = (
        f"SELECT id, {column} FROM {kind}_search WHERE {' AND '.join(where)} "  # noqa: S608  # our own column names
        f"ORDER BY {column} {order}, id {order} LIMIT ?"
    )
    rows: list[tuple[int, Any]] = ctx.state.store.db.execute(sql, [*params, page.size + 1]).fetchall()
    more, rows = len(rows) > page.size, rows[: page.size]
    if page.backward:
        rows.reverse()
    edges = [
        Edge(item, encode_cursor(Cursor(row[0], row[1])))
        for item, row in zip(load([row[0] for row in rows]), rows, strict=True)
    ]
    has_next = page.before is not None if page.backward else more
    has_previous = more if page.backward else page.after is not None
    ends = (edges[0].cursor, edges[-1].cursor) if edges else (None, None)
    return Connection(edges, PageInfo(has_next, has_previous, *ends))


def count(ctx: Context, kind: str, args: Args, *, field: str) -> dict[str, Any]:
    """A Count object: exact up to `limit`."""
    where, params = _where(ctx, kind, args, field, None)
    sql = f"SELECT count(*) FROM {kind}_search WHERE {' AND '.join(where)}"  # noqa: S608  # our own column names
    found: int = ctx.state.store.db.execute(sql, params).fetchone()[0]
    limit: int | None = args.get("limit")
    if limit is not None and found > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": found, "precision": "EXACT"}


def _where(
    ctx: Context, kind: str, args: Args, field: str, only: tuple[str, object] | None
) -> tuple[list[str], list[object]]:
    where, params = ["shop = ?"], list[object]([ctx.shop.subdomain])
    if only is not None:
        where.append(f"{only[0]} = ?")
        params.append(only[1])
    text: str | None = args.get("query")
    if text:
        compiled = compile_query(kind, text, now=ctx.state.clock.now(), shop=ctx.shop.subdomain)
        where.append(compiled.where)
        params.extend(compiled.params)
        if compiled.warnings:
            notes = [{"field": w.field_, "message": w.message} for w in compiled.warnings]
            ctx.search_notes.append({"path": [field], "query": text, "warnings": notes})
    return where, params
