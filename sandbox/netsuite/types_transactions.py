"""Record types: sales orders and item fulfilments. Transactions share one sequence of internal ids.

Names and kinds of fields: REST API Browser 2026.1. Status letters: salesOrder A to H, itemFulfillment A to C.
"""

from __future__ import annotations

from sandbox.netsuite.schema import ADDRESS, STAMPS, SYSTEM, RecordType, enum, many, ref, sublist, subrecord
from sandbox.netsuite.types_items import ITEM_TYPE_LABELS, SOLD

ORDER_STATUS = {
    "A": "Pending Approval",
    "B": "Pending Fulfillment",
    "C": "Cancelled",
    "D": "Partially Fulfilled",
    "E": "Pending Billing/Partially Fulfilled",
    "F": "Pending Billing",
    "G": "Billed",
    "H": "Closed",
}
SHIP_STATUS = {"A": "Picked", "B": "Packed", "C": "Shipped"}
SOURCES = {"restWebServices": "REST Web Services", "webServices": "Web Services", "CSV": "CSV"}
COMMIT = {"1": "Available Qty", "2": "Complete Qty", "3": "Do Not Commit"}

ORDER_LINE = sublist(
    "item",
    "line",
    *many("integer", "line"),
    *many("string", "lineUniqueKey", readonly=True),
    ref("item", *SOLD),
    enum("itemType", ITEM_TYPE_LABELS, readonly=True),
    *many(
        "string",
        "description units options giftCertFrom giftCertMessage giftCertNumber giftCertRecipientEmail"
        " giftCertRecipientName",
    ),
    *many("number", "quantity rate amount tax1Amt"),
    *many("number", "grossAmt taxRate1 taxAmount baseAmount", readonly=True),
    ref("taxCode", "salesTaxItem"),
    ref("price", "priceLevel"),
    ref("location", "location"),
    ref("department", "department"),
    ref("shipMethod", "shipItem"),
    enum("commitInventory", COMMIT),
    *many("boolean", "isClosed isTaxable"),
    *many("boolean", "itemIsFulfilled linked isOpen", readonly=True),
    *many(
        "number",
        "quantityAvailable quantityBackOrdered quantityBilled quantityCommitted quantityFulfilled quantityOnHand"
        " quantityPacked quantityPicked",
        readonly=True,
    ),
    *many("date", "expectedShipDate requestedDate"),
)

SALES_ORDER = RecordType(
    "salesOrder",
    (
        *SYSTEM,
        ref("entity", "customer", label="Customer"),
        *many("string", "tranId otherRefNum memo message email vatRegNum"),
        *many("string", "transactionNumber shipAddress billAddress linkedTrackingNumbers", readonly=True),
        *many("date", "tranDate shipDate startDate endDate dueDate salesEffectiveDate"),
        *many("date", "actualShipDate", readonly=True),
        *many("datetime", "createdDate", readonly=True),
        *STAMPS,
        enum("orderStatus", ORDER_STATUS),
        enum("status", ORDER_STATUS, readonly=True),
        enum("source", SOURCES, readonly=True),
        ref("subsidiary", "subsidiary"),
        ref("currency", "currency"),
        *many("number", "exchangeRate"),
        ref("location", "location"),
        ref("department", "department"),
        ref("terms", "term"),
        ref("salesRep", "employee"),
        ref("shipMethod", "shipItem"),
        ref("discountItem", "discountItem"),
        *many("string", "discountRate"),
        *many("number", "shippingCost handlingCost"),
        ref("shippingTaxCode", "salesTaxItem"),
        ref("handlingTaxCode", "salesTaxItem"),
        ref("taxItem", "salesTaxItem"),
        *many(
            "number",
            "subtotal discountTotal taxTotal total giftCertApplied altShippingCost altHandlingCost shippingTax1Rate"
            " handlingTax1Rate shippingTaxAmount handlingTaxAmount taxRate",
            readonly=True,
        ),
        *many("boolean", "isTaxable shipComplete toBeEmailed toBePrinted toBeFaxed shipIsResidential"),
        ref("billAddressList"),
        ref("shipAddressList"),
        subrecord("billingAddress", *ADDRESS),
        subrecord("shippingAddress", *ADDRESS),
        ORDER_LINE,
        sublist(
            "giftCertRedemption", "authCode", ref("authCode", "giftCertificate"), *many("number", "authCodeApplied")
        ),
    ),
    space="transaction",
    title="tranId",
)

FULFILMENT_LINE = sublist(
    "item",
    "orderLine",
    *many("integer", "orderLine"),
    *many("integer", "orderDoc line", readonly=True),
    ref("item", *SOLD, readonly=True),
    *many("string", "itemName itemDescription units lineUniqueKey", readonly=True),
    enum("itemType", ITEM_TYPE_LABELS, readonly=True),
    *many("boolean", "itemReceive"),
    *many("number", "quantity"),
    *many("number", "quantityRemaining onHand", readonly=True),
    ref("location", "location"),
)


def _packages(name: str, suffix: str) -> tuple[str, str, str, str, str]:
    return (
        name,
        f"packageTrackingNumber{suffix}",
        f"packageDescr{suffix}",
        f"packageWeight{suffix}",
        f"packageCartonNumber{suffix}",
    )


PACKAGES = (
    _packages("package", ""),
    _packages("packageUps", "Ups"),
    _packages("packageFedex", "Fedex"),
    _packages("packageUsps", "Usps"),
)

ITEM_FULFILLMENT = RecordType(
    "itemFulfillment",
    (
        *SYSTEM,
        ref("createdFrom", "salesOrder", label="Created From"),
        ref("entity", "customer", readonly=True),
        *many("string", "tranId memo shipCompany shipPhone"),
        *many("string", "transactionNumber shipAddress", readonly=True),
        *many("integer", "orderId", readonly=True),
        *many("string", "orderType", readonly=True),
        *many("date", "tranDate shippedDate packedDate pickedDate"),
        *many("datetime", "createdDate", readonly=True),
        *STAMPS,
        enum("shipStatus", SHIP_STATUS),
        enum("status", SHIP_STATUS, readonly=True),
        enum("shipCarrier", {"nonups": "FedEx/USPS/More", "ups": "UPS"}),
        ref("shipMethod", "shipItem"),
        ref("subsidiary", "subsidiary", readonly=True),
        ref("currency", "currency", readonly=True),
        ref("location", "location"),
        ref("department", "department"),
        *many("number", "exchangeRate", readonly=True),
        *many("number", "shippingCost handlingCost"),
        subrecord("shippingAddress", *ADDRESS),
        FULFILMENT_LINE,
        *(
            sublist(
                name,
                "id",
                *many("integer", "id", readonly=True),
                *many("string", f"{tracking} {descr}"),
                *many("number", weight),
                *many("integer", carton),
            )
            for name, tracking, descr, weight, carton in PACKAGES
        ),
    ),
    space="transaction",
    title="tranId",
)
TRANSACTIONS = (SALES_ORDER, ITEM_FULFILLMENT)
