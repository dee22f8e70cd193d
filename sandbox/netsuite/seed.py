"""The company's data as NetSuite holds it: subsidiaries, lists, items with stock and prices, customers.

Internal ids are handed out in a fixed order, so the same seed gives the same ids.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.core.company import Address, Company, Item, Person
from sandbox.netsuite.records import Doc, Records
from sandbox.netsuite.service import Service
from sandbox.netsuite.types import TYPES

ITEM_KINDS = {
    "inventory": "inventoryItem",
    "non_inventory": "nonInventorySaleItem",
    "service": "serviceSaleItem",
    "kit": "kitItem",
    "gift_card": "giftCertificateItem",
}
TAX_TYPES = {"US": "Sales Tax", "CA": "GST", "DE": "VAT DE", "FR": "VAT FR"}
TERMS = (("Net 15", 15), ("Net 30", 30), ("Net 60", 60), ("Due on receipt", 0))
STATUSES = (("13", "CUSTOMER-Closed Won"), ("6", "LEAD-Unqualified"), ("7", "LEAD-Qualified"))
SHIP_ITEMS = (
    ("Standard", "nonups"),
    ("Express", "nonups"),
    ("UPS Ground", "ups"),
    ("DHL Paket", "nonups"),
)
DISCOUNTS = (
    ("Line Discount", None),
    ("Order Discount", None),
    ("10% Off", "-10%"),
    ("Rounding", None),
)
# sold like a service: what stands on a line of its own that is no article
CHARGES = (("Shipping", "Shipping and handling"),)
# shop carts have tax on shipping; an exempt code stands for "no tax here"
EXEMPT = ("US-EXEMPT", "Exempt", Decimal(0), "US")


class Seeder:
    """Fills an empty account."""

    def __init__(self, service: Service, company: Company) -> None:
        self._service = service
        self._records: Records = service.records
        self._company = company
        self._ids: dict[tuple[str, str], str] = {}

    def fill(self) -> None:
        """Everything the company has, without orders."""
        self._lists()
        for item in self._company.items:
            if item.in_erp and item.kind != "kit":
                self._item(item)
        for item in self._company.items:
            if item.in_erp and item.kind == "kit":
                self._item(item)
        for name, title in CHARGES:
            doc: Doc = {
                "itemId": name,
                "displayName": title,
                "externalId": name,
                "isTaxable": True,
                "isFulfillable": False,
            }
            doc["subsidiary"] = [self._ref("subsidiary", s.code) for s in self._company.subsidiaries]
            self._service.create(TYPES["serviceSaleItem"], doc)
        for person in self._company.people:
            self._customer(person)

    def _put(self, kind: str, code: str, doc: Doc, key: str | None = None) -> str:
        """Keep a list entry as it is, without the rules that callers meet."""
        record = TYPES[kind]
        doc = {"id": key or self._records.new_id(record), "isInactive": False, **doc}
        doc["lastModifiedDate"] = self._records.now()
        self._records.put(kind, doc, None)
        self._ids[(kind, code)] = doc["id"]
        return doc["id"]

    def _ref(self, kind: str, code: str) -> dict[str, str]:
        return {"id": self._ids[(kind, code)]}

    def _lists(self) -> None:
        company = self._company
        for currency in company.currencies:
            base = currency.code == company.currencies[0].code
            doc: Doc = {
                "name": currency.name,
                "symbol": currency.code,
                "displaySymbol": currency.symbol,
                "exchangeRate": currency.usd,
                "currencyPrecision": currency.exponent,
                "isBaseCurrency": base,
                "isAnchorCurrency": base,
            }
            self._put("currency", currency.code, doc)
        parent: str | None = None
        for subsidiary in company.subsidiaries:
            doc = {
                "name": subsidiary.name,
                "legalName": subsidiary.name,
                "fullName": subsidiary.name,
                "currency": self._ref("currency", subsidiary.currency),
                "country": {"id": subsidiary.country},
                "isElimination": False,
                "externalId": subsidiary.code,
                "mainAddress": _address(subsidiary.address, subsidiary.name),
            }
            if parent is not None:
                doc["parent"] = {"id": parent}
            key = self._put("subsidiary", subsidiary.code, doc)
            parent = parent or key
        for location in company.locations:
            doc = {
                "name": location.name,
                "fullName": location.name,
                "externalId": location.code,
                "subsidiary": self._ref("subsidiary", location.subsidiary),
                "makeInventoryAvailable": True,
                "mainAddress": _address(location.address, location.name),
            }
            self._put("location", location.code, doc)
        for key, name in (("-1", "Custom"), ("1", "Base Price"), ("2", "Wholesale"), ("5", "Online Price")):
            self._put("priceLevel", name, {"name": name}, key)
        for key, name in STATUSES:
            self._put("customerStatus", name, {"name": name}, key)
        for name, days in TERMS:
            self._put("term", name, {"name": name, "daysUntilNetDue": days})
        for name in ("Sales", "Warehouse", "Finance"):
            self._put("department", name, {"name": name, "fullName": name, "includeChildren": False})
        for name in ("Consumer", "Business"):
            self._put("customerCategory", name, {"name": name})
        self._taxes()
        for name, carrier in SHIP_ITEMS:
            doc = {"itemId": name, "displayName": name, "carrier": {"id": carrier}, "externalId": name}
            self._service.create(TYPES["shipItem"], doc)
        for name, rate in DISCOUNTS:
            doc = {"itemId": name, "displayName": name, "externalId": name}
            if rate is not None:
                doc["rate"] = rate
            self._service.create(TYPES["discountItem"], doc)

    def _taxes(self) -> None:
        for country, name in TAX_TYPES.items():
            self._put("taxType", country, {"name": name, "country": {"id": country}})
        codes = [(c.code, c.title, c.rate, c.country, c.province, c.subsidiary) for c in self._company.tax_codes]
        code, title, rate, country = EXEMPT
        codes.append((code, title, rate, country, None, "US"))
        for code, title, rate, country, province, subsidiary in codes:
            doc: Doc = {
                "itemId": code,
                "displayName": code,
                "description": title,
                "externalId": code,
                "rate": (rate * 100).normalize(),
                "available": {"id": "BOTH"},
                "exempt": rate == 0,
                "nexusCountry": {"id": country},
                "taxType": self._ref("taxType", country),
                "subsidiary": [self._ref("subsidiary", subsidiary)],
            }
            if province is not None:
                doc["state"] = province
            self._put("salesTaxItem", code, doc)

    def _item(self, item: Item) -> None:
        kind = ITEM_KINDS[item.kind]
        doc: Doc = {
            "itemId": item.sku,
            "displayName": f"{item.title} {item.variant}",
            "salesDescription": f"{item.title} {item.variant}",
            "upcCode": item.barcode,
            "externalId": item.sku,
            "isTaxable": item.kind != "gift_card",
            "isInactive": not item.active,
            "weight": item.grams,
            "weightUnit": "g",
            "vendorName": item.vendor,
            "price": [
                {"currencyPage": self._ref("currency", code), "priceLevel": {"id": "1"}, "price": price}
                for code, price in item.prices.items()
            ],
            "subsidiary": [self._ref("subsidiary", s.code) for s in self._company.subsidiaries],
        }
        if item.kind == "inventory":
            doc["locations"] = [
                {"location": self._ref("location", code), "quantityOnHand": pieces}
                for code, pieces in item.stock.items()
            ]
        if item.components:
            doc["member"] = [
                {"item": self._ref("item", sku), "quantity": pieces} for sku, pieces in item.components.items()
            ]
        self._ids[("item", item.sku)] = self._service.create(TYPES[kind], doc)

    def _customer(self, person: Person) -> None:
        store = next(s for s in self._company.stores if s.subdomain == person.store)
        currencies = (store.currency, *store.presentment)
        doc: Doc = {
            "isPerson": person.company is None,
            "email": person.email,
            "phone": person.phone,
            "subsidiary": self._ref("subsidiary", store.subsidiary),
            "currency": self._ref("currency", person.currency),
            "currencyList": [{"currency": self._ref("currency", code)} for code in currencies],
            "addressBook": [
                {
                    "label": person.address.address1,
                    "defaultBilling": True,
                    "defaultShipping": True,
                    "addressBookAddress": _address(person.address, person.name),
                }
            ],
        }
        if person.company is None:
            doc |= {"firstName": person.first_name, "lastName": person.last_name}
        else:
            doc |= {"companyName": person.company, "terms": self._ref("term", "Net 30")}
        self._service.create(TYPES["customer"], doc)


def _address(address: Address, addressee: str) -> Doc:
    doc: Doc = {
        "addressee": addressee,
        "addr1": address.address1,
        "city": address.city,
        "zip": address.zip,
        "country": {"id": address.country},
    }
    if address.address2:
        doc["addr2"] = address.address2
    if address.province:
        doc["state"] = address.province
    return doc
