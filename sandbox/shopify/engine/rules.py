"""Document errors in graphql-ruby's words and codes; graphql-core finds them, this module says them.

Source: graphql-ruby, lib/graphql/static_validation/rules/.
"""

from __future__ import annotations

from typing import Any, ClassVar

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValidationContext,
    ValidationRule,
    VariableNode,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
    print_ast,
    specified_rules,
    validate,
)
from graphql.validation import (
    ASTValidationRule,
    FieldsOnCorrectTypeRule,
    KnownArgumentNamesRule,
    KnownFragmentNamesRule,
    NoUndefinedVariablesRule,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    ProvidedRequiredArgumentsRule,
    ScalarLeafsRule,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
)

from sandbox.shopify.context import FieldTable
from sandbox.shopify.engine import upstream
from sandbox.shopify.errors import not_simulated


def _operation_name(node: OperationDefinitionNode) -> str:
    return f"{node.operation.value} {node.name.value}" if node.name else node.operation.value


def _path(ancestors: list[Any], node: Node) -> list[str]:
    """graphql-ruby's path: the operation or fragment, then response keys."""
    path: list[str] = []
    for step in [*ancestors, node]:
        if isinstance(step, OperationDefinitionNode):
            path.append(_operation_name(step))
        elif isinstance(step, FragmentDefinitionNode):
            path.append(f"fragment {step.name.value}")
        elif isinstance(step, FieldNode):
            path.append(step.alias.value if step.alias else step.name.value)
        elif isinstance(step, InlineFragmentNode):
            path.append(f"... on {step.type_condition.name.value}" if step.type_condition else "...")
        elif isinstance(step, FragmentSpreadNode):
            path.append(f"... {step.name.value}")
        elif isinstance(step, ArgumentNode | ObjectFieldNode):
            path.append(step.name.value)
    return path


class DocumentError(GraphQLError):
    """An error with graphql-ruby's path, which graphql-core reserves for execution errors."""

    def __init__(self, message: str, node: Node, path: list[str], code: str, **extensions: Any) -> None:
        super().__init__(message, node, extensions={"code": code, **extensions})
        self.ruby_path = path


def _operation_text(node: OperationDefinitionNode) -> str:
    return f"{node.operation.value} {node.name.value}" if node.name else f"anonymous {node.operation.value}"


def _printed(node: Node) -> str:
    return print_ast(node).replace("\n", " ")


class _Rule(ValidationRule):
    def say(self, message: str, node: Node, ancestors: list[Any], code: str, **extensions: Any) -> None:
        self.report_error(DocumentError(message, node, _path(ancestors, node), code, **extensions))


