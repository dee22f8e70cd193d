"""Rules of customers, contacts, employees and of which subsidiaries a customer may buy from."""

from __future__ import annotations

from typing import Any

from sandbox.netsuite.errors import bad_reference, duplicate, missing, user_error
from sandbox.netsuite.reading import country_name
from sandbox.netsuite.records import Doc, Records, lines_of, ref_id
from sandbox.netsuite.types import TYPES

PREFIX = {"customer": "CUS", "employee": "EMP"}
CUSTOMER_WON = "13"  # "CUSTOMER-Closed Won", the status new customers get


class Entities:
    """Completes and checks an entity before it is kept, and keeps its relationships in step afterwards."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def before_save(self, kind: str, doc: Doc, before: Doc | None) -> None:
        if kind == "customerSubsidiaryRelationship":
            self._relationship(doc, before)
            return
        if kind == "customer":
            self._customer(doc, before)
        elif kind == "contact":
            self._contact(doc)
        elif kind == "employee":
            self._named_person(doc)
        self._addresses(doc)
        doc.setdefault("isInactive", False)
        if before is None:
            doc["dateCreated"] = self._records.now()
        if not doc.get("entityId"):
            number = self._records.next("number:entity", 1000)
            doc["entityId"] = f"{PREFIX[kind]}{number}" if kind in PREFIX else _person_name(doc)
        if kind == "customer":
            self._unique_name(doc)

    def after_save(self, kind: str, doc: Doc, before: Doc | None) -> None:
        """A customer's primary subsidiary is a relationship record of its own."""
        if kind != "customer":
            return
        subsidiary = ref_id(doc.get("subsidiary"))
        for relation in self._records.find("customerSubsidiaryRelationship", "entity", doc["id"]):
            if not relation.get("isPrimarySub"):
                if ref_id(relation["subsidiary"]) == subsidiary:
                    self._records.remove("customerSubsidiaryRelationship", relation)
                continue
            if ref_id(relation["subsidiary"]) == subsidiary and before is not None:
                return
            self._records.remove("customerSubsidiaryRelationship", relation)
        record = TYPES["customerSubsidiaryRelationship"]
        relation: Doc = {
            "id": self._records.new_id(record),
            "entity": {"id": doc["id"]},
            "subsidiary": doc["subsidiary"],
            "primaryCurrency": doc["currency"],
            "isPrimarySub": True,
            "name": doc["entityId"],
            "lastModifiedDate": self._records.now(),
        }
        self._records.put(record.name, relation, None)

    def subsidiaries(self, customer: str) -> set[str]:
        """Ids of the subsidiaries this customer may buy from."""
        relations = self._records.find("customerSubsidiaryRelationship", "entity", customer)
        return {ref_id(relation["subsidiary"]) or "" for relation in relations}

    def _customer(self, doc: Doc, before: Doc | None) -> None:
        doc.setdefault("isPerson", False)
        if doc["isPerson"]:
            lacking = [n for n, f in (("First Name", "firstName"), ("Last Name", "lastName")) if not doc.get(f)]
        else:
            lacking = [] if doc.get("companyName") else ["Company Name"]
        if not doc.get("subsidiary"):
            lacking.append("Primary Subsidiary")
        if lacking:
            raise missing(*lacking)
        subsidiary = self._records.get("subsidiary", ref_id(doc["subsidiary"]) or "")
        if subsidiary is None or subsidiary.get("isInactive"):
            raise bad_reference(ref_id(doc["subsidiary"]) or "", "subsidiary", "subsidiary")
        doc.setdefault("currency", subsidiary["currency"])
        defaults: Doc = {
            "emailPreference": {"id": "DEFAULT"},
            "searchStage": {"id": "CUSTOMER"},
            "entityStatus": {"id": CUSTOMER_WON},
            "globalSubscriptionStatus": {"id": "1"},
            "language": {"id": "en_US"},
            "emailTransactions": False,
            "printTransactions": False,
            "faxTransactions": False,
            "shipComplete": False,
        }
        for name, value in defaults.items():
            doc.setdefault(name, value)
        self._currencies(doc)
        if before is None:
            for name in ("balance", "overdueBalance", "depositBalance", "unbilledOrders"):
                doc[name] = 0

    def _currencies(self, doc: Doc) -> None:
        """The primary currency is always one of the list."""
        lines: list[Doc] = lines_of(doc, "currencyList")
        primary = ref_id(doc["currency"])
        if primary not in [ref_id(line.get("currency")) for line in lines]:
            lines = [{"currency": {"id": primary}}, *lines]
        for number, line in enumerate(lines):
            currency = self._records.get("currency", ref_id(line.get("currency")) or "")
            if currency is None:
                raise missing("Currency")
            if currency.get("isInactive"):
                raise bad_reference(currency["id"], "currency", f"currencyList.items[{number}].currency")
            line["displaySymbol"] = currency.get("displaySymbol", currency["symbol"])
        doc["currencyList"] = lines

    def _unique_name(self, doc: Doc) -> None:
        for other in self._records.find("customer", "entityId", doc["entityId"]):
            if other["id"] != doc["id"]:
                raise duplicate()

    def _contact(self, doc: Doc) -> None:
        self._named_person(doc)
        company = self._records.get("customer", ref_id(doc.get("company")) or "")
        if company is not None:
            doc.setdefault("subsidiary", company["subsidiary"])
        if not doc.get("subsidiary"):
            raise missing("Subsidiary")

    def _named_person(self, doc: Doc) -> None:
        if not doc.get("entityId") and not (doc.get("firstName") or doc.get("lastName")):
            raise missing("Name")

    def _relationship(self, doc: Doc, before: Doc | None) -> None:
        lacking = [n for n, f in (("Customer", "entity"), ("Subsidiary", "subsidiary")) if not doc.get(f)]
        if lacking:
            raise missing(*lacking)
        customer = ref_id(doc["entity"]) or ""
        others = {r["id"]: r for r in self._records.find("customerSubsidiaryRelationship", "entity", customer)}
        others.pop(doc.get("id", ""), None)
        if ref_id(doc["subsidiary"]) in [ref_id(r["subsidiary"]) for r in others.values()]:
            raise user_error("This customer subsidiary relationship already exists.", "subsidiary")
        owner = self._records.get("customer", customer)
        if owner is not None:
            doc.setdefault("primaryCurrency", owner["currency"])
            doc["name"] = owner["entityId"]
        if before is None:
            doc["isPrimarySub"] = False

    def _addresses(self, doc: Doc) -> None:
        lines: list[Doc] = lines_of(doc, "addressBook")
        for line in lines:
            if "id" not in line:
                number = self._records.next("address", 1)
                line["id"] = line["internalId"] = number
                line["addressId"] = str(number)
            line.setdefault("isResidential", False)
            line.setdefault("defaultBilling", False)
            line.setdefault("defaultShipping", False)
            address: Doc = line.get("addressBookAddress") or {}
            complete_address(address)
            if address:
                line["addressBookAddress"] = address
                line["addressBookAddress_text"] = address["addrText"]
                line.setdefault("label", address.get("addr1") or address.get("addressee") or "Address")
        for flag, shown in (("defaultBilling", "defaultAddress"), ("defaultShipping", "defaultShippingAddress")):
            chosen = [line for line in lines if line[flag]]
            for line in chosen[:-1]:
                line[flag] = False  # the last one set wins, as in the form
            text = chosen[-1].get("addressBookAddress_text") if chosen else None
            if text:
                doc[shown] = text
            else:
                doc.pop(shown, None)


def complete_address(address: Doc) -> None:
    """Write the address as one block, as it is printed."""
    if not address:
        return
    place = " ".join(str(address[n]) for n in ("city", "state", "zip") if address.get(n))
    country: Any = ref_id(address.get("country"))
    lines = [address.get(n) for n in ("attention", "addressee", "addr1", "addr2", "addr3")]
    lines += [place, country_name(country) if country else None]
    address["addrText"] = "\n".join(str(line) for line in lines if line)
    address.setdefault("override", False)


def _person_name(doc: Doc) -> str:
    return " ".join(str(doc[n]) for n in ("firstName", "lastName") if doc.get(n)) or "Unnamed"
