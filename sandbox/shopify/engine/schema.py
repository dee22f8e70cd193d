"""The real Admin schema of 2026-10 with our resolvers on it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    IntrospectionQuery,
    build_client_schema,
    value_from_ast_untyped,
)

from sandbox.shopify.context import Context, FieldTable, Resolver
from sandbox.shopify.errors import not_simulated
from sandbox.shopify.money import decimal_text

VERSION = "2026-10"
FILE = Path(__file__).parent.parent / "schema" / "admin-graphql.2026-10.introspection.json.gz"


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else str(value)


def _decimal_out(value: Any) -> str:
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


def _decimal_in(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise GraphQLError(f"Could not coerce value {json.dumps(value)} to Decimal")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise GraphQLError(f"invalid decimal '{value}'")
    return number


def _time_out(value: Any) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _time_in(value: Any) -> datetime:
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"invalid datetime '{value}'") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _date_in(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise GraphQLError(f"invalid date '{value}'") from None


def _url_in(value: Any) -> str:
    if not isinstance(value, str) or ("://" not in value and not value.startswith("/")):
        raise GraphQLError(f"Invalid url '{value}', missing scheme")
    return value


def _id_in(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise GraphQLError(f"Could not coerce value {json.dumps(value)} to ID")
    return str(value)


def _json_out(value: Any) -> Any:
    return value


SERIALIZE: dict[str, Callable[[Any], Any]] = {
    "Decimal": _decimal_out,
    "DateTime": _time_out,
    "JSON": _json_out,
    "Money": _text,
    "UnsignedInt64": _text,
    "BigInt": _text,
}
PARSE: dict[str, Callable[[Any], Any]] = {
    "Decimal": _decimal_in,
    "Money": _decimal_in,
    "DateTime": _time_in,
    "Date": _date_in,
    "URL": _url_in,
    "ID": _id_in,
}


def _wire_scalars(schema: GraphQLSchema) -> None:
    for name, type_ in schema.type_map.items():
        if not isinstance(type_, GraphQLScalarType):
            continue
        if name in SERIALIZE:
            type_.coerce_output_value = SERIALIZE[name]
        if name in PARSE:
            parse = PARSE[name]
            type_.coerce_input_value = parse
            if name != "ID":
                type_.coerce_input_literal = _literal_parser(parse)


def _literal_parser(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda node: parse(value_from_ast_untyped(node))


def _resolver(resolver: Resolver) -> Callable[..., Any]:
    def resolve(source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        return resolver(source, cast(Context, info.context), args)

    return resolve


def _missing(type_name: str, field: str) -> Callable[..., Any]:
    def resolve(_source: Any, _info: GraphQLResolveInfo[Any], **_args: Any) -> Any:
        raise not_simulated(f"Field '{field}' on type '{type_name}'")

    return resolve


def build(fields: FieldTable, type_name_of: Callable[[Any], str]) -> GraphQLSchema:
    """The complete schema. What `fields` lacks answers that the sandbox does not have it.

    fields: type -> field -> resolver; a name that the schema does not know is a mistake and raises KeyError.
    """
    introspection = cast(IntrospectionQuery, json.loads(gzip.decompress(FILE.read_bytes()))["data"])
    schema = build_client_schema(introspection, assume_valid=True)
    _wire_scalars(schema)
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            type_.resolve_type = lambda value, _info, _abstract: type_name_of(value)
        if not isinstance(type_, GraphQLObjectType) or name.startswith("__"):
            continue
        table = fields.get(name, {})
        for field_name, field in type_.fields.items():
            resolver = table.get(field_name)
            field.resolve = _missing(name, field_name) if resolver is None else _resolver(resolver)
    for name, table in fields.items():
        type_ = schema.type_map[name]
        if not isinstance(type_, GraphQLObjectType):
            raise KeyError(f"{name} is no object type of the schema")
        for field_name in table:
            if field_name not in type_.fields:
                raise KeyError(f"{name}.{field_name} is not in the schema")
    return schema


@lru_cache(maxsize=1)
def access_scopes() -> dict[str, tuple[str, frozenset[str]]]:
    """For root fields "QueryRoot.x" / "Mutation.x" and types "T": (text of the required access, the scopes)."""
    items = json.loads(gzip.decompress(FILE.read_bytes()))["offline_scopes"]["items"]
    return {
        f"{item['typeName']}.{item['fieldName']}" if item["type"] == "field" else item["typeName"]: (
            item["requiredAccess"],
            frozenset(item["offlineScopes"]),
        )
        for item in items
        if item["offlineScopes"]
    }
