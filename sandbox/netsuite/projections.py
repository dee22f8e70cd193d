"""Records as rows: what SuiteQL queries, kept in step with the records inside the same transaction.

Dates are kept as text with a mark in front (`DATE_MARK`), which sorts in time and can not be taken for a string.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.netsuite.fulfilments import tracking_numbers
from sandbox.netsuite.records import Doc, Records, decimal, is_array, is_object, lines_of, ref_id
from sandbox.netsuite.suiteql.catalogue import TABLES, Column, SqlTable, ddl
from sandbox.netsuite.suiteql.dates import DATE_MARK, is_date
from sandbox.netsuite.types_items import ITEM_TYPES
from sandbox.netsuite.types_transactions import PACKAGES

Rows = list[tuple[str, Doc]]
USES = """
CREATE TABLE IF NOT EXISTS ns_uses (space TEXT NOT NULL, target TEXT NOT NULL, src TEXT NOT NULL,
    PRIMARY KEY (space, target, src)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ns_uses_src ON ns_uses (src);
"""
BY_STORAGE: dict[str, SqlTable] = {table.storage: table for table in reversed(TABLES)}
ENTITY_TYPES = {"customer": "CustJob", "contact": "Contact", "employee": "Employee"}
# record ids of the deletedrecord table's recordtypeid, as NetSuite numbers record types
RECORD_TYPE_IDS = {"customer": -2, "contact": -6, "employee": -4, "salesOrder": -30, "itemFulfillment": -30}


class Projections:
    """Listens to the records."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._db = records.store.db
        records.store.script(ddl() + USES)
        self._insert = {table.storage: _insert_sql(table) for table in TABLES}
        self._project: dict[str, Callable[[Doc], Rows]] = {
            "salesOrder": self._order,
            "itemFulfillment": self._fulfilment,
            "customer": self._customer,
            "contact": self._contact,
            "employee": self._employee,
            "customerSubsidiaryRelationship": lambda doc: [("q_relationship", flat(doc))],
            "subsidiary": lambda doc: [("q_subsidiary", flat(doc))],
            "currency": lambda doc: [("q_currency", flat(doc))],
            "location": lambda doc: [("q_location", flat(doc))],
            "salesTaxItem": lambda doc: [("q_salestaxitem", {**flat(doc), "fullname": doc.get("itemId")})],
            "giftCertificate": lambda doc: [("q_giftcertificate", flat(doc))],
            **{
                kind: _plain(f"q_{kind.lower()}")
                for kind in ("department", "term", "priceLevel", "customerStatus", "customerCategory", "taxType")
            },
            **dict.fromkeys(ITEM_TYPES, self._item),
        }
        self._storages: dict[str, tuple[str, ...]] = {
            "salesOrder": ("q_transaction", "q_transactionline", "q_tranaddress"),
            "itemFulfillment": (
                "q_transaction", "q_transactionline", "q_tranaddress", "q_linelink", "q_link", "q_trackingnumbermap",
                "q_package",
            ),
            "customer": ("q_customer", "q_entity", "q_addressbook", "q_entityaddress"),
            "contact": ("q_contact", "q_entity", "q_entityaddress"),
            "employee": ("q_employee", "q_entity"),
            **dict.fromkeys(ITEM_TYPES, ("q_item", "q_itemlocation", "q_pricing", "q_member")),
        }  # fmt: skip
        records.on_change(self._changed)

    def _changed(self, kind: str, before: Doc | None, after: Doc | None) -> None:
        project = self._project.get(kind)
        if project is None:
            return
        key = (after or before or {})["id"]
        source = f"{kind}:{key}"
        rows = [] if after is None else project(after)
        if before is not None:
            storages = self._storages.get(kind) or tuple({storage for storage, _ in project(before)})
            for storage in storages:
                self._db.execute(f"DELETE FROM {storage} WHERE src=?", (source,))  # noqa: S608  # a constant
            self._db.execute("DELETE FROM ns_uses WHERE src=?", (source,))
        for storage, row in rows:
            table = BY_STORAGE[storage]
            values = (source, *(_value(column, row.get(column.name)) for column in table.columns))
            self._db.execute(self._insert[storage], values)
        if after is None and before is not None:
            self._deleted(kind, before)
        elif after is not None and kind in ("salesOrder", "itemFulfillment"):
            self._uses(source, after)

    def _uses(self, source: str, doc: Doc) -> None:
        targets = {("entity", ref_id(doc["entity"]))} | {("item", ref_id(line["item"])) for line in doc["item"]}
        rows = [(space, target, source) for space, target in targets]
        self._db.executemany("INSERT OR IGNORE INTO ns_uses VALUES (?,?,?)", rows)

    def _deleted(self, kind: str, doc: Doc) -> None:
        row: Doc = {
            "recordid": doc["id"],
            "recordtypeid": RECORD_TYPE_IDS.get(kind),
            "type": kind.lower(),
            "scriptid": kind.lower(),
            "name": self._records.title(kind, doc),
            "externalid": doc.get("externalId"),
            "deleteddate": self._records.now(),
        }
        table = BY_STORAGE["q_deletedrecord"]
        values = [_value(column, row.get(column.name)) for column in table.columns]
        self._db.execute(self._insert["q_deletedrecord"], ("deleted", *values))

    # Transactions -----------------------------------------------------------------------------------------------------

    def _order(self, doc: Doc) -> Rows:
        rows: Rows = [("q_transaction", {**self._header(doc, "SalesOrd", "salesorder", "SALESORD"), "posting": False})]
        main = self._main_line(doc)
        main["foreignamount"] = doc["total"]
        main["netamount"] = decimal(doc["total"]) * decimal(doc["exchangeRate"])
        rows.append(("q_transactionline", main))
        rate = decimal(doc["exchangeRate"])
        for number, line in enumerate(doc["item"], start=1):
            row = self._line(doc, line, number)
            amount = decimal(line["amount"])
            row |= {
                # sales are credits: what is sold stands with a minus sign in transaction lines
                "quantity": None if line.get("quantity") is None else -decimal(line["quantity"]),
                "rate": line.get("rate"),
                "rateamount": line.get("rate"),
                "foreignamount": -amount,
                "creditforeignamount": amount,
                "netamount": -amount * rate,
                "taxcode": ref_id(line.get("taxCode")),
                "taxrate1": line.get("taxRate1"),
                "tax1amt": line.get("tax1Amt"),
                "price": ref_id(line.get("price")),
                "quantitycommitted": line["quantityCommitted"],
                "quantitybackordered": line["quantityBackOrdered"],
                "quantitybilled": line["quantityBilled"],
                "quantityshiprecv": line["quantityFulfilled"],
                "quantitypicked": line["quantityPicked"],
                "quantitypacked": line["quantityPacked"],
                "isclosed": line["isClosed"],
                "isfullyshipped": line["itemIsFulfilled"],
                "fulfillable": line.get("_fulfillable", False),
                "transactiondiscount": False,
                "expectedshipdate": line.get("expectedShipDate"),
            }
            rows.append(("q_transactionline", row))
        self._sum_lines(doc, rows, len(doc["item"]))
        self._addresses(doc, rows, ("shippingAddress", "billingAddress"))
        return rows

    def _sum_lines(self, doc: Doc, rows: Rows, count: int) -> None:
        """Shipping and tax are lines of their own, numbered past the others."""
        extra = 10_000
        for name, taxline, kind in (("shippingCost", False, "SHIPPING"), ("taxTotal", True, "TAX")):
            amount = decimal(doc.get(name))
            if not amount:
                continue
            extra += 1
            count += 1
            row = self._main_line(doc)
            row |= {
                "id": extra,
                "uniquekey": int(doc["id"]) * 100_000 + extra,
                "linesequencenumber": count,
                "mainline": False,
                "taxline": taxline,
                "itemtype": "TaxItem" if taxline else "ShipItem",
                "transactionlinetype": kind,
                "foreignamount": -amount,
                "netamount": -amount * decimal(doc["exchangeRate"]),
                "item": None if taxline else ref_id(doc.get("shipMethod")),
            }
            rows.append(("q_transactionline", row))

    def _fulfilment(self, doc: Doc) -> Rows:
        shipped = ref_id(doc["shipStatus"]) == "C"
        header = self._header(doc, "ItemShip", "itemfulfillment", "ITEMSHIP")
        header["posting"] = shipped
        rows: Rows = [("q_transaction", header), ("q_transactionline", self._main_line(doc))]
        order = ref_id(doc["createdFrom"])
        cogs = len(doc["item"])
        for number, line in enumerate(doc["item"], start=1):
            row = self._line(doc, {**line, "line": number, "description": line.get("itemDescription")}, number)
            quantity = decimal(line["quantity"])
            row |= {"quantity": -quantity, "createdfrom": order, "isfullyshipped": True, "isinventoryaffecting": True}
            rows.append(("q_transactionline", row))
            link = {
                "previousdoc": order,
                "previousline": line["orderLine"],
                "previoustype": "SalesOrd",
                "nextdoc": doc["id"],
                "nextline": number,
                "nexttype": "ItemShip",
                "linktype": "ShipRcpt",
                "quantity": quantity,
                "lastmodifieddate": doc["lastModifiedDate"],
            }
            rows.append(("q_linelink", link))
            if shipped and ref_id(line.get("itemType")) == "InvtPart":
                # the other half of the posting: cost of goods sold
                cogs += 1
                other = {**row, "id": cogs, "uniquekey": int(doc["id"]) * 100_000 + cogs, "linesequencenumber": cogs}
                rows.append(("q_transactionline", {**other, "quantity": quantity, "iscogs": True}))
        link = {"previousdoc": order, "previoustype": "SalesOrd", "nextdoc": doc["id"], "nexttype": "ItemShip"}
        rows.append(("q_link", {**link, "linktype": "ShipRcpt"}))
        for number in tracking_numbers(doc):
            rows.append(("q_trackingnumbermap", {"transaction": doc["id"], "trackingnumber": self._tracking(number)}))
        for name, tracking, descr, weight, carton in PACKAGES:
            for line in lines_of(doc, name):
                package = {
                    "itemfulfillment": doc["id"],
                    "packagetrackingnumber": line.get(tracking),
                    "packagedescr": line.get(descr),
                    "packageweight": line.get(weight),
                    "packagecartonnumber": line.get(carton),
                }
                rows.append(("q_package", package))
        self._addresses(doc, rows, ("shippingAddress",))
        return rows

    def _tracking(self, number: str) -> int:
        """The id of a tracking number; it is kept once, however many shipments carry it."""
        found = self._db.execute("SELECT id FROM q_trackingnumber WHERE trackingnumber=?", (number,)).fetchone()
        if found is not None:
            return found[0]
        key = self._records.next("trackingnumber", 1)
        self._db.execute(self._insert["q_trackingnumber"], ("trackingnumber", key, number))
        return key

    def _header(self, doc: Doc, kind: str, record: str, abbreviation: str) -> Doc:
        row = flat(doc)
        total = decimal(doc.get("total"))
        row |= {
            "type": kind,
            "recordtype": record,
            "abbrevtype": abbreviation,
            "trandisplayname": f"{'Sales Order' if kind == 'SalesOrd' else 'Item Fulfillment'} #{doc['tranId']}",
            "employee": ref_id(doc.get("salesRep")),
            "foreigntotal": doc.get("total"),
            "total": total * decimal(doc["exchangeRate"]) if "total" in doc else None,
            "voided": False,
            "isreversal": False,
            "shippingaddress": _address_key(doc, "shippingAddress"),
            "billingaddress": _address_key(doc, "billingAddress"),
        }
        return row

    def _main_line(self, doc: Doc) -> Doc:
        return {
            "id": 0,
            "uniquekey": int(doc["id"]) * 100_000,
            "transaction": doc["id"],
            "linesequencenumber": 0,
            "mainline": True,
            "taxline": False,
            "iscogs": False,
            "isclosed": False,
            "donotdisplayline": False,
            "entity": ref_id(doc["entity"]),
            "subsidiary": ref_id(doc.get("subsidiary")),
            "location": ref_id(doc.get("location")),
            "department": ref_id(doc.get("department")),
            "createdfrom": ref_id(doc.get("createdFrom")),
            "memo": doc.get("memo"),
            "linelastmodifieddate": doc["lastModifiedDate"],
            "linecreateddate": doc["createdDate"],
        }

    def _line(self, doc: Doc, line: Doc, number: int) -> Doc:
        row = self._main_line(doc)
        row |= {
            "id": line["line"],
            "uniquekey": line.get("lineUniqueKey") or int(doc["id"]) * 100_000 + number,
            "linesequencenumber": number,
            "mainline": False,
            "item": ref_id(line["item"]),
            "itemtype": ref_id(line.get("itemType")),
            "location": ref_id(line.get("location")) or row["location"],
            "department": ref_id(line.get("department")) or row["department"],
            "memo": line.get("description"),
            "units": line.get("units"),
            "createdfrom": None,
        }
        return row

    def _addresses(self, doc: Doc, rows: Rows, names: tuple[str, ...]) -> None:
        for name in names:
            address = doc.get(name)
            if address:
                rows.append(("q_tranaddress", {**flat(address), "nkey": _address_key(doc, name)}))

    # Entities and items -----------------------------------------------------------------------------------------------

    def _customer(self, doc: Doc) -> Rows:
        row = flat(doc)
        name = doc.get("companyName") or " ".join(str(doc[n]) for n in ("firstName", "lastName") if doc.get(n))
        row |= {"altname": name, "entitytitle": doc["entityId"]}
        rows: Rows = [("q_customer", row), ("q_entity", self._entity(doc, "customer", name))]
        for line in lines_of(doc, "addressBook"):
            entry = {**flat(line), "internalid": line["id"], "entity": doc["id"], "addressbookaddress": line["id"]}
            rows.append(("q_addressbook", entry))
            for flag, column in (
                ("defaultBilling", "defaultbillingaddress"),
                ("defaultShipping", "defaultshippingaddress"),
            ):
                if line[flag]:
                    row[column] = line["id"]
            rows.append(("q_entityaddress", _entity_address(doc, line)))
        return rows

    def _contact(self, doc: Doc) -> Rows:
        rows: Rows = [("q_contact", {**flat(doc), "entitytitle": doc["entityId"]})]
        rows.append(("q_entity", self._entity(doc, "contact", doc["entityId"])))
        rows += [("q_entityaddress", _entity_address(doc, line)) for line in lines_of(doc, "addressBook")]
        return rows

    def _employee(self, doc: Doc) -> Rows:
        return [("q_employee", flat(doc)), ("q_entity", self._entity(doc, "employee", doc["entityId"]))]

    def _entity(self, doc: Doc, kind: str, name: str) -> Doc:
        row = flat(doc)
        return {**row, "type": ENTITY_TYPES[kind], kind: doc["id"], "altname": name, "entitytitle": doc["entityId"]}

    def _item(self, doc: Doc) -> Rows:
        row = flat(doc)
        row |= {
            "fullname": doc["itemId"],
            "description": doc.get("salesDescription") or doc.get("description"),
            "totalquantityonhand": doc.get("quantityOnHand"),
            "subtype": "Sale" if ref_id(doc["itemType"]) in ("NonInvtPart", "Service") else None,
        }
        rows: Rows = [("q_item", row)]
        rows += [("q_itemlocation", {**flat(line), "item": doc["id"]}) for line in lines_of(doc, "locations")]
        for line in lines_of(doc, "price"):
            price = {
                "item": doc["id"],
                "pricelevel": ref_id(line.get("priceLevel")),
                "currency": ref_id(line.get("currencyPage")),
                "quantity": 0,
                "unitprice": line.get("price"),
            }
            rows.append(("q_pricing", price))
        for line in lines_of(doc, "member"):
            member = {"parentitem": doc["id"], "item": ref_id(line["item"]), "quantity": line.get("quantity", 1)}
            rows.append(("q_member", member))
        return rows


def flat(doc: Doc) -> Doc:
    """Members by lower-case name, references and enumerations as their ids; lines and subrecords are left out."""
    row: Doc = {}
    for name, value in doc.items():
        if is_array(value) or name.startswith("_"):
            continue
        row[name.lower()] = ref_id(value) if is_object(value) and "id" in value else value
    return {name: value for name, value in row.items() if not is_object(value)}


def _plain(storage: str) -> Callable[[Doc], Rows]:
    return lambda doc: [(storage, flat(doc))]


def _address_key(doc: Doc, name: str) -> int | None:
    # one number per transaction and use; addresses of the address book have numbers far below
    return int(doc["id"]) * 10 + (1 if name == "shippingAddress" else 2) + 1_000_000 if doc.get(name) else None


def _entity_address(doc: Doc, line: Doc) -> Doc:
    address: Doc = line.get("addressBookAddress") or {}
    row = flat(address)
    return {**row, "nkey": line["id"], "recordowner": doc["id"], "dropdownstate": row.get("state")}


def _insert_sql(table: SqlTable) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join("?" * (len(table.columns) + 1))
    return f"INSERT INTO {table.storage} (src, {names}) VALUES ({marks})"  # noqa: S608  # names of the catalogue


def _value(column: Column, value: Any) -> str | int | float | None:  # noqa: PLR0911  # a table of cases
    """A member as the column holds it; an empty string is NULL, as in Oracle."""
    if value is None or value == "":
        return None
    match column.kind:
        case "b":
            return "T" if value is True or value == "T" else "F"
        case "d":
            return f"{DATE_MARK}{str(value)[:10]} 00:00:00"
        case "t":
            return f"{DATE_MARK}{str(value)[:10]} {str(value)[11:19]}"
        case "i":
            text = str(value)
            return int(text) if text.lstrip("-").isdigit() else None
        case "n":
            return float(value) if isinstance(value, Decimal | int | float) else float(str(value))
        case _:
            text = str(value)
            return text.lstrip(DATE_MARK) if is_date(text) else text
