"""Wrong variable values, said as graphql-ruby says them.

Source: graphql-ruby, lib/graphql/query/input_validation_result.rb.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    is_required_input_field,
    print_ast,
)

from sandbox.shopify.engine import upstream

Problem = tuple[list[str | int], str]


def explain(schema: GraphQLSchema, operation: OperationDefinitionNode, values: Mapping[str, Any]) -> list[GraphQLError]:
    """What is wrong with the values given for an operation's variables; empty when all fit."""
    errors: list[GraphQLError] = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        type_: Any = upstream.type_from_ast(schema, definition.type)
        if type_ is None or (name not in values and definition.default_value is not None):
            continue
        value = values.get(name)
        if name not in values and not isinstance(type_, GraphQLNonNull):
            continue
        problems = list(_problems(value, type_, []))
        if problems:
            errors.append(_error(definition, print_ast(definition.type), value, problems))
    return errors


def _error(definition: Any, type_text: str, value: Any, problems: list[Problem]) -> GraphQLError:
    places = [f"{'.'.join(str(step) for step in path)} ({why})" for path, why in problems if path]
    tail = f" for {', '.join(places)}" if places else ""
    return GraphQLError(
        f"Variable ${definition.variable.name.value} of type {type_text} was provided invalid value{tail}",
        definition,
        extensions={
            "code": "INVALID_VARIABLE",
            "value": value,
            "problems": [{"path": path, "explanation": why} for path, why in problems],
        },
    )


def _problems(value: Any, type_: Any, path: list[str | int]) -> Iterator[Problem]:
    if isinstance(type_, GraphQLNonNull):
        if value is None:
            yield path, "Expected value to not be null"
            return
        type_ = cast(Any, type_.of_type)
    if value is None:
        return
    if isinstance(type_, GraphQLList):
        for index, item in enumerate(cast(list[Any], value) if isinstance(value, list) else [value]):
            yield from _problems(item, cast(Any, type_.of_type), [*path, index] if isinstance(value, list) else path)
    elif isinstance(type_, GraphQLInputObjectType):
        yield from _object_problems(value, type_, path)
    elif isinstance(type_, GraphQLEnumType):
        if not isinstance(value, str) or value not in type_.values:
            yield path, f'Expected "{value}" to be one of: {", ".join(type_.values)}'
    elif isinstance(type_, GraphQLScalarType):
        yield from _scalar_problems(value, type_, path)


def _object_problems(value: Any, type_: GraphQLInputObjectType, path: list[str | int]) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield path, f"Expected {json.dumps(value)} to be a key-value object."
        return
    given: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON objects have string keys
    for name in given:
        if name not in type_.fields:
            yield [*path, name], f"Field is not defined on {type_.name}"
    for name, field in type_.fields.items():
        if name in given:
            yield from _problems(given[name], field.type, [*path, name])
        elif is_required_input_field(field):
            yield [*path, name], "Expected value to not be null"
    if type_.is_one_of and len([v for v in given.values() if v is not None]) != 1:
        yield path, f"'{type_.name}' requires exactly one argument, but {len(given)} were provided."


def _scalar_problems(value: Any, type_: GraphQLScalarType, path: list[str | int]) -> Iterator[Problem]:
    try:
        coerced = type_.coerce_input_value(value)
    except GraphQLError as error:
        # graphql-core words its own scalars' errors differently; ours are worded by schema.py
        own = type_.name in ("Int", "Float", "String", "Boolean", "ID")
        yield path, f"Could not coerce value {json.dumps(value)} to {type_.name}" if own else error.message
        return
    if coerced is Undefined:
        yield path, f"Could not coerce value {json.dumps(value)} to {type_.name}"
