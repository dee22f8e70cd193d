"""Stock per item and location: on hand, committed to orders, available, back-ordered.

Orders commit what is available when they are saved, oldest first; a shipment takes from what is on hand.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.netsuite.records import Doc, Records, decimal, lines_of, ref_id
from sandbox.netsuite.types import ITEM_NAMES

ZERO = Decimal(0)
QUANTITIES = ("quantityOnHand", "quantityCommitted", "quantityAvailable", "quantityBackOrdered", "quantityOnOrder")
NEVER_SHIPPED = frozenset({"giftCertificateItem", "discountItem", "shipItem"})


def tidy(number: Decimal) -> int | Decimal:
    """Whole pieces as whole numbers."""
    return int(number) if number == number.to_integral_value() else number


def is_fulfillable(kind: str, item: Doc) -> bool:
    """Whether a line of this item waits for an item fulfilment: services only where the item says so."""
    if kind in NEVER_SHIPPED:
        return False
    return bool(item.get("isFulfillable", kind != "serviceSaleItem"))


class Stock:
    """Moves quantities of inventory items; kits move their members."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def item(self, key: str) -> tuple[str, Doc] | None:
        return self._records.resolve(ITEM_NAMES, key)

    def members(self, kind: str, item: Doc) -> list[tuple[str, Decimal]]:
        """Inventory items that one piece consists of, with pieces of each."""
        if kind == "inventoryItem":
            return [(item["id"], Decimal(1))]
        if kind != "kitItem":
            return []
        return [(ref_id(m["item"]) or "", decimal(m.get("quantity", 1))) for m in lines_of(item, "member")]

    def available(self, kind: str, item: Doc, location: str | None) -> Decimal | None:
        """Pieces that can still be committed; None where nothing limits them."""
        limits: list[Decimal] = []
        for key, per_piece in self.members(kind, item):
            found = self._records.get("inventoryItem", key)
            line = _at(found, location)
            free = ZERO if line is None else decimal(line.get("quantityAvailable"))
            limits.append(free // per_piece if per_piece else ZERO)
        return min(limits) if limits else None

    def on_hand(self, item: Doc, location: str | None) -> Decimal:
        line = _at(item, location)
        return ZERO if line is None else decimal(line.get("quantityOnHand"))

    def commit(self, kind: str, item: Doc, location: str | None, pieces: Decimal) -> None:
        """Commit pieces (negative: release)."""
        for key, per_piece in self.members(kind, item):
            self._move(key, location, committed=pieces * per_piece)

    def back_order(self, kind: str, item: Doc, location: str | None, pieces: Decimal) -> None:
        for key, per_piece in self.members(kind, item):
            self._move(key, location, back_ordered=pieces * per_piece)

    def take(self, kind: str, item: Doc, location: str | None, pieces: Decimal) -> None:
        """Pieces leave the warehouse (negative: come back)."""
        for key, per_piece in self.members(kind, item):
            self._move(key, location, on_hand=-pieces * per_piece)

    def _move(
        self,
        key: str,
        location: str | None,
        *,
        on_hand: Decimal = ZERO,
        committed: Decimal = ZERO,
        back_ordered: Decimal = ZERO,
    ) -> None:
        item = self._records.get("inventoryItem", key)
        if item is None or location is None or not (on_hand or committed or back_ordered):
            return
        before = self._records.get("inventoryItem", key)
        line = _at(item, location)
        if line is None:
            line = _new_line(location)
            item.setdefault("locations", []).append(line)
        for name, change in (
            ("quantityOnHand", on_hand),
            ("quantityCommitted", committed),
            ("quantityBackOrdered", back_ordered),
        ):
            line[name] = tidy(decimal(line.get(name)) + change)
        item["lastQuantityAvailableChange"] = self._records.now()
        complete_quantities(item)
        self._records.put("inventoryItem", item, before)


def _at(item: Doc | None, location: str | None) -> Doc | None:
    if item is None or location is None:
        return None
    lines: list[Doc] = lines_of(item, "locations")
    return next((line for line in lines if ref_id(line.get("location")) == location), None)


def _new_line(location: str) -> Doc:
    return {"location": {"id": location}}


def complete_quantities(item: Doc) -> None:
    """Available = on hand - committed per location, and the sums over all locations."""
    lines: list[Doc] = lines_of(item, "locations")
    for line in lines:
        for name in QUANTITIES:
            line.setdefault(name, 0)
        line["quantityAvailable"] = tidy(decimal(line["quantityOnHand"]) - decimal(line["quantityCommitted"]))
    for name in QUANTITIES:
        item[name] = tidy(sum((decimal(line[name]) for line in lines), ZERO))
