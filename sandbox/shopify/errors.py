"""Errors as the vendor words them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError, Node


class GraphQLProblem(GraphQLError):
    """A top-level GraphQL error. code: `extensions.code`."""

    def __init__(self, message: str, *, code: str | None = None, node: Node | None = None, **extensions: Any) -> None:
        super().__init__(message, node, extensions={**({"code": code} if code else {}), **extensions} or None)


class UserErrors(Exception):
    """Business errors of a mutation: nothing of it was done, and they go into its payload.

    Each is (field path, message, code or None).
    """

    def __init__(self, *errors: tuple[list[str] | None, str, str | None]) -> None:
        super().__init__("; ".join(message for _, message, _ in errors))
        self.errors = errors


def invalid_id(text: str) -> GraphQLProblem:
    return GraphQLProblem(f"Invalid global id '{text}'", code="argumentLiteralsIncompatible", typeName="CoercionError")


def not_simulated(what: str, node: Node | None = None) -> GraphQLProblem:
    """For what the schema has and the sandbox has not."""
    message = f"{what} is not available in the sandbox. See sandbox/shopify/COVERAGE.md."
    return GraphQLProblem(message, code="NOT_SIMULATED", node=node)
