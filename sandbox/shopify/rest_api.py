"""What is left of the REST Admin API: shop, orders, fulfilments, transactions, access scopes. Read only.

Source: shopify.dev/docs/api/admin-rest; paging: shopify.dev/docs/api/usage/pagination-rest.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.core.http import Request, Response, json_response
from sandbox.shopify import rest
from sandbox.shopify.model import Order, Shop
from sandbox.shopify.resolve.shop import all_scopes
from sandbox.shopify.search_sql import ORDER_FIELDS
from sandbox.shopify.state import State, epoch

MOST = 250
ID = r"(?P<id>\d{1,19})"
STATUS = {
    "open": "status = 'open'",
    "closed": "status = 'closed'",
    "cancelled": "status = 'cancelled'",
    "any": "1",
}
TIMES = {
    f"{name}_{end}": (name, sign)
    for name in ("created_at", "updated_at", "processed_at")
    for end, sign in (("min", ">="), ("max", "<="))
}


class BadParameter(Exception):
    """A query parameter that cannot be used. name: of the parameter."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class _PageInfo(msgspec.Struct):
    """Everything a next page needs: the filter lives in the cursor."""

    query: dict[str, str]
    last: tuple[Any, int] | None
    forward: bool = True


def not_found() -> Response:
    return json_response({"errors": "Not Found"}, 404)


def answer(state: State, shop: Shop, request: Request, path: str, version: str) -> Response:
    """path: below `/admin/api/{version}/`, such as `orders.json`."""
    for pattern, handler in ROUTES:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        if request.method != "GET":
            return json_response({"errors": "REST writes are not available in the sandbox; use GraphQL"}, 406)
        try:
            return handler(state, shop, request, match.groupdict() | {"version": version})
        except BadParameter as error:
            return json_response({"errors": {error.name: [str(error)]}}, 400)
    return not_found()


def _shop(_state: State, shop: Shop, _request: Request, _found: dict[str, str]) -> Response:
    return json_response({"shop": rest.shop(shop)})


def _scopes(_state: State, _shop_: Shop, _request: Request, _found: dict[str, str]) -> Response:
    return json_response({"access_scopes": [{"handle": handle} for handle in all_scopes()]})


def _order_of(state: State, shop: Shop, digits: str) -> Order | None:
    order = state.orders.get(digits)
    return order if order is not None and order.shop == shop.subdomain else None


