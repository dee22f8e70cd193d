"""Record types: items that orders are made of. All of them share one sequence of internal ids.

Names and kinds of fields: REST API Browser 2026.1.
"""

from __future__ import annotations

from sandbox.netsuite.schema import STAMPS, SYSTEM, Field, RecordType, enum, many, ref, sublist

ITEM_TYPES = {
    "inventoryItem": "InvtPart",
    "nonInventorySaleItem": "NonInvtPart",
    "serviceSaleItem": "Service",
    "kitItem": "Kit",
    "giftCertificateItem": "GiftCert",
    "discountItem": "Discount",
    "shipItem": "ShipItem",
}
ITEM_TYPE_LABELS = {
    "InvtPart": "Inventory Item",
    "NonInvtPart": "Non-inventory Item",
    "Service": "Service",
    "Kit": "Kit/Package",
    "GiftCert": "Gift Certificate",
    "Discount": "Discount",
    "ShipItem": "Shipping Cost Item",
}
SOLD = tuple(name for name in ITEM_TYPES if name != "shipItem")

PRICE = sublist(
    "price",
    "id",
    *many("string", "id", readonly=True),
    ref("currencyPage", "currency"),
    ref("priceLevel", "priceLevel"),
    *many("number", "price discountDisplay"),
    *many("string", "priceLevelName currencyName", readonly=True),
)
LOCATIONS = sublist(
    "locations",
    "location",
    ref("location", "location"),
    *many("number", "quantityOnHand preferredStockLevel reorderPoint"),
    *many("number", "quantityAvailable quantityCommitted quantityBackOrdered quantityOnOrder", readonly=True),
)
SUBSIDIARIES = sublist("subsidiary", "id", *many("string", "id refName"))


def _item(name: str, *fields: Field) -> RecordType:
    common = (
        *SYSTEM,
        *many("string", "itemId displayName description upcCode"),
        *many("boolean", "isInactive includeChildren"),
        enum("itemType", ITEM_TYPE_LABELS, readonly=True),
        *many("datetime", "createdDate", readonly=True),
        *STAMPS,
    )
    return RecordType(name, (*common, *fields), space="item", title="itemId")


_SALE = (
    *many("string", "salesDescription storeDisplayName weightUnit manufacturer vendorName"),
    *many("number", "weight cost"),
    *many("boolean", "isTaxable isOnline isFulfillable"),
    ref("salesTaxCode", "salesTaxItem"),
    ref("department", "department"),
    ref("location", "location"),
    SUBSIDIARIES,
    PRICE,
)
INVENTORY = _item(
    "inventoryItem",
    *_SALE,
    *many("number", "averageCost", readonly=True),
    *many(
        "number",
        "quantityOnHand quantityAvailable quantityCommitted quantityBackOrdered quantityOnOrder",
        readonly=True,
    ),
    *many("number", "reorderPoint preferredStockLevel"),
    *many("datetime", "lastQuantityAvailableChange", readonly=True),
    LOCATIONS,
)
NON_INVENTORY = _item("nonInventorySaleItem", *_SALE)
SERVICE = _item("serviceSaleItem", *_SALE)
KIT = _item("kitItem", *_SALE, sublist("member", "item", ref("item", *SOLD), *many("number", "quantity")))
GIFT_CERTIFICATE = _item(
    "giftCertificateItem", *_SALE, *many("integer", "daysBeforeExpiration"), ref("liabilityAccount", "account")
)
DISCOUNT = _item(
    "discountItem",
    *many("string", "rate"),
    *many("boolean", "isPreTax nonPosting"),
    SUBSIDIARIES,
)
SHIP = _item(
    "shipItem",
    *many("number", "flatRateAmount"),
    ref("taxSchedule", "salesTaxItem"),
    enum("carrier", {"nonups": "FedEx/USPS/More", "ups": "UPS"}),
    SUBSIDIARIES,
)
GIFT = RecordType(
    "giftCertificate",
    (
        *SYSTEM,
        *many("string", "giftCertCode name email sender message"),
        *many("number", "originalAmount"),
        *many("number", "amountAvailable", readonly=True),
        *many("boolean", "isActive"),
        *many("date", "expirationDate"),
        *many("datetime", "createdDate", readonly=True),
        *STAMPS,
    ),
    space="giftCertificate",
    title="giftCertCode",
)
ITEMS = (INVENTORY, NON_INVENTORY, SERVICE, KIT, GIFT_CERTIFICATE, DISCOUNT, SHIP, GIFT)