class Fields(_Rule):
    """Fields, their selections and their arguments."""

    fields: ClassVar[FieldTable] = {}

    def enter_field(self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> None:
        context: ValidationContext = self.context
        parent = context.get_parent_type()
        name = node.name.value
        definition = context.get_field_def()
        if parent is None:
            return
        if definition is None:
            self.say(
                f"Field '{name}' doesn't exist on type '{parent.name}'", node, ancestors, "undefinedField",
                typeName=parent.name, fieldName=name,
            )  # fmt: skip
            return
        self._selections(node, ancestors)
        given = {argument.name.value for argument in node.arguments or ()}
        for argument in node.arguments or ():
            if argument.name.value not in definition.args:
                self.say(
                    f"Field '{name}' doesn't accept argument '{argument.name.value}'", argument, [*ancestors, node],
                    "argumentNotAccepted", name=name, typeName="Field", argumentName=argument.name.value,
                )  # fmt: skip
        missing = [a for a, d in definition.args.items() if is_required_argument(d) and a not in given]
        if missing:
            text = ", ".join(missing)
            self.say(
                f"Field '{name}' is missing required arguments: {text}", node, ancestors, "missingRequiredArguments",
                className="Field", name=name, arguments=text,
            )  # fmt: skip
        simulated = (
            isinstance(parent, GraphQLObjectType) and not parent.name.startswith("__") and not name.startswith("__")
        )
        if simulated and name not in self.fields.get(parent.name, {}):
            self.report_error(not_simulated(f"Field '{name}' on type '{parent.name}'", node))

    def _selections(self, node: FieldNode, ancestors: list[Any]) -> None:
        type_: Any = upstream.selected_type(self.context)
        if type_ is None:
            return
        named: Any = upstream.named_type(type_)
        label = f"field '{node.name.value}'"
        if is_leaf_type(named) and node.selection_set:
            chosen = ", ".join(f'"{s.name.value}"' for s in node.selection_set.selections if isinstance(s, FieldNode))
            self.say(
                f"Selections can't be made on scalars ({label} returns {named.name} but has selections [{chosen}])",
                node, ancestors, "selectionMismatch", nodeName=label, typeName=str(named.name),
            )  # fmt: skip
        elif not is_leaf_type(named) and not node.selection_set:
            self.say(
                f"Field must have selections ({label} returns {named.name} but has no selections. "
                f"Did you mean '{node.name.value} {{ ... }}'?)",
                node, ancestors, "selectionMismatch", nodeName=label, typeName=str(named.name),
            )  # fmt: skip


class Literals(_Rule):
    """Values written into the document."""

    def enter_argument(self, node: ArgumentNode, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> Any:
        argument = self.context.get_argument()
        owner = next((a for a in reversed(ancestors) if isinstance(a, FieldNode)), None)
        if argument is None or owner is None:
            return
        self._value(
            node.value,
            upstream.type_of(argument),
            node,
            ancestors,
            ("Argument", node.name.value, "Field", owner.name.value),
        )

    def _value(
        self, value: Node, type_: Any, node: Node, ancestors: list[Any], place: tuple[str, str, str, str]
    ) -> None:
        if isinstance(value, VariableNode):
            return
        named = upstream.named_type(type_)
        if isinstance(named, GraphQLInputObjectType) and isinstance(value, ObjectValueNode):
            self._object(value, named, node, ancestors)
            return
        if _holds_variables(value):
            return
        try:
            coerced = upstream.value_from_ast(value, type_)
        except GraphQLError:
            coerced = Undefined
        if coerced is Undefined:
            kind, name, owner_kind, owner = place
            self.say(
                f"{kind} '{name}' on {owner_kind} '{owner}' has an invalid value ({_printed(value)}). "
                f"Expected type '{type_}'.",
                node, ancestors, "argumentLiteralsIncompatible", typeName=owner_kind, argumentName=name,
            )  # fmt: skip

    def _object(self, value: ObjectValueNode, type_: GraphQLInputObjectType, node: Node, ancestors: list[Any]) -> None:
        given = {field.name.value for field in value.fields or ()}
        for field in value.fields or ():
            definition = type_.fields.get(field.name.value)
            inner = [*ancestors, node]
            if definition is None:
                self.say(
                    f"InputObject '{type_.name}' doesn't accept argument '{field.name.value}'", field, inner,
                    "argumentNotAccepted", name=type_.name, typeName="InputObject", argumentName=field.name.value,
                )  # fmt: skip
            else:
                place = ("Argument", field.name.value, "InputObject", type_.name)
                self._value(field.value, upstream.type_of(definition), field, inner, place)
        for name, definition in type_.fields.items():
            if is_required_input_field(definition) and name not in given:
                self.say(
                    f"Argument '{name}' on InputObject '{type_.name}' is required. Expected type {definition.type}",
                    node, ancestors, "missingRequiredInputObjectAttribute", argumentName=name,
                    argumentType=str(definition.type), inputObjectType=type_.name,
                )  # fmt: skip


def _holds_variables(value: Node) -> bool:
    if isinstance(value, VariableNode):
        return True
    children = getattr(value, "values", None) or [f.value for f in getattr(value, "fields", ()) or ()]
    return any(_holds_variables(child) for child in children)


class Variables(_Rule):
    """Variables: declared, used, and of a type that fits."""

    def leave_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        declared = {v.variable.name.value: v for v in node.variable_definitions or ()}
        usages = self.context.get_recursive_variable_usages(node)
        used: set[str] = set()
        where = _operation_text(node)
        for usage in usages:
            name = usage.node.name.value
            used.add(name)
            definition = declared.get(name)
            if definition is None:
                self.say(
                    f"Variable ${name} is used by {where} but not declared", usage.node, [node],
                    "variableNotDefined", variableName=name,
                )  # fmt: skip
                continue
            type_ = upstream.type_from_ast(self.context.schema, definition.type)
            wanted = upstream.type_of(usage)
            if type_ is not None and wanted is not None and not self._fits(type_, usage, definition):
                self.say(
                    f"Type mismatch on variable ${name} and argument {_argument_of(node, usage.node)} "
                    f"({_printed(definition.type)} / {wanted})",
                    usage.node, [node], "variableMismatch", variableName=name, typeName=_printed(definition.type),
                    argumentName=_argument_of(node, usage.node), errorMessage="Type mismatch",
                )  # fmt: skip
        for name, definition in declared.items():
            if name not in used:
                self.say(
                    f"Variable ${name} is declared by {where} but not used", definition, [node], "variableNotUsed",
                    variableName=name,
                )  # fmt: skip

    def _fits(self, type_: Any, usage: Any, definition: Any) -> bool:
        wanted: Any = upstream.type_of(usage)
        if isinstance(wanted, GraphQLNonNull) and not isinstance(type_, GraphQLNonNull):
            has_default = definition.default_value is not None or usage.default_value is not Undefined
            if not has_default:
                return False
            wanted = upstream.inner_type(wanted)
        return upstream.is_sub_type(self.context.schema, type_, wanted)


def _argument_of(operation: Node, variable: Node) -> str:
    """The argument (or input field) whose value a variable is."""
    stack: list[Any] = [operation]
    while stack:
        node = stack.pop()
        if isinstance(node, ArgumentNode | ObjectFieldNode) and node.value is variable:
            return node.name.value
        for key in getattr(node, "keys", ()):
            child: Any = getattr(node, key, None)
            stack.extend(one for one in upstream.as_list(child) if isinstance(one, Node))
    return variable.name.value if isinstance(variable, VariableNode) else ""


class Fragments(_Rule):
    """Fragments: defined and used."""

    def leave_document(self, node: DocumentNode, *_: Any) -> None:
        defined = {d.name.value: d for d in node.definitions if isinstance(d, FragmentDefinitionNode)}
        used: set[str] = set()
        for definition in node.definitions:
            if isinstance(definition, OperationDefinitionNode):
                used |= {f.name.value for f in self.context.get_recursively_referenced_fragments(definition)}
                for spread in self.context.get_fragment_spreads(definition.selection_set):
                    if spread.name.value not in defined:
                        self.say(
                            f"Fragment {spread.name.value} was used, but not defined", spread, [definition],
                            "useAndDefineFragment", fragmentName=spread.name.value,
                        )  # fmt: skip
        for name, definition in defined.items():
            if name not in used:
                self.say(
                    f"Fragment {name} was defined, but not used", definition, [], "useAndDefineFragment",
                    fragmentName=name,
                )  # fmt: skip


REPLACED = {
    FieldsOnCorrectTypeRule,
    KnownArgumentNamesRule,
    KnownFragmentNamesRule,
    NoUndefinedVariablesRule,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    ProvidedRequiredArgumentsRule,
    ScalarLeafsRule,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
}


def rules(fields: FieldTable) -> list[type[ASTValidationRule]]:
    """The rules for a schema of which `fields` are simulated."""
    ours = type("SimulatedFields", (Fields,), {"fields": fields})
    kept = [rule for rule in specified_rules if rule not in REPLACED]
    return [ours, Literals, Variables, Fragments, *kept]


def check(schema: GraphQLSchema, document: DocumentNode, chosen: list[type[ASTValidationRule]]) -> list[GraphQLError]:
    """The errors of a document, at most 50."""
    return validate(schema, document, chosen, max_errors=50)


__all__ = ["DocumentError", "check", "rules"]
