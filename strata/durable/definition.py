"""Processes as plain functions: `@process` gives one its name and version; their types come from the annotations."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any, TypeVar, get_type_hints

from msgspec import Struct

F = TypeVar("F", bound=Callable[..., Awaitable[object]])


class Definition(Struct, frozen=True):
    """A process a worker can run. Several versions of one name stand side by side; every run keeps its own."""

    name: str
    version: int
    fn: Callable[..., Awaitable[object]]
    input_type: Any
    result_type: Any


REGISTRY: dict[tuple[str, int], Definition] = {}
"""Every definition that was imported, by name and version."""


def process(name: str, *, version: int = 1) -> Callable[[F], F]:
    """Register `async def fn(run, input) -> result` as a process. Raises ValueError when name and version are taken."""

    def register(fn: F) -> F:
        taken = REGISTRY.get((name, version))
        if taken is not None and _where(taken.fn) != _where(fn):
            raise ValueError(f"process {name} v{version} is {_where(taken.fn)} already, not {_where(fn)}")
        REGISTRY[name, version] = define(name, fn, version=version)
        return fn

    return register


def define(name: str, fn: Callable[..., Awaitable[object]], *, version: int = 1) -> Definition:
    """The definition of a process function, without registering it. Raises TypeError unless it takes (run, input)."""
    parameters = list(inspect.signature(fn).parameters)
    if len(parameters) != 2:
        raise TypeError(f"process {name}: expected (run, input), got {parameters}")
    return Definition(name, version, fn, _annotation(fn, parameters[1]), _annotation(fn, "return"))


def definitions(*names: str) -> tuple[Definition, ...]:
    """All registered definitions, or those of the processes named."""
    return tuple(d for (name, _), d in sorted(REGISTRY.items()) if not names or name in names)


@lru_cache(maxsize=1024)  # bounded: a step may be a closure made anew for every run
def result_type(fn: Callable[..., object]) -> Any:
    """What a step function returns, by its annotation; Any where it has none."""
    while isinstance(fn, partial):
        fn = fn.func
    return _annotation(fn, "return")


def _annotation(fn: Callable[..., object], name: str) -> Any:
    """One annotation of a function, resolved alone: the others may name types imported for checking only."""
    fn = inspect.unwrap(fn)
    alone = SimpleNamespace(__annotations__={name: fn.__annotations__.get(name, Any)})
    return get_type_hints(alone, globalns=fn.__globals__)[name]


def _where(fn: Callable[..., object]) -> str:
    return f"{fn.__module__}.{fn.__qualname__}"
