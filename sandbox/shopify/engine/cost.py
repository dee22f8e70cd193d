"""Query cost: what a document may cost before it runs, and what it did cost.

Scalars and enums 0, objects 1, interfaces and unions the dearest of their selections, connections as many times their
node as `first` or `last` says, mutations 10. Source: shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits (the
mutation's 10 is unverified).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    is_leaf_type,
)

from sandbox.shopify.engine import upstream

MUTATION = 10
MAX_SINGLE = 1000


class Item(msgspec.Struct):
    """One selected field, prepared once per document. size: its first/last, a variable's name, or None."""

    key: str
    cost: int
    connection: bool
    size: int | str | None
    children: list[Branch]


class Branch(msgspec.Struct):
    """The selections on one concrete type (None: on whatever type it is)."""

    type_name: str | None
    items: list[Item]


class Plan(msgspec.Struct):
    branches: list[Branch]


def plan(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Plan:
    """Prepare a valid document's operation for counting."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    root = schema.mutation_type if operation.operation is OperationType.MUTATION else schema.query_type
    base = MUTATION if operation.operation is OperationType.MUTATION else None
    if root is None:
        raise ValueError("the schema has no such root")
    return Plan(_Planner(schema, fragments).branches(operation.selection_set, root, base))


class _Planner:
    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.schema = schema
        self.fragments = fragments

    def branches(self, selections: SelectionSetNode, type_: Any, base: int | None = None) -> list[Branch]:
        own = Branch(None, [])
        found = [own]
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                item = self.item(selection, type_, base)
                if item is not None:
                    own.items.append(item)
                continue
            if isinstance(selection, InlineFragmentNode):
                condition, inner = selection.type_condition, selection.selection_set
            else:
                fragment = self.fragments[cast(FragmentSpreadNode, selection).name.value]
                condition, inner = fragment.type_condition, fragment.selection_set
            target = self.schema.type_map[condition.name.value] if condition else type_
            nested = self.branches(inner, target, base)
            if target is not type_ and isinstance(target, GraphQLObjectType):
                for branch in nested:
                    branch.type_name = branch.type_name or target.name
            found.extend(nested)
        return found

    def item(self, node: FieldNode, type_: Any, base: int | None) -> Item | None:
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or node.name.value.startswith("__"):
            return None
        named = upstream.named_type(upstream.type_of(type_.fields[node.name.value]))
        key = node.alias.value if node.alias else node.name.value
        if is_leaf_type(named) or node.selection_set is None:
            return Item(key, base or 0, False, None, []) if base else None
        connection = named.name.endswith("Connection")
        wrapper = connection or named.name.endswith("Edge") or named.name == "PageInfo"
        cost = base if base is not None else 0 if wrapper else 1
        children = self.branches(node.selection_set, named)
        return Item(key, cost, connection, _size(node) if connection else None, children)


def _size(node: FieldNode) -> int | str | None:
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
            if isinstance(argument.value, VariableNode):
                return argument.value.name.value
    return None


def requested(prepared: Plan, variables: Mapping[str, Any]) -> int:
    """The most that the document can cost."""
    return _requested(prepared.branches, variables)


def _requested(branches: list[Branch], variables: Mapping[str, Any]) -> int:
    shared = 0
    by_type: dict[str, int] = {}
    for branch in branches:
        cost = sum(_item_cost(item, variables) for item in branch.items)
        if branch.type_name is None:
            shared += cost
        else:
            by_type[branch.type_name] = by_type.get(branch.type_name, 0) + cost
    return shared + max(by_type.values(), default=0)


def _item_cost(item: Item, variables: Mapping[str, Any]) -> int:
    inner = _requested(item.children, variables)
    if item.connection:
        size = variables.get(item.size) if isinstance(item.size, str) else item.size
        inner *= size if isinstance(size, int) and size > 0 else 1
    return item.cost + inner


def actual(prepared: Plan, data: Any) -> int:
    """What the answer did cost: the same rules over what came back."""
    return _actual(prepared.branches, data)


def _actual(branches: list[Branch], data: Any) -> int:
    if data is None:
        return 0
    if isinstance(data, list):
        return sum(_actual(branches, one) for one in data)  # pyright: ignore[reportUnknownVariableType]
    cost = 0
    for branch in branches:
        for item in branch.items:
            value = data.get(item.key)
            if isinstance(value, list):
                filled: list[Any] = [one for one in value if one is not None]  # pyright: ignore[reportUnknownVariableType]
                cost += item.cost * len(filled) + _actual(item.children, filled)
            elif value is not None:
                cost += item.cost + _actual(item.children, value)
    return cost


__all__ = ["MAX_SINGLE", "Plan", "actual", "plan", "requested"]
