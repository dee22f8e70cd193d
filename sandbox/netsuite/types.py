"""Every record type that is served, by name."""

from __future__ import annotations

from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.types_entities import ENTITIES, LISTS
from sandbox.netsuite.types_items import ITEM_TYPES, ITEMS
from sandbox.netsuite.types_transactions import TRANSACTIONS

TYPES: dict[str, RecordType] = {t.name: t for t in (*ENTITIES, *LISTS, *ITEMS, *TRANSACTIONS)}
_BY_LOWER = {name.lower(): record for name, record in TYPES.items()}
ITEM_NAMES = tuple(ITEM_TYPES)
TRANSACTION_NAMES = tuple(t.name for t in TRANSACTIONS)


def record_type(name: str) -> RecordType | None:
    """The type of this name; NetSuite takes the name in any case."""
    return TYPES.get(name) or _BY_LOWER.get(name.lower())
