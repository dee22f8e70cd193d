"""Item fulfilments: made from a sales order by transformation, whole or in part; they ship stock and move the order on.

Lines that the body does not name are fulfilled with what is committed to them, as the form does; `itemReceive: false`
leaves a line out, and `replace=item` leaves out all that are not named.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.netsuite.entities import complete_address
from sandbox.netsuite.errors import bad_content, bad_value, missing, no_instance, user_error
from sandbox.netsuite.orders import OPEN, Orders
from sandbox.netsuite.records import Doc, Records, decimal, is_object, lines_of, ref_id
from sandbox.netsuite.stock import Stock, is_fulfillable, tidy
from sandbox.netsuite.types_transactions import PACKAGES
from sandbox.netsuite.writing import How

ZERO = Decimal(0)
PICKED, PACKED, SHIPPED = "A", "B", "C"
DATES = {PICKED: "pickedDate", PACKED: "packedDate", SHIPPED: "shippedDate"}


class Fulfilments:
    """Keeps fulfilments and their orders in step."""

    def __init__(self, records: Records, orders: Orders, stock: Stock) -> None:
        self._records = records
        self._orders = orders
        self._stock = stock

    def start(self, order: Doc, body: Any, how: How) -> Doc:
        """The fulfilment that the form would offer for this order: all open lines with what is committed."""
        if ref_id(order["status"]) not in OPEN:
            raise user_error("This record can not be transformed: the sales order has nothing to fulfill.")
        named = _named_lines(body)
        lines: list[Doc] = []
        for order_line in order["item"]:
            line = self._offer(order, order_line)
            if line is None:
                continue
            given = named.pop(str(order_line["line"]), None)
            if given is None and "item" in how.replace:
                continue
            if given is not None and "quantity" not in given and not decimal(line["quantity"]):
                line["quantity"] = line["quantityRemaining"]
            lines.append(line)
        if named:
            number = next(iter(named))
            raise user_error(f"The order line {number} can not be fulfilled.", "item")
        doc: Doc = {
            "createdFrom": {"id": order["id"]},
            "entity": order["entity"],
            "subsidiary": order["subsidiary"],
            "currency": order["currency"],
            "exchangeRate": order["exchangeRate"],
            "orderId": int(order["id"]),
            "orderType": "SalesOrd",
            "shipStatus": {"id": SHIPPED},
            "item": lines,
        }
        for name in ("shippingAddress", "shipMethod", "location", "department", "memo"):
            if order.get(name) is not None:
                doc[name] = order[name]
        return doc

    def _offer(self, order: Doc, order_line: Doc) -> Doc | None:
        found = self._stock.item(ref_id(order_line["item"]) or "")
        if found is None or not is_fulfillable(*found) or order_line["isClosed"]:
            return None
        remaining = decimal(order_line["quantity"]) - decimal(order_line.get("_onFulfilments"))
        if remaining <= 0:
            return None
        line: Doc = {
            "orderLine": order_line["line"],
            "orderDoc": int(order["id"]),
            "item": order_line["item"],
            "itemName": found[1]["itemId"],
            "itemType": found[1]["itemType"],
            "quantityRemaining": tidy(remaining),
            "quantity": tidy(min(remaining, decimal(order_line["quantityCommitted"]))),
            "itemReceive": True,
        }
        for name, source in (("location", "location"), ("itemDescription", "description"), ("units", "units")):
            if order_line.get(source) is not None:
                line[name] = order_line[source]
        if found[0] == "inventoryItem":
            line["onHand"] = tidy(self._stock.on_hand(found[1], ref_id(order_line.get("location"))))
        return line

    def before_save(self, doc: Doc, before: Doc | None) -> None:
        order = self._order(doc)
        now = self._records.now()
        status = ref_id(doc.setdefault("shipStatus", {"id": SHIPPED})) or SHIPPED
        doc["status"] = {"id": status}
        doc.setdefault("tranDate", now[:10])
        doc.setdefault(DATES[status], now[:10])
        if before is None:
            doc["createdDate"] = now
            number = self._records.next("number:itemFulfillment", 5001)
            doc.setdefault("tranId", f"IF-{number}")
            doc["transactionNumber"] = f"ITEMSHIP{number}"
        address: Doc = doc.get("shippingAddress") or {}
        complete_address(address)
        if address:
            doc["shipAddress"] = address["addrText"]
        self._check_lines(doc, before, order)
        self._packages(doc)
        if before is not None:
            self._undo(order, before)
        self._apply(order, doc)

    def before_delete(self, doc: Doc) -> None:
        self._undo(self._order(doc), doc)

    def _order(self, doc: Doc) -> Doc:
        key = ref_id(doc.get("createdFrom"))
        if key is None:
            raise missing("Created From")
        order = self._records.get("salesOrder", key)
        if order is None:
            raise no_instance()
        return order

    def _check_lines(self, doc: Doc, before: Doc | None, order: Doc) -> None:
        kept: list[Doc] = []
        own = {str(line["orderLine"]): decimal(line["quantity"]) for line in (before or {}).get("item", [])}
        by_number = {str(line["line"]): line for line in order["item"]}
        for number, line in enumerate(lines_of(doc, "item")):
            path = f"item.items[{number}]"
            order_line = by_number.get(str(line.get("orderLine")))
            if order_line is None or "item" not in line:
                raise user_error(f"The order line {line.get('orderLine')} can not be fulfilled.", path)
            quantity = decimal(line.get("quantity"))
            if quantity < 0:
                raise bad_value("quantity", f"{path}.quantity")
            if not line.get("itemReceive", True) or quantity == 0:
                continue
            open_now = decimal(order_line["quantity"]) - decimal(order_line.get("_onFulfilments"))
            open_now += own.get(str(line["orderLine"]), ZERO)
            if quantity > open_now:
                raise user_error(
                    f"The quantity {tidy(quantity)} of item {line['itemName']} is more than"
                    f" the {tidy(open_now)} that remain to be fulfilled on line {line['orderLine']}.",
                    f"{path}.quantity",
                )
            self._check_stock(line, quantity - own.get(str(line["orderLine"]), ZERO), path)
            line["quantityRemaining"] = tidy(open_now)
            line["line"] = len(kept) + 1
            kept.append(line)
        if not kept:
            raise user_error("You must have at least one valid line item for this transaction.", "item")
        doc["item"] = kept

    def _check_stock(self, line: Doc, more: Decimal, path: str) -> None:
        """Inventory has to be there to be picked."""
        found = self._stock.item(ref_id(line["item"]) or "")
        if found is None or more <= 0:
            return
        for key, per_piece in self._stock.members(*found):
            item = self._records.get("inventoryItem", key)
            if item is None:
                continue
            place = ref_id(line.get("location"))
            if place is None:
                raise missing("Location")
            if self._stock.on_hand(item, place) < more * per_piece:
                raise user_error(f"There is not enough of item {item['itemId']} on hand.", f"{path}.quantity")

    def _packages(self, doc: Doc) -> None:
        for name, *_ in PACKAGES:
            for number, line in enumerate(lines_of(doc, name), start=1):
                line["id"] = number

    def _undo(self, order: Doc, doc: Doc) -> None:
        self._move(order, doc, -1)

    def _apply(self, order: Doc, doc: Doc) -> None:
        # an undo before has written the order: read it as it is now
        current = self._records.get("salesOrder", order["id"]) or order
        self._move(current, doc, 1)

    def _move(self, order: Doc, doc: Doc, sign: int) -> None:
        """Add (1) or take back (-1) what this fulfilment does to its order and to stock."""
        before = self._records.get("salesOrder", order["id"])
        self._orders.release(order)
        status = ref_id(doc["shipStatus"])
        by_number = {str(line["line"]): line for line in order["item"]}
        for line in doc["item"]:
            order_line = by_number[str(line["orderLine"])]
            pieces = decimal(line["quantity"]) * sign
            order_line["_onFulfilments"] = tidy(decimal(order_line.get("_onFulfilments")) + pieces)
            names = {PICKED: ("quantityPicked",), PACKED: ("quantityPicked", "quantityPacked")}
            for name in names.get(status or "", ("quantityPicked", "quantityPacked", "quantityFulfilled")):
                order_line[name] = tidy(decimal(order_line.get(name)) + pieces)
            if status == SHIPPED:
                found = self._stock.item(ref_id(line["item"]) or "")
                if found is not None:
                    self._stock.take(*found, ref_id(line.get("location")), pieces)
        self._orders.settle(order)
        order["lastModifiedDate"] = self._records.now()
        if status == SHIPPED and sign > 0:
            order["actualShipDate"] = doc.get("shippedDate", order["lastModifiedDate"][:10])
        self._records.put("salesOrder", order, before)


def tracking_numbers(doc: Doc) -> list[str]:
    """Tracking numbers of all packages, whichever carrier's list they are in, each once."""
    numbers: list[str] = []
    for name, tracking, *_ in PACKAGES:
        for line in lines_of(doc, name):
            number = line.get(tracking)
            if number and number not in numbers:
                numbers.append(str(number))
    return numbers


def _named_lines(body: Any) -> dict[str, Doc]:
    """Lines of the body by order line, members in lower case."""
    named: dict[str, Doc] = {}
    if not is_object(body):
        raise bad_content()
    given: Doc = body
    sublist = next((value for name, value in given.items() if name.lower() == "item"), None)
    items: Any = sublist.get("items", []) if is_object(sublist) else sublist or []
    for number, item in enumerate(items):
        if not is_object(item):
            raise bad_content(f"item.items[{number}]")
        line: Doc = {str(k).lower(): v for k, v in item.items()}
        if line.get("orderline") is None:
            raise bad_value("orderLine", f"item.items[{number}].orderLine")
        named[str(line["orderline"])] = line
    return named
