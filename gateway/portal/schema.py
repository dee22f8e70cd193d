"""JSON Schema (2020-12, as in OpenAPI 3.1) as a tree that a page can show. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

import msgspec
from msgspec import Struct

Json = dict[str, object]
_MAX_DEPTH: Final = 8
_PREFIX: Final = "#/components/schemas/"

_RULES: Final = (  # keyword -> the words before its value
    ("minLength", "length at least"),
    ("maxLength", "length at most"),
    ("minimum", "at least"),
    ("exclusiveMinimum", "more than"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "less than"),
    ("minItems", "entries at least"),
    ("maxItems", "entries at most"),
    ("multipleOf", "a multiple of"),
    ("pattern", "matches"),
    ("format", "format"),
    ("const", "always"),
    ("default", "default"),
)


class Node(Struct, frozen=True):
    """One member or value. kind: `string`, `list of Money`, `text or null`; rules: constraints as
    (words, value)."""

    name: str
    kind: str
    required: bool
    description: str
    rules: tuple[tuple[str, str], ...]
    values: tuple[str, ...]  # of an enumeration
    example: str
    children: tuple[Node, ...]
    again: bool = False  # a schema that contains itself: shown once


def tree(schema: Mapping[str, object], schemas: Mapping[str, Json], name: str = "") -> Node:
    """The schema with its references followed; one that contains itself is named, not repeated."""
    return _node(name, dict(schema), schemas, required=False, above=())


def _node(name: str, schema: Json, schemas: Mapping[str, Json], *, required: bool, above: tuple[str, ...]) -> Node:
    title, real = _resolve(schema, schemas)
    again = (title != "" and title in above) or len(above) >= _MAX_DEPTH
    inside = (*above, title)
    variants = [v for v in _variants(real) if v.get("type") != "null"]
    children: tuple[Node, ...] = ()
    if not again:
        only = variants[0] if len(variants) == 1 else _table(real.get("items"))
        if only:
            inner = _node("", only, schemas, required=False, above=inside)
            children, again = inner.children, inner.again
        elif variants:
            children = tuple(
                _node(_kind(variant, schemas), variant, schemas, required=False, above=inside) for variant in variants
            )
        else:
            children = tuple(_members(real, schemas, inside))
    return Node(
        name=name,
        kind=_kind(schema, schemas),
        required=required,
        description=_text(schema.get("description") or real.get("description")),
        rules=tuple(_rules(real)),
        values=tuple(_literal(value) for value in _list(real.get("enum"))),
        example=_example(schema) or _example(real),
        children=children,
        again=again and not children,
    )


def _members(schema: Json, schemas: Mapping[str, Json], above: tuple[str, ...]) -> Iterator[Node]:
    wanted = _list(schema.get("required"))
    for name, member in _table(schema.get("properties")).items():
        yield _node(name, _table(member), schemas, required=name in wanted, above=above)
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and values:
        entry = _node("any name", _table(cast("object", values)), schemas, required=False, above=above)
        if entry.children:  # a map to plain values is told by its kind
            yield entry


def _kind(schema: Json, schemas: Mapping[str, Json]) -> str:
    title, real = _resolve(schema, schemas)
    variants = _variants(real)
    if variants:
        return " or ".join(dict.fromkeys(_kind(variant, schemas) for variant in variants))
    declared = real.get("type")
    kinds = [str(kind) for kind in _list(declared)] or [str(declared or ("any" if "enum" not in real else "string"))]
    named = [_named(kind, title, real, schemas) for kind in kinds]
    return " or ".join(named)


def _named(kind: str, title: str, real: Json, schemas: Mapping[str, Json]) -> str:
    if kind == "array":
        return f"list of {_kind(_table(real.get('items')), schemas)}"
    if kind == "object":
        values = real.get("additionalProperties")
        if not real.get("properties") and isinstance(values, dict) and values:
            return f"map to {_kind(_table(cast('object', values)), schemas)}"
        return title or "object"
    return kind


def _resolve(schema: Json, schemas: Mapping[str, Json]) -> tuple[str, Json]:
    """The name of a referenced schema (empty when inline) and the schema itself."""
    name = ""
    for _ in range(_MAX_DEPTH):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith(_PREFIX):
            break
        name = reference.removeprefix(_PREFIX)
        schema = schemas.get(name, {})
    return name, schema


def _variants(schema: Json) -> list[Json]:
    return [_table(entry) for key in ("anyOf", "oneOf", "allOf") for entry in _list(schema.get(key))]


_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})  # a default that says nothing


def _rules(schema: Json) -> Iterator[tuple[str, str]]:
    for keyword, words in _RULES:
        if keyword in schema and schema[keyword] not in _EMPTY:
            yield words, _literal(schema[keyword])


def _example(schema: Json) -> str:
    examples = _list(schema.get("examples"))
    if examples:
        return _literal(examples[0])
    return _literal(schema["example"]) if "example" in schema else ""


def _literal(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _table(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
