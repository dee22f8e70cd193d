"""Everything that is wrong with an order, collected so that a person hears it all at once (contract C10)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from strata.errors import FieldError, Invalid


class Causes:
    """Collects causes, each with the field, the value and the remedy; and the table rows that a decision used."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []
        self.used: dict[str, list[dict[str, Any]]] = {}

    def use(self, table: str, row: Struct | None) -> None:
        """Note that a row decided (contract C16)."""
        if row is not None:
            plain: dict[str, Any] = msgspec.to_builtins(row)
            rows = self.used.setdefault(table, [])
            if plain not in rows:
                rows.append(plain)

    def add(self, code: str, pointer: str, detail: str, *, value: str = "", remedy: str) -> None:
        """Note one cause."""
        self.found.append(FieldError(detail=detail, pointer=pointer, value=value, remedy=remedy, code=code))

    def raise_if_any(self, what: str) -> None:
        """Raise one Invalid with all causes, in plain words; `what` says what cannot be done."""
        if not self.found:
            return
        listed = "; ".join(dict.fromkeys(cause.detail for cause in self.found))
        raise Invalid(f"{what}: {listed}", errors=tuple(self.found))
