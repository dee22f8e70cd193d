"""Rules of items, gift certificates and of the account's plain lists."""

from __future__ import annotations

from sandbox.netsuite.errors import duplicate, missing
from sandbox.netsuite.records import Doc, Records, decimal, lines_of, ref_id
from sandbox.netsuite.stock import complete_quantities, tidy
from sandbox.netsuite.types import ITEM_NAMES, TYPES
from sandbox.netsuite.types_items import ITEM_TYPES

BASE_PRICE = "1"


class Items:
    """Completes and checks items; names (SKUs) are unique over all kinds of items."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def before_save(self, kind: str, doc: Doc, before: Doc | None) -> None:
        if not doc.get("itemId"):
            raise missing("Item Name/Number")
        for other_kind in ITEM_NAMES:
            for other in self._records.find(other_kind, "itemId", str(doc["itemId"]).lower()):
                if other["id"] != doc["id"]:
                    raise duplicate()
        doc["itemType"] = {"id": ITEM_TYPES[kind]}
        doc.setdefault("isInactive", False)
        if before is None:
            doc["createdDate"] = self._records.now()
        if kind == "inventoryItem":
            complete_quantities(doc)
        for number, line in enumerate(lines_of(doc, "price"), start=1):
            line.setdefault("id", str(number))
            currency = self._records.get("currency", ref_id(line.get("currencyPage")) or "")
            level = self._records.get("priceLevel", ref_id(line.get("priceLevel")) or "")
            line["currencyName"] = "" if currency is None else currency["name"]
            line["priceLevelName"] = "" if level is None else level["name"]

    def before_save_list(self, kind: str, doc: Doc, before: Doc | None) -> None:
        """Setup lists: a name is all they need."""
        record = TYPES[kind]
        title = record.field(record.title)
        if not doc.get(record.title):
            raise missing((title.label if title else "") or "Name")
        if record.field("isInactive"):
            doc.setdefault("isInactive", False)
        if kind == "giftCertificate" and before is None:
            doc["amountAvailable"] = tidy(decimal(doc.get("originalAmount")))
            doc["createdDate"] = self._records.now()


def base_price(item: Doc, currency: str, level: str = BASE_PRICE) -> object | None:
    """The item's price of a level in a currency; None where the list has none."""
    for line in lines_of(item, "price"):
        if ref_id(line.get("currencyPage")) == currency and ref_id(line.get("priceLevel")) == level:
            return line.get("price")
    return None
