"""Lookup tables as versioned data: routing, tax codes, filters ... (contract C16).

A part declares a table with the type of its rows and default rows. Operators put new versions; a version is checked
against the row type before it counts, is never changed afterwards, and every run records the version it used.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

import asyncpg
import msgspec
from msgspec import Struct

from strata.errors import Conflict, FieldError, Invalid, NotFound

R = TypeVar("R", bound=Struct)
_CACHE_S = 1.0


@dataclass(frozen=True)
class Table(Generic[R]):
    """A table: its name, what a row is, what it holds before anybody changed it, and what it is for."""

    name: str
    row: type[R]
    defaults: tuple[R, ...]
    doc: str


@dataclass(frozen=True)
class Rows(Generic[R]):
    """The rows of one version of a table. Version 0 means the defaults that came with the product."""

    name: str
    version: int
    rows: tuple[R, ...]


class TableVersion(Struct, frozen=True):
    """One entry of a table's audit trail."""

    name: str
    version: int
    by: str
    why: str
    at: datetime
    rows: int


class Tables:
    """Reads and writes versions of tables. Reads are cached for about a second."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._declared: dict[str, Table[Any]] = {}
        self._cache: dict[str, tuple[float, Rows[Any]]] = {}

    def declare(self, table: Table[Any]) -> None:
        """Make a table known. Declaring it again replaces the declaration."""
        self._declared[table.name] = table

    def names(self) -> tuple[str, ...]:
        """All declared tables."""
        return tuple(sorted(self._declared))

    def table(self, name: str) -> Table[Any]:
        """The declaration of a table. Raises NotFound."""
        try:
            return self._declared[name]
        except KeyError:
            raise NotFound(f"There is no table {name}; there are: {', '.join(self.names())}") from None

    async def rows(self, table: Table[R], *, fresh: bool = False) -> Rows[R]:
        """The newest version of a table."""
        cached = self._cache.get(table.name)
        if cached is not None and not fresh and time.monotonic() - cached[0] < _CACHE_S:
            return cached[1]
        record = await self._pool.fetchrow(
            "SELECT version, rows::text AS rows FROM strata.table_version WHERE name = $1 "
            "ORDER BY version DESC LIMIT 1",
            table.name,
        )
        if record is None:
            found = Rows(table.name, 0, table.defaults)
        else:
            decoded = msgspec.json.decode(record["rows"].encode(), type=tuple[table.row, ...])
            found = Rows(table.name, int(record["version"]), decoded)
        self._cache[table.name] = (time.monotonic(), found)
        return found

    async def put(self, name: str, rows: Any, *, by: str, why: str, expected_version: int | None = None) -> int:
        """Store a new version and answer its number.

        rows: a list of row objects as plain data. Raises Invalid naming the row and field that do not fit, NotFound
        for an unknown table, Conflict when `expected_version` is not the newest one.
        """
        table = self.table(name)
        checked = _check(table, rows)
        newest = (await self.rows(table, fresh=True)).version
        if expected_version is not None and newest != expected_version:
            raise Conflict(f"Table {name} is at version {newest}, not {expected_version}: look at it again")
        try:
            await self._pool.execute(
                "INSERT INTO strata.table_version (name, version, rows, by_whom, why) "
                "VALUES ($1, $2, $3::jsonb, $4, $5)",
                name,
                newest + 1,
                msgspec.json.encode(checked).decode(),
                by,
                why,
            )
        except asyncpg.UniqueViolationError:
            raise Conflict(f"Table {name} was changed by somebody else just now: look at it again") from None
        self._cache.pop(name, None)
        return newest + 1

    async def history(self, name: str) -> tuple[TableVersion, ...]:
        """Who changed a table when and why, newest first."""
        self.table(name)
        records = await self._pool.fetch(
            "SELECT version, by_whom, why, at, jsonb_array_length(rows) AS rows FROM strata.table_version "
            "WHERE name = $1 ORDER BY version DESC",
            name,
        )
        return tuple(
            TableVersion(name, int(r["version"]), str(r["by_whom"]), str(r["why"]), r["at"], int(r["rows"]))
            for r in records
        )


def _check(table: Table[R], rows: Any) -> tuple[R, ...]:
    if not isinstance(rows, list):
        raise Invalid(f"Table {table.name} is a list of rows")
    known = {field.encode_name for field in msgspec.structs.fields(table.row)}
    checked: list[R] = []
    errors: list[FieldError] = []
    for index, row in enumerate(rows):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # plain data
        try:
            checked.append(msgspec.convert(row, table.row, strict=True))
            unknown = sorted(set(cast("dict[str, Any]", row)) - known)
            errors.extend(FieldError(f"there is no column {column}", f"/{index}/{column}") for column in unknown)
        except msgspec.ValidationError as error:
            errors.append(FieldError(str(error), f"/{index}"))
    if errors:
        raise Invalid(f"The rows do not fit table {table.name}", errors=tuple(errors))
    return tuple(checked)
