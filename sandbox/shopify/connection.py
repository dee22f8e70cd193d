"""Relay connections over search results and over whole lists. Source: relay.dev/graphql/connections.htm."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from sandbox.shopify.errors import GraphQLProblem

MAX_PAGE = 250
T = TypeVar("T")


class Cursor(msgspec.Struct):
    """Where a page ended: the id and the value sorted by."""

    last_id: int
    last_value: Any = None


class Edge(msgspec.Struct, Generic[T]):
    node: T
    cursor: str


class PageInfo(msgspec.Struct):
    has_next: bool
    has_previous: bool
    start: str | None
    end: str | None


class Connection(msgspec.Struct, Generic[T]):
    edges: list[Edge[T]]
    page: PageInfo


class Window(msgspec.Struct, frozen=True):
    """size nodes forward from `after`, or backward from `before`."""

    size: int
    backward: bool
    after: Cursor | None
    before: Cursor | None


def encode_cursor(cursor: Cursor) -> str:
    return base64.b64encode(msgspec.json.encode(cursor)).decode()


def decode_cursor(text: str) -> Cursor:
    """Raises GraphQLProblem as the vendor does for a cursor it did not make."""
    try:
        return msgspec.json.decode(base64.b64decode(text, validate=True), type=Cursor)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise GraphQLProblem(f"Invalid cursor for current pagination sort: `{text}`") from None


def window(args: Mapping[str, Any], field: str) -> Window:
    """Read first/last/after/before. Raises GraphQLProblem: neither or both sizes, or a size out of bounds."""
    first: int | None = args.get("first")
    last: int | None = args.get("last")
    size = first if last is None else last
    if size is None:
        raise GraphQLProblem(f"you must provide one of first or last for `{field}`", code="BAD_REQUEST")
    if first is not None and last is not None:
        raise GraphQLProblem("providing both first and last is not supported", code="BAD_REQUEST")
    if size < 0:
        raise GraphQLProblem(f"{'first' if last is None else 'last'} cannot be negative", code="BAD_REQUEST")
    if size > MAX_PAGE:
        name = "first" if last is None else "last"
        raise GraphQLProblem(f"{name} cannot exceed {MAX_PAGE}", code="BAD_REQUEST")
    after, before = args.get("after"), args.get("before")
    return Window(
        size, last is not None, decode_cursor(after) if after else None, decode_cursor(before) if before else None
    )


def of_list(items: Sequence[T], args: Mapping[str, Any], field: str) -> Connection[T]:
    """A page of a list held whole; cursors are positions."""
    page = window(args, field)
    numbered = list(enumerate(items))
    if args.get("reverse"):
        numbered.reverse()
    start, stop = 0, len(numbered)
    positions = {index: place for place, (index, _) in enumerate(numbered)}
    if page.after is not None:
        start = positions.get(page.after.last_id, -1) + 1
    if page.before is not None:
        stop = positions.get(page.before.last_id, stop)
    chosen = numbered[max(start, stop - page.size) : stop] if page.backward else numbered[start:stop][: page.size]
    edges = [Edge(item, encode_cursor(Cursor(index, index))) for index, item in chosen]
    if not edges:
        return Connection([], PageInfo(False, page.after is not None, None, None))
    first_place, last_place = positions[chosen[0][0]], positions[chosen[-1][0]]
    return Connection(
        edges, PageInfo(last_place < len(numbered) - 1, first_place > 0, edges[0].cursor, edges[-1].cursor)
    )