def _fields(body: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    wanted = query.get("fields")
    return body if not wanted else {k: body[k] for k in wanted.split(",") if k in body}


def _order(state: State, shop: Shop, request: Request, found: dict[str, str]) -> Response:
    order = _order_of(state, shop, found["id"])
    if order is None:
        return not_found()
    return json_response({"order": _fields(rest.order(state, shop, order), request.query)})


def _fulfillments(state: State, shop: Shop, _request: Request, found: dict[str, str]) -> Response:
    order = _order_of(state, shop, found["id"])
    if order is None:
        return not_found()
    items = state.fulfillments.find("order", order.id)
    return json_response({"fulfillments": [rest.fulfillment(shop, order, item) for item in items]})


def _transactions(state: State, shop: Shop, _request: Request, found: dict[str, str]) -> Response:
    order = _order_of(state, shop, found["id"])
    if order is None:
        return not_found()
    return json_response({"transactions": [rest.transaction(shop, order, item) for item in order.transactions]})


def _count(state: State, shop: Shop, request: Request, _found: dict[str, str]) -> Response:
    where, params = _where(shop, request.query)
    sql = f"SELECT count(*) FROM order_search WHERE {' AND '.join(where)}"  # noqa: S608  # our own column names
    return json_response({"count": state.store.db.execute(sql, params).fetchone()[0]})


def _orders(state: State, shop: Shop, request: Request, found: dict[str, str]) -> Response:
    query = request.query
    limit = _limit(query)
    page = _PageInfo({k: v for k, v in query.items() if k not in ("limit", "fields")}, None)
    if "page_info" in query:
        if set(query) - {"page_info", "limit", "fields"}:
            raise BadParameter("page_info", "cannot be combined with other filters")
        page = _read(query["page_info"])
    where, params = _where(shop, page.query)
    by_id = "since_id" in page.query
    column = "id" if by_id else "processed_at"
    ascending = by_id == page.forward
    if page.last is not None:
        where.append(f"({column}, id) {'>' if ascending else '<'} (?, ?)")
        params.extend(page.last)
    way = "ASC" if ascending else "DESC"
    sql = (
        f"SELECT id, {column} FROM order_search WHERE {' AND '.join(where)}"  # noqa: S608  # our own column names
        f" ORDER BY {column} {way}, id {way} LIMIT ?"
    )
    rows = state.store.db.execute(sql, [*params, limit + 1]).fetchall()
    more, rows = len(rows) > limit, rows[:limit]
    if not page.forward:
        rows.reverse()
    bodies = [_fields(rest.order(state, shop, order), query) for order in state.orders.many(row[0] for row in rows)]
    links: list[str] = []
    base = f"{request.base_url}/admin/api/{found['version']}/orders.json?limit={limit}"
    has_previous = page.last is not None if page.forward else more
    has_next = more if page.forward else True
    for rel, there, row in (("previous", has_previous, rows[:1]), ("next", has_next, rows[-1:])):
        if there and row:
            info = _PageInfo(page.query, (row[0][1], row[0][0]), rel == "next")
            token = base64.urlsafe_b64encode(msgspec.json.encode(info)).decode()
            links.append(f'<{base}&page_info={token}>; rel="{rel}"')
    return json_response({"orders": bodies}, headers={"link": ", ".join(links)} if links else None)


def _read(text: str) -> _PageInfo:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=_PageInfo)
    except (ValueError, msgspec.MsgspecError):
        raise BadParameter("page_info", "Invalid value.") from None


def _limit(query: dict[str, str]) -> int:
    text = query.get("limit", "50")
    if not text.isdigit() or not 0 < int(text) <= MOST:
        raise BadParameter("limit", f"must be between 1 and {MOST}")
    return int(text)


def _where(shop: Shop, query: dict[str, str]) -> tuple[list[str], list[object]]:
    where, params = ["shop = ?"], list[object]([shop.subdomain])
    status = query.get("status", "open")
    if status not in STATUS:
        raise BadParameter("status", "Invalid value.")
    where.append(STATUS[status])
    for name in ("financial_status", "fulfillment_status"):
        if name in query:
            meaning = ORDER_FIELDS[name].values.get(query[name])
            if meaning is None:
                raise BadParameter(name, "Invalid value.")
            where.append(meaning)
    if "since_id" in query:
        if not query["since_id"].isdigit():
            raise BadParameter("since_id", "Invalid value.")
        where.append("id > ?")
        params.append(int(query["since_id"]))
    if "ids" in query:
        ids = [int(one) for one in query["ids"].split(",") if one.strip().isdigit()]
        where.append(f"id IN ({', '.join('?' for _ in ids)})")
        params.extend(ids)
    if "name" in query:
        where.append("name LIKE ?")
        params.append(f"% {query['name'].lstrip('#').lower()} %")
    for name, (column, sign) in TIMES.items():
        if name in query:
            where.append(f"{column} {sign} ?")
            params.append(_time(name, query[name]))
    return where, params


def _time(name: str, text: str) -> int:
    try:
        when = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise BadParameter(name, "Invalid value.") from None
    return epoch(when if when.tzinfo else when.replace(tzinfo=UTC))


Handler = Callable[[State, Shop, Request, dict[str, str]], Response]
ROUTES: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(r"shop\.json"), _shop),
    (re.compile(r"orders\.json"), _orders),
    (re.compile(r"orders/count\.json"), _count),
    (re.compile(rf"orders/{ID}\.json"), _order),
    (re.compile(rf"orders/{ID}/fulfillments\.json"), _fulfillments),
    (re.compile(rf"orders/{ID}/transactions\.json"), _transactions),
    (re.compile(r"oauth/access_scopes\.json"), _scopes),
]
