"""`POST /_sandbox/seed` for NetSuite: what people in the company would do, such as shipping an order.

The vendor's API is the real way; this saves a test the transformation and its packages.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from sandbox.netsuite.errors import NsError
from sandbox.netsuite.orders import quantity_done
from sandbox.netsuite.records import Doc, decimal, ref_id
from sandbox.netsuite.service import Service
from sandbox.netsuite.types import TYPES
from sandbox.netsuite.writing import How


class FulfilLine(msgspec.Struct, forbid_unknown_fields=True):
    """A line to ship, by the order's line number or by SKU. quantity left out: all that is open."""

    line: int | None = None
    sku: str | None = None
    quantity: Decimal | None = None


class Fulfil(msgspec.Struct, forbid_unknown_fields=True):
    """Ship an order, as a warehouse clerk does. lines left out: everything open; tracking: one package each.

    Goods that are not on hand are received first. status: A picked, B packed, C shipped.
    location: external id of where lines without a place of their own ship from (left out: the first location of the
    order's subsidiary).
    """

    externalId: str | None = None  # noqa: N815  # the vendor's name
    id: str | None = None
    lines: list[FulfilLine] | None = None
    tracking: str | list[str] | None = None
    status: str = "C"
    location: str | None = None


class StockChange(msgspec.Struct, forbid_unknown_fields=True):
    """Set what is on hand of an item at a location (its external id)."""

    sku: str
    location: str
    quantity: Decimal


class Inactivate(msgspec.Struct, forbid_unknown_fields=True):
    """Switch an item off, or on again."""

    sku: str
    inactive: bool = True


class Seed(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /_sandbox/seed` takes for NetSuite."""

    fulfil: Fulfil | list[Fulfil] | None = None
    stock: list[StockChange] = []
    items: list[Inactivate] = []


def run_seed(service: Service, seed: Seed) -> object:
    """Do it and answer what came of it. Raises msgspec.ValidationError if something named is not there."""
    try:
        for change in seed.stock:
            _set_stock(service, change)
        for item in seed.items:
            kind, doc = _item(service, item.sku)
            service.update(TYPES[kind], doc, {"isInactive": item.inactive})
        wanted = seed.fulfil if isinstance(seed.fulfil, list) else [seed.fulfil] if seed.fulfil else []
        return {"fulfillments": [_fulfil(service, one) for one in wanted]}
    except NsError as error:
        raise msgspec.ValidationError(str(error)) from error


def _item(service: Service, sku: str) -> tuple[str, Doc]:
    for kind in TYPES:
        if TYPES[kind].space == "item":
            found = service.records.find(kind, "itemId", sku.lower())
            if found:
                return kind, found[0]
    raise msgspec.ValidationError(f"no item {sku!r}")


def _set_stock(service: Service, change: StockChange) -> None:
    location = service.records.by_external_id("location", change.location)
    if location is None:
        raise msgspec.ValidationError(f"no location {change.location!r}")
    kind, doc = _item(service, change.sku)
    lines = [{"location": {"id": location["id"]}, "quantityOnHand": change.quantity}]
    service.update(TYPES[kind], doc, {"locations": {"items": lines}})


def _fulfil(service: Service, wanted: Fulfil) -> dict[str, str]:
    records = service.records
    order = records.get("salesOrder", wanted.id) if wanted.id else None
    if wanted.externalId:
        order = records.by_external_id("salesOrder", wanted.externalId)
    if order is None:
        raise msgspec.ValidationError(f"no sales order {wanted.externalId or wanted.id!r}")
    body: dict[str, Any] = {"shipStatus": {"id": wanted.status}}
    numbers = [wanted.tracking] if isinstance(wanted.tracking, str) else wanted.tracking or []
    if numbers:
        packages = [{"packageTrackingNumber": number, "packageWeight": 1} for number in numbers]
        body["package"] = {"items": packages}
    named = wanted.lines if wanted.lines is not None else _open_lines(order)
    body["item"] = {"items": [_line(service, order, line, wanted.location) for line in named]}
    how = How(replace=frozenset({"item"}))
    key = service.transform("salesOrder", order, "itemFulfillment", body, how)
    made = records.get("itemFulfillment", key) or {}
    return {"id": key, "tranId": made["tranId"], "createdFrom": order["id"]}


def _open_lines(order: Doc) -> list[FulfilLine]:
    """All that is open, whether it is committed or not: a clerk ships what lies on the shelf."""
    lines: list[Doc] = order["item"]
    return [
        FulfilLine(line=int(line["line"]))
        for line in lines
        if line.get("_fulfillable") and not line["isClosed"] and decimal(line["quantity"]) > quantity_done(line)
    ]


def _line(service: Service, order: Doc, wanted: FulfilLine, location: str | None) -> Doc:
    lines: list[Doc] = order["item"]
    if wanted.line is not None:
        found = next((line for line in lines if line["line"] == wanted.line), None)
    elif wanted.sku is not None:
        key = _item(service, wanted.sku)[1]["id"]
        found = next((line for line in lines if line["item"]["id"] == key), None)
    else:
        raise msgspec.ValidationError("a line needs `line` or `sku`")
    if found is None:
        raise msgspec.ValidationError(f"the order has no line {wanted.line or wanted.sku!r}")
    quantity = decimal(found["quantity"]) - quantity_done(found) if wanted.quantity is None else wanted.quantity
    line: Doc = {"orderLine": found["line"], "itemReceive": True, "quantity": quantity}
    place = ref_id(found.get("location")) or _place(service, order, location)
    if "location" not in found:
        line["location"] = {"id": place}
    _receive(service, ref_id(found["item"]) or "", place, quantity)
    return line


def _receive(service: Service, item: str, place: str, quantity: Decimal) -> None:
    """Put on the shelf what lacks to ship so many pieces."""
    found = service.stock.item(item)
    if found is None:
        return
    for key, per_piece in service.stock.members(*found):
        member = service.records.get("inventoryItem", key)
        if member is not None:
            lacking = quantity * per_piece - service.stock.on_hand(member, place)
            service.stock.take("inventoryItem", member, place, -max(lacking, Decimal(0)))


def _place(service: Service, order: Doc, external_id: str | None) -> str:
    for place in service.records.all("location"):
        wanted = place.get("externalId") == external_id if external_id else place["subsidiary"] == order["subsidiary"]
        if wanted:
            return place["id"]
    raise msgspec.ValidationError(f"no location {external_id!r}")
