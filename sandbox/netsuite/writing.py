"""What a caller sends, checked against the tables of types and merged into a record.

Left out = unchanged, null = cleared; sublists merge by their key unless named in `replace` (Oracle section_1545142173).
Property names are matched in any case. References: {"id"}, {"externalId"}, a bare id as number or string.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec

from sandbox.netsuite.errors import NsError, bad_content, bad_reference, bad_value, unknown_property
from sandbox.netsuite.records import Doc, Records, is_array, is_object, lines_of, ref_id
from sandbox.netsuite.schema import Field, lookup
from sandbox.netsuite.types import TYPES

Validation = Literal["error", "warning", "ignore"]
PASSED_OVER = frozenset({"links", "refname", "totalresults", "count", "hasmore", "offset"})
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class How(msgspec.Struct, frozen=True):
    """How a body is applied. replace: sublists to replace, lower case; names, values: what a wrong one leads to."""

    replace: frozenset[str] = frozenset()
    names: Validation = "warning"
    values: Validation = "error"


class Writer:
    """Merges request bodies into documents."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._convert: dict[str, Callable[[Field, Any, str], Any]] = {
            "string": _string,
            "integer": _integer,
            "number": _number,
            "boolean": _boolean,
            "date": _date,
            "datetime": _datetime,
            "enum": _enum,
            "ref": self._ref,
        }

    def merge(self, fields: tuple[Field, ...], body: Any, into: Doc, how: How, path: str = "") -> None:
        """Apply `body` to `into`. Raises NsError with the path of what is wrong."""
        if not is_object(body):
            raise bad_content(path or None)
        given: dict[str, Any] = body
        for name, value in given.items():
            field = lookup(fields, name)
            where = f"{path}.{name}" if path else name
            if field is None:
                if how.names == "error" and name.lower() not in PASSED_OVER:
                    raise unknown_property(name, where)
                continue
            if field.readonly:
                continue
            try:
                self._set(field, value, into, how, where)
            except NsError:
                if how.values == "error":
                    raise

    def _set(self, field: Field, value: Any, into: Doc, how: How, path: str) -> None:
        if field.kind == "sublist":
            self._merge_lines(field, value, into, how, path)
        elif value is None:
            into.pop(field.name, None)
        elif field.kind == "subrecord":
            inner: Doc = dict(into.get(field.name) or {})
            self.merge(field.fields, value, inner, how, path)
            into[field.name] = inner
        else:
            converted = self._convert[field.kind](field, value, path)
            if converted is None:
                into.pop(field.name, None)
            else:
                into[field.name] = converted

    def _merge_lines(self, field: Field, value: Any, into: Doc, how: How, path: str) -> None:
        given: Any = [] if value is None else value
        if is_object(given):
            given = given.get("items", [])
        if not is_array(given):
            raise bad_value(field.name, path)
        old: list[Doc] = lines_of(into, field.name)
        by_key = {line_key(field, line): line for line in old}
        anew = value is None or field.name.lower() in how.replace
        lines: list[Doc] = [] if anew else list(old)
        items: list[Any] = given
        for number, item in enumerate(items):
            where = f"{path}.items[{number}]"
            fresh: Doc = {}
            self.merge(field.fields, item, fresh, how, where)
            key = line_key(field, fresh) or _readonly_key(field, item)
            known = by_key.get(key) if key is not None else None
            if known is None:
                lines.append(fresh)
            elif anew:
                # the line stays the same one, and only what is sent survives
                kept = {k: v for k, v in known.items() if k in (field.key, "lineUniqueKey") or k.startswith("_")}
                lines.append({**fresh, **kept})
            else:
                merged = dict(known)
                self.merge(field.fields, item, merged, how, where)
                lines[lines.index(known)] = merged
        into[field.name] = lines

    def _ref(self, field: Field, value: Any, path: str) -> Any:
        external: str | None = None
        key: str | None = None
        if is_object(value):
            members = {str(k).lower(): v for k, v in value.items()}
            if members.get("id") is not None:
                key = _id_text(members["id"])
            elif members.get("externalid") is not None:
                external = str(members["externalid"])
            else:
                raise bad_value(field.name, path)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            key = _id_text(value)
        if key is not None and key.startswith("eid:"):
            key, external = None, key[4:]
        if key == "":
            return None
        if key is None and external is None:
            raise bad_value(field.name, path)
        served = tuple(kind for kind in field.to if kind in TYPES)
        if not served:
            return {"id": key or external}
        found = (
            self._records.resolve(served, key)
            if key is not None
            else self._records.resolve_external(served, external or "")
        )
        if found is None:
            raise bad_reference(key or external or "", field.name, path)
        return {"id": found[1]["id"]}


def line_key(field: Field, line: Doc) -> str | None:
    """What tells this line apart from others of its sublist, as text."""
    value = line.get(field.key)
    if is_object(value):
        return ref_id(value)
    return None if value is None else str(value)


def _readonly_key(field: Field, item: Any) -> str | None:
    """Keys such as an address's id are set by the system, yet name the line when sent."""
    key = lookup(field.fields, field.key)
    if key is None or not key.readonly or not is_object(item):
        return None
    named: dict[str, Any] = item
    for name, value in named.items():
        if name.lower() == field.key.lower() and isinstance(value, str | int):
            return str(value)
    return None


def _id_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    if isinstance(value, Decimal):
        return str(int(value)) if value == value.to_integral_value() else str(value)
    return str(value).strip()


def _string(field: Field, value: Any, path: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise bad_value(field.name, path)
    return str(value) or None


def _integer(field: Field, value: Any, path: str) -> int:
    number = _number(field, value, path)
    if number is None or number != number.to_integral_value():
        raise bad_value(field.name, path)
    return int(number)


def _number(field: Field, value: Any, path: str) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise bad_value(field.name, path)
    if value == "":
        return None
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise bad_value(field.name, path) from error
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise bad_value(field.name, path)
    return number


def _boolean(field: Field, value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("T", "true"):
        return True
    if value in ("F", "false"):
        return False
    raise bad_value(field.name, path)


def _date(field: Field, value: Any, path: str) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or not DATE.match(value):
        raise bad_value(field.name, path)
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError as error:
        raise bad_value(field.name, path) from error


def _datetime(field: Field, value: Any, path: str) -> str:
    try:
        return datetime.fromisoformat(value).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError) as error:
        raise bad_value(field.name, path) from error


def _enum(field: Field, value: Any, path: str) -> Any:
    given: Any = value
    if is_object(given):
        members: dict[str, Any] = given
        given = members.get("id", members.get("refName"))
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str):
        raise bad_value(field.name, path)
    if given == "":
        return None
    if not field.values:
        return {"id": given}
    if given in field.values:
        return {"id": given}
    for key, label in field.values.items():
        if given.lower() in (key.lower(), label.lower()):
            return {"id": key}
    raise bad_reference(given, field.name, path)
