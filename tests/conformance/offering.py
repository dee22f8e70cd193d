"""Which backends offer a contract: whatever is installed says so itself, in its `backend.py`."""

from __future__ import annotations

import importlib
import pkgutil

import system_apis
from strata.contracts import Contract
from system_apis.backend import Backend
from tests.conformance.arrangements import ARRANGEMENTS, Arrangement


def backends() -> tuple[Backend, ...]:
    """Every backend that is installed."""
    folders = [m.name for m in pkgutil.iter_modules(system_apis.__path__) if m.ispkg]
    return tuple(importlib.import_module(f"system_apis.{name}.backend").BACKEND for name in sorted(folders))


def offering(contract: type[Contract]) -> list[Arrangement]:
    """The arrangements of the backends that offer a contract."""
    return [ARRANGEMENTS[b.vendor] for b in backends() if contract in b.capabilities]


def named(arrangement: object) -> str:
    """Name of a test's parameter."""
    return str(getattr(arrangement, "vendor", getattr(arrangement, "__name__", arrangement)))
