"""The vocabulary in which record types are written down, and look-ups over it.

Names are matched without regard to case when written (Oracle's own samples write `entityid`), and shown as declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Kind = Literal["string", "integer", "number", "boolean", "date", "datetime", "ref", "enum", "sublist", "subrecord"]


class Field(msgspec.Struct, frozen=True):
    """A property of a record, subrecord or sublist line.

    to: record types a reference may lead to. values: id -> label of an enumeration (empty: any id is taken).
    fields and key: members of a subrecord or line, and the member that tells lines apart when they are merged.
    readonly: computed or set by the system; what a caller sends is passed over, as NetSuite does.
    """

    name: str
    kind: Kind
    label: str = ""
    to: tuple[str, ...] = ()
    values: Mapping[str, str] = {}
    fields: tuple[Field, ...] = ()
    key: str = ""
    readonly: bool = False


class RecordType(msgspec.Struct, frozen=True):
    """A type under `/record/v1`. space: what shares its sequence of internal ids; title: the member shown as refName.

    settable: False for types that this sandbox only lets read.
    """

    name: str
    fields: tuple[Field, ...]
    space: str
    title: str = "name"
    settable: bool = True

    def field(self, name: str) -> Field | None:
        return lookup(self.fields, name)


_BY_NAME: dict[int, dict[str, Field]] = {}


def lookup(fields: tuple[Field, ...], name: str) -> Field | None:
    """The field of this name in any case."""
    table = _BY_NAME.get(id(fields))
    if table is None:
        # tables are module constants, so their identity is stable for the life of the process
        table = _BY_NAME[id(fields)] = {field.name.lower(): field for field in fields}
    return table.get(name.lower())


def many(kind: Kind, names: str, *, readonly: bool = False) -> tuple[Field, ...]:
    """Fields of one kind, by their names."""
    return tuple(Field(name, kind, readonly=readonly) for name in names.split())


def ref(name: str, *to: str, readonly: bool = False, label: str = "") -> Field:
    return Field(name, "ref", to=to, readonly=readonly, label=label)


def enum(name: str, values: Mapping[str, str] | str, *, readonly: bool = False) -> Field:
    """values: id -> label, or ids that are their own labels."""
    table = {v: v for v in values.split()} if isinstance(values, str) else values
    return Field(name, "enum", values=table, readonly=readonly)


def sublist(name: str, key: str, *fields: Field, readonly: bool = False) -> Field:
    return Field(name, "sublist", key=key, fields=fields, readonly=readonly)


def subrecord(name: str, *fields: Field, readonly: bool = False) -> Field:
    return Field(name, "subrecord", fields=fields, readonly=readonly)


SYSTEM = (
    Field("id", "string", label="Internal ID", readonly=True),
    Field("externalId", "string", label="External ID"),
    Field("refName", "string", label="Reference Name", readonly=True),
)
STAMPS = (*many("datetime", "lastModifiedDate", readonly=True),)
COUNTRY = Field("country", "enum")
ADDRESS = (
    *many("string", "addressee attention addr1 addr2 addr3 city state zip addrPhone externalId"),
    COUNTRY,
    *many("boolean", "override"),
    *many("string", "addrText", readonly=True),
    *many("datetime", "lastModifiedDate", readonly=True),
)
