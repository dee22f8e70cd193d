"""Operations as data: what a method of a contract says about itself on the wire."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from strata.errors import StrataError

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
F = TypeVar("F", bound=Callable[..., Awaitable[object]])

_PLACEHOLDER = re.compile(r"{([a-z_]+)}")


class Layer(StrEnum):
    """The three layers of APIs."""

    SYSTEM = "system"
    PROCESS = "process"
    EXPERIENCE = "experience"


class Example(Struct, frozen=True):
    """A worked request and answer, shown in the portal and checked against the schemas by a test."""

    title: str
    returns: Any
    """A value of the operation's return type."""
    body: Any = None
    """A value of its body type."""


class Parameter(Struct, frozen=True):
    """One path or query parameter. `annotation` keeps its msgspec constraints; `default` is UNSET when required."""

    name: str
    annotation: Any
    default: Any = msgspec.UNSET
    description: str = ""


class Operation(Struct, frozen=True):
    """One operation of a contract, derived from the method that declares it."""

    id: str
    method: Method
    path: str
    """Below the base path of the API, e.g. `/orders/{order_id}`."""
    scope: str
    summary: str
    description: str
    path_params: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    body: Any
    """Type of the JSON body; None when there is none."""
    returns: Any
    errors: tuple[type[StrataError], ...]
    status: int
    examples: tuple[Example, ...]
    max_body_bytes: int


class _Declared(Struct, frozen=True):
    method: Method
    path: str
    scope: str
    errors: tuple[type[StrataError], ...]
    status: int
    examples: tuple[Example, ...]
    max_body_bytes: int


def operation(
    method: Method,
    path: str,
    *,
    scope: str,
    errors: tuple[type[StrataError], ...] = (),
    status: int = 200,
    examples: tuple[Example, ...] = (),
    max_body_bytes: int = 1_048_576,
) -> Callable[[F], F]:
    """Declare a method of a contract as an operation.

    Parameters named in `path` are path parameters; a parameter called `body` is the JSON body; all others are query
    parameters and keyword-only. The first line of the docstring is the summary.
    """
    facts = _Declared(method, path, scope, errors, status, examples, max_body_bytes)

    def mark(function: F) -> F:
        function.__strata_operation__ = facts  # pyright: ignore[reportFunctionMemberAccess]  # read back below
        return function

    return mark


def declared() -> NoReturn:
    """The body of a method that only declares an operation; a service answers it in a subclass."""
    raise TypeError("a contract only declares this operation; subclass it to serve it")


class Contract:
    """Base of all contracts. Subclass to declare one; subclass that to serve it."""

    name: ClassVar[str]
    layer: ClassVar[Layer]
    version: ClassVar[str] = "v1"
    title: ClassVar[str]


def contract_of(kind: type[Contract]) -> type[Contract]:
    """The class that declares the contract, given it or a class that serves it."""
    for candidate in reversed(kind.__mro__):
        if issubclass(candidate, Contract) and candidate is not Contract and "layer" in candidate.__dict__:
            return candidate
    raise TypeError(f"{kind.__name__} declares no contract: it has no `layer`")


def service_of(contract: type[Contract]) -> str:
    """The service that answers a process or experience contract."""
    declaring = contract_of(contract)
    return f"{declaring.layer}-{getattr(declaring, 'service', declaring.name)}"


def base_path(contract: type[Contract]) -> str:
    """Where a contract is mounted within its service, without the connection of a system API."""
    declaring = contract_of(contract)
    return f"/{declaring.name}/{declaring.version}"


def operations_of(kind: type[Contract]) -> tuple[Operation, ...]:
    """The operations of a contract, in the order of declaration."""
    declaring = contract_of(kind)
    found: list[Operation] = []
    for name, member in declaring.__dict__.items():
        facts: _Declared | None = getattr(member, "__strata_operation__", None)
        if facts is not None:
            found.append(_derive(name, member, facts))
    return tuple(found)


def _description(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            if isinstance(extra, msgspec.Meta) and extra.description:
                return extra.description
    return ""


def _derive(name: str, function: Callable[..., object], facts: _Declared) -> Operation:
    hints = get_type_hints(function, include_extras=True)
    placeholders = _PLACEHOLDER.findall(facts.path)
    path_params: list[Parameter] = []
    query: list[Parameter] = []
    body: Any = None
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        annotation = hints[parameter.name]
        default = msgspec.UNSET if parameter.default is inspect.Parameter.empty else parameter.default
        described = Parameter(parameter.name, annotation, default, _description(annotation))
        if parameter.name == "body":
            body = annotation
        elif parameter.name in placeholders:
            path_params.append(described)
        else:
            query.append(described)
    missing = set(placeholders) - {p.name for p in path_params}
    if missing:
        raise TypeError(f"{name}: path {facts.path} names {sorted(missing)} that the method does not take")
    doc = inspect.cleandoc(function.__doc__ or name)
    summary, _, description = doc.partition("\n")
    return Operation(
        id=name,
        method=facts.method,
        path=facts.path,
        scope=facts.scope,
        summary=summary.strip().rstrip("."),
        description=description.strip(),
        path_params=tuple(path_params),
        query=tuple(query),
        body=body,
        returns=hints["return"],
        errors=facts.errors,
        status=facts.status,
        examples=facts.examples,
        max_body_bytes=facts.max_body_bytes,
    )
