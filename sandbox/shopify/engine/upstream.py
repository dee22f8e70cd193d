"""graphql-core's functions whose published types are generic beyond use; typed plainly here, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import graphql

named_type = cast(Callable[[Any], Any], graphql.get_named_type)
type_from_ast = cast(Callable[[graphql.GraphQLSchema, Any], Any], graphql.type_from_ast)  # pyright: ignore[reportUnknownMemberType]
value_from_ast = cast(Callable[[Any, Any], Any], graphql.value_from_ast)  # pyright: ignore[reportUnknownMemberType]
is_sub_type = cast(Callable[[graphql.GraphQLSchema, Any, Any], bool], graphql.is_type_sub_type_of)
execute = cast(Callable[..., graphql.ExecutionResult], graphql.execute_sync)  # pyright: ignore[reportUnknownMemberType]


def type_of(definition: Any) -> Any:
    """The type of a field, an argument or an input field."""
    return definition.type


def inner_type(wrapper: Any) -> Any:
    """What a non-null or list type wraps."""
    return wrapper.of_type


def as_list(value: Any) -> list[Any]:
    """The children under one key of a node: several, one or none."""
    return list(value) if isinstance(value, tuple | list) else [value]  # pyright: ignore[reportUnknownArgumentType]


def selected_type(context: graphql.ValidationContext) -> Any:
    """The type that the present selection is of, None where it is not known."""
    return cast(Any, context).get_type()
