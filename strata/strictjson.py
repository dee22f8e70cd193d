"""JSON as we take it: no duplicate members, not too deep, no members that a contract does not know."""

from __future__ import annotations

import json
from typing import Any, cast

from msgspec import inspect

from strata.errors import FieldError, Poison

MAX_DEPTH = 32


class DuplicateMember(Poison):
    """An object names a member twice."""

    slug, title = "duplicate-member", "A member is there twice"


class TooComplex(Poison):
    """The document is nested deeper than any contract needs."""

    slug, title = "payload-too-complex", "The payload is too complex"


def _depth_is_fine(raw: bytes) -> bool:
    """Whether brackets nest at most MAX_DEPTH deep; counted before any object is made."""
    depth = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in {0x5B, 0x7B}:
            depth += 1
            if depth > MAX_DEPTH:
                return False
        elif byte in {0x5D, 0x7D}:
            depth -= 1
    return True


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise DuplicateMember("The body names a member twice", errors=(FieldError("named twice", value=name[:80]),))
        found[name] = value
    return found


def check(raw: bytes) -> None:
    """Raise Poison (or a kind of it) when `raw` is not JSON as we take it."""
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and not _depth_is_fine(raw):
        raise TooComplex(f"The body is nested deeper than {MAX_DEPTH}")
    try:
        json.loads(raw.decode("utf-8"), object_pairs_hook=_pairs, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise Poison("The body is not JSON", errors=(FieldError(str(error)[:200]),)) from error


def unknown_members(value: Any, kind: Any) -> list[str]:
    """JSON pointers of the members of `value` (plain decoded JSON) that `kind` does not declare."""
    found: list[str] = []
    _walk(value, inspect.type_info(kind), "", found)
    return found


def _walk(value: Any, kind: inspect.Type, pointer: str, found: list[str]) -> None:
    match kind:
        case inspect.Metadata():
            _walk(value, kind.type, pointer, found)
        case inspect.UnionType():
            for option in kind.types:
                _walk(value, option, pointer, found)
        case inspect.StructType() if isinstance(value, dict):
            fields = {f.encode_name: f.type for f in kind.fields}
            for name, member in cast("dict[str, Any]", value).items():
                if name in fields:
                    _walk(member, fields[name], f"{pointer}/{name}", found)
                else:
                    found.append(f"{pointer}/{name}")
        case inspect.VarTupleType() | inspect.ListType() if isinstance(value, list):
            for index, item in enumerate(cast("list[Any]", value)):
                _walk(item, kind.item_type, f"{pointer}/{index}", found)
        case _:
            pass
