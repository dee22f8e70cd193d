"""The account's records: JSON documents by type and internal id, with external ids and references resolved.

Numbers are kept exactly: decimals are read and written as JSON numbers, never as binary floats.
A member whose name begins with `_` is the sandbox's own and is never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeGuard

import msgspec

from sandbox.core.clock import Clock
from sandbox.core.store import Indexable, Store
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.types import TYPES

# Records are JSON objects whose members differ by type; the tables in types_*.py say what each may hold.
Doc = dict[str, Any]

FIRST_ID = {"entity": 101, "item": 201, "transaction": 1001, "taxItem": 11}
ENCODER = msgspec.json.Encoder(decimal_format="number")
DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)

# member -> index entry, by type; externalId and itemId are indexed for all, lower case
INDEXES: dict[str, tuple[str, ...]] = {
    "customer": ("entityId",),
    "contact": ("company",),
    "customerSubsidiaryRelationship": ("entity",),
    "currency": ("symbol",),
    "giftCertificate": ("giftCertCode",),
    "itemFulfillment": ("createdFrom",),
    "salesOrder": ("tranId",),
}
Listener = Callable[[str, Doc | None, Doc | None], None]


def is_object(value: Any) -> TypeGuard[Doc]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def ref_id(value: Any) -> str | None:
    """The id that a stored reference or enumeration holds."""
    return value["id"] if is_object(value) else None


def lines_of(doc: Doc, name: str) -> list[Doc]:
    """The lines of a sublist; none where there is no such member."""
    return doc.get(name) or []


def decimal(value: Any) -> Decimal:
    """A stored number as Decimal; absent is zero."""
    return Decimal(value) if value is not None else Decimal(0)


def stamp(now: datetime) -> str:
    """date-time as the record API shows it: UTC, whole seconds, `Z`."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


class Records:
    """Reads and writes documents; `on_change(type, before, after)` listeners run inside the same transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._listeners: list[Listener] = []

    def on_change(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def now(self) -> str:
        return stamp(self.clock.now())

    def next(self, name: str, start: int = 1) -> int:
        return self.store.next(f"ns:{name}", start)

    def new_id(self, record: RecordType) -> str:
        return str(self.next(record.space, FIRST_ID.get(record.space, 1)))

    def get(self, kind: str, key: str) -> Doc | None:
        body = self.store.get(kind, key)
        return None if body is None else DECODER.decode(body)

    def by_external_id(self, kind: str, external_id: str) -> Doc | None:
        """External ids are unique per type and compared without case."""
        found = self.find(kind, "externalId", external_id.lower())
        return found[0] if found else None

    def find(self, kind: str, index: str, value: Indexable) -> list[Doc]:
        return [DECODER.decode(body) for body in self.store.find(kind, index, value)]

    def all(self, kind: str) -> Iterator[Doc]:
        for _, body in self.store.scan(kind):
            yield DECODER.decode(body)

    def resolve(self, kinds: tuple[str, ...], key: str) -> tuple[str, Doc] | None:
        """The record with this id among types that share a sequence of ids."""
        for kind in kinds:
            doc = self.get(kind, key)
            if doc is not None:
                return kind, doc
        return None

    def resolve_external(self, kinds: tuple[str, ...], external_id: str) -> tuple[str, Doc] | None:
        for kind in kinds:
            doc = self.by_external_id(kind, external_id)
            if doc is not None:
                return kind, doc
        return None

    def title(self, kind: str, doc: Doc) -> str:
        """What stands as refName wherever the record is referred to."""
        return str(doc.get(TYPES[kind].title) or doc["id"])

    def put(self, kind: str, doc: Doc, before: Doc | None) -> None:
        index: dict[str, Indexable | list[Indexable]] = {}
        external = doc.get("externalId")
        if external:
            index["externalId"] = str(external).lower()
        if "itemId" in doc:
            index["itemId"] = str(doc["itemId"]).lower()
        for name in INDEXES.get(kind, ()):
            value = doc.get(name)
            index[name] = ref_id(value) if is_object(value) else value
        self.store.put(kind, doc["id"], ENCODER.encode(doc), index)
        for listener in self._listeners:
            listener(kind, before, doc)

    def remove(self, kind: str, doc: Doc) -> None:
        self.store.delete(kind, doc["id"])
        for listener in self._listeners:
            listener(kind, doc, None)
