"""From a request body to the GraphQL answer: parse, check, price, throttle, run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
)
from graphql.validation import ASTValidationRule

from sandbox.shopify.context import Context, FieldTable
from sandbox.shopify.engine import cost, rules, upstream, variables
from sandbox.shopify.engine.cost import Plan
from sandbox.shopify.engine.throttle import Bucket

KEPT_DOCUMENTS = 512
KEPT_INTROSPECTIONS = 8
MAX_TOKENS = 50_000


class Prepared(msgspec.Struct):
    """A parsed and checked document. errors: as in the answer, when it cannot run."""

    document: DocumentNode | None
    operations: dict[str | None, OperationDefinitionNode]
    errors: list[dict[str, Any]]
    plans: dict[str | None, Plan] = {}


class Engine:
    """The schema with a cache of prepared documents."""

    def __init__(self, schema: GraphQLSchema, fields: FieldTable) -> None:
        self.schema = schema
        self._rules: list[type[ASTValidationRule]] = rules.rules(fields)
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self._introspection: dict[tuple[str, str | None], dict[str, Any] | None] = {}

    def prepare(self, query: str) -> Prepared:
        """Parse and check, once per text."""
        found = self._prepared.get(query)
        if found is not None:
            self._prepared.move_to_end(query)
            return found
        prepared = self._prepare(query)
        self._prepared[query] = prepared
        if len(self._prepared) > KEPT_DOCUMENTS:
            self._prepared.popitem(last=False)
        return prepared

    def _prepare(self, query: str) -> Prepared:
        try:
            document = parse(query, max_tokens=MAX_TOKENS)
        except GraphQLSyntaxError as error:
            return Prepared(None, {}, [_syntax(error)])
        operations = {
            (d.name.value if d.name else None): d
            for d in document.definitions
            if isinstance(d, OperationDefinitionNode)
        }
        errors = rules.check(self.schema, document, self._rules)
        return Prepared(document, operations, [formatted(error) for error in errors])

    def root_fields(self, query: str, operation_name: str | None) -> list[str]:
        """The names of what is asked for at the top, for faults and the log; empty when the document is no good."""
        operation = _chosen(self.prepare(query), operation_name)
        if operation is None:
            return []
        return [s.name.value for s in operation.selection_set.selections if isinstance(s, FieldNode)]

    def run(  # noqa: PLR0911  # a way out per kind of refusal
        self,
        query: str,
        given: Mapping[str, Any],
        operation_name: str | None,
        ctx: Context,
        bucket: Bucket,
        *,
        max_single_cost: int,
        denied: Callable[[Sequence[str], OperationType], list[dict[str, Any]]],
    ) -> dict[str, Any]:
        """The answer's JSON. denied: errors for root fields that the token may not use."""
        prepared = self.prepare(query)
        if prepared.errors:
            return {"errors": prepared.errors}
        operation = _chosen(prepared, operation_name)
        if operation is None or prepared.document is None:
            return {"errors": [{"message": _no_operation(operation_name)}]}
        key = operation.name.value if operation.name else None
        plan = prepared.plans.get(key)
        if plan is None:
            plan = prepared.plans[key] = cost.plan(self.schema, prepared.document, operation)
        price = cost.requested(plan, _with_defaults(operation, given))
        if price > max_single_cost:
            return _too_dear(price, max_single_cost)
        if not bucket.take(price):
            return _throttled(price, bucket)
        refused = denied(self.root_fields(query, operation_name), operation.operation)
        if refused:
            bucket.give_back(price)
            return {"data": None, "errors": refused}
        constant = self._introspected(query, operation, given)
        if constant is not None:
            return {"data": constant, "extensions": {"cost": _cost(price, price, bucket)}}
        result = upstream.execute(
            self.schema,
            prepared.document,
            context_value=ctx,
            variable_values=dict(given),
            operation_name=key,
        )
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            bucket.give_back(price)
            wrong = variables.explain(self.schema, operation, given) or result.errors
            return {"errors": [formatted(error) for error in wrong]}
        spent = min(cost.actual(plan, result.data), price)
        bucket.give_back(price - spent)
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [formatted(error) for error in result.errors]
        extensions: dict[str, Any] = {"cost": _cost(price, spent, bucket)}
        if ctx.search_notes:
            extensions["search"] = ctx.search_notes
        answer["extensions"] = extensions
        return answer

    def _introspected(
        self, query: str, operation: OperationDefinitionNode, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Introspection of so large a schema takes seconds, and its answer never changes: kept after the first time."""
        roots = operation.selection_set.selections
        if given or not all(isinstance(s, FieldNode) and s.name.value in ("__schema", "__type") for s in roots):
            return None
        key = (query, operation.name.value if operation.name else None)
        if key not in self._introspection:
            result = upstream.execute(self.schema, self.prepare(query).document, operation_name=key[1])
            if result.errors:
                return None
            if len(self._introspection) >= KEPT_INTROSPECTIONS:
                self._introspection.clear()
            self._introspection[key] = result.data
        return self._introspection[key]


def _chosen(prepared: Prepared, name: str | None) -> OperationDefinitionNode | None:
    if name:
        return prepared.operations.get(name)
    return next(iter(prepared.operations.values())) if len(prepared.operations) == 1 else None


def _no_operation(name: str | None) -> str:
    return f'No operation named "{name}"' if name else "An operation name is required"


def _with_defaults(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        d.variable.name.value: int(getattr(d.default_value, "value"))  # noqa: B009  # only ints have a use here
        for d in operation.variable_definitions or ()
        if d.default_value is not None and d.default_value.kind == "int_value"
    }
    return values | dict(given)


def formatted(error: GraphQLError) -> dict[str, Any]:
    """An error as it is answered."""
    answer: dict[str, Any] = {"message": error.message}
    if error.locations:
        answer["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    path = error.ruby_path if isinstance(error, rules.DocumentError) else error.path
    if path:
        answer["path"] = list(path)
    if error.extensions:
        answer["extensions"] = error.extensions
    return answer


def _syntax(error: GraphQLSyntaxError) -> dict[str, Any]:
    """graphql-ruby's parser names what it met and where."""
    place = (error.locations or [None])[0]
    text = error.message.removeprefix("Syntax Error: ").rstrip(".")
    at = f" at [{place.line}, {place.column}]" if place else ""
    message = (
        "syntax error, unexpected end of file" if "<EOF>" in text else f"syntax error, {text[0].lower()}{text[1:]}"
    )
    answer: dict[str, Any] = {"message": message + at}
    if place:
        answer["locations"] = [{"line": place.line, "column": place.column}]
    return answer


def _cost(price: int, spent: int | None, bucket: Bucket) -> dict[str, Any]:
    return {"requestedQueryCost": price, "actualQueryCost": spent, "throttleStatus": bucket.status()}


def _throttled(price: int, bucket: Bucket) -> dict[str, Any]:
    return {
        "errors": [
            {
                "message": "Throttled",
                "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
            }
        ],
        "extensions": {"cost": _cost(price, None, bucket)},
    }


def _too_dear(price: int, most: int) -> dict[str, Any]:
    return {
        "errors": [
            {
                "message": f"Query cost is {price}, which exceeds the single query max cost limit ({most}).\n\n"
                "See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\n"
                "cost of a query is calculated.\n\nTo query larger amounts of data with fewer limits, bulk operations "
                "should be used instead.\nSee https://shopify.dev/tutorials/perform-bulk-operations-with-admin-api "
                "for usage details.\n",
                "extensions": {
                    "code": "MAX_COST_EXCEEDED",
                    "cost": price,
                    "maxCost": most,
                    "documentation": "https://shopify.dev/api/usage/rate-limits",
                },
            }
        ]
    }


throttled_answer = cast(Callable[[int, Bucket], dict[str, Any]], _throttled)
