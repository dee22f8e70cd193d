"""Record types: customers and other entities, and the lists of an account's set-up.

Names and kinds of fields: REST API Browser 2026.1.
"""

from __future__ import annotations

from sandbox.netsuite.schema import (
    ADDRESS,
    STAMPS,
    SYSTEM,
    Field,
    RecordType,
    enum,
    many,
    ref,
    sublist,
    subrecord,
)

EMAIL_PREFERENCE = "DEFAULT HTML PDF"
STAGES = {"CUSTOMER": "Customer", "LEAD": "Lead", "PROSPECT": "Prospect"}

ADDRESS_BOOK = sublist(
    "addressBook",
    "id",
    *many("integer", "id internalId", readonly=True),
    *many("string", "addressId addressBookAddress_text", readonly=True),
    *many("string", "label"),
    *many("boolean", "defaultBilling defaultShipping isResidential"),
    subrecord("addressBookAddress", *ADDRESS),
)
CURRENCY_LIST = sublist(
    "currencyList",
    "currency",
    ref("currency", "currency"),
    *many("string", "displaySymbol symbolPlacement"),
    *many("number", "balance consolBalance depositBalance overdueBalance unbilledOrders", readonly=True),
)

CUSTOMER = RecordType(
    "customer",
    (
        *SYSTEM,
        *many(
            "string",
            "entityId companyName firstName middleName lastName salutation title printOnCheckAs email altEmail phone"
            " altPhone mobilePhone homePhone fax url comments accountNumber resaleNumber vatRegNumber"
            " thirdPartyAcct thirdPartyZipCode",
        ),
        *many("string", "defaultAddress defaultShippingAddress", readonly=True),
        *many(
            "boolean",
            "isPerson isInactive autoName emailTransactions faxTransactions printTransactions giveAccess shipComplete"
            " taxable isBudgetApproved overrideCurrencyFormat sendEmail",
        ),
        *many("number", "creditLimit estimatedBudget openingBalance defaultOrderPriority"),
        *many(
            "number",
            "balance consolBalance overdueBalance consolOverdueBalance unbilledOrders consolUnbilledOrders"
            " depositBalance consolDepositBalance",
            readonly=True,
        ),
        *many("integer", "reminderDays"),
        *many("integer", "daysOverdue consolDaysOverdue", readonly=True),
        *many("date", "startDate endDate openingBalanceDate"),
        *many("date", "firstOrderDate firstSaleDate lastOrderDate lastSaleDate", readonly=True),
        *many("datetime", "dateCreated", readonly=True),
        *STAMPS,
        enum("emailPreference", EMAIL_PREFERENCE),
        enum("searchStage", STAGES, readonly=True),
        enum("language", "en_US en_GB en_CA en_AU de_DE fr_FR fr_CA es_ES it_IT nl_NL ja_JP"),
        enum("globalSubscriptionStatus", "1 2 3 4"),
        ref("subsidiary", "subsidiary", label="Primary Subsidiary"),
        ref("currency", "currency", label="Primary Currency"),
        ref("terms", "term"),
        ref("parent", "customer"),
        ref("salesRep", "employee"),
        ref("taxItem", "salesTaxItem"),
        ref("defaultTaxCode", "salesTaxItem"),
        ref("priceLevel", "priceLevel"),
        ref("entityStatus", "customerStatus"),
        ref("category", "customerCategory"),
        ref("shippingItem", "shipItem"),
        ADDRESS_BOOK,
        CURRENCY_LIST,
    ),
    space="entity",
    title="entityId",
)

RELATIONSHIP = RecordType(
    "customerSubsidiaryRelationship",
    (
        *SYSTEM,
        ref("entity", "customer", label="Customer"),
        ref("subsidiary", "subsidiary", label="Subsidiary"),
        ref("primaryCurrency", "currency"),
        *many("boolean", "isPrimarySub", readonly=True),
        *many("string", "name", readonly=True),
        *many("number", "balance depositBalance unbilledOrders", readonly=True),
        *STAMPS,
    ),
    space="customerSubsidiaryRelationship",
)

CONTACT = RecordType(
    "contact",
    (
        *SYSTEM,
        *many(
            "string",
            "entityId salutation firstName middleName lastName title email altEmail phone officePhone mobilePhone"
            " homePhone fax comments",
        ),
        *many("boolean", "isInactive isPrivate"),
        *many("datetime", "dateCreated", readonly=True),
        *STAMPS,
        ref("company", "customer"),
        ref("subsidiary", "subsidiary", label="Subsidiary"),
        ref("supervisor", "contact"),
        ADDRESS_BOOK,
    ),
    space="entity",
    title="entityId",
)

EMPLOYEE = RecordType(
    "employee",
    (
        *SYSTEM,
        *many("string", "entityId firstName middleName lastName title email phone mobilePhone comments"),
        *many("boolean", "isInactive isSalesRep giveAccess"),
        *many("date", "hireDate releaseDate birthDate"),
        *many("datetime", "dateCreated", readonly=True),
        *STAMPS,
        ref("subsidiary", "subsidiary", label="Subsidiary"),
        ref("department", "department"),
        ref("location", "location"),
        ref("supervisor", "employee"),
        ref("currency", "currency"),
    ),
    space="entity",
    title="entityId",
)


def _list(name: str, *fields: Field, title: str = "name", settable: bool = True) -> RecordType:
    own = (*SYSTEM, *many("boolean", "isInactive"), *fields, *STAMPS)
    return RecordType(name, own, space=name, title=title, settable=settable)


SUBSIDIARY = _list(
    "subsidiary",
    *many("string", "name legalName email url tranPrefix fullName federalIdNumber"),
    *many("boolean", "isElimination"),
    ref("currency", "currency"),
    ref("parent", "subsidiary"),
    Field("country", "enum"),
    subrecord("mainAddress", *ADDRESS),
    subrecord("shippingAddress", *ADDRESS),
    settable=False,
)
LOCATION = _list(
    "location",
    *many("string", "name fullName tranPrefix"),
    *many("boolean", "makeInventoryAvailable makeInventoryAvailableStore useBins"),
    ref("subsidiary", "subsidiary"),
    ref("parent", "location"),
    subrecord("mainAddress", *ADDRESS),
)
CURRENCY = _list(
    "currency",
    *many("string", "name symbol displaySymbol formatSample"),
    *many("number", "exchangeRate"),
    *many("integer", "currencyPrecision"),
    *many("boolean", "isBaseCurrency isAnchorCurrency includeInFxRateUpdates"),
    settable=False,
)
DEPARTMENT = _list(
    "department", *many("string", "name fullName"), *many("boolean", "includeChildren"), ref("parent", "department")
)
TERM = _list("term", *many("string", "name"), *many("integer", "daysUntilNetDue"), *many("number", "discountPercent"))
TAX_TYPE = _list("taxType", *many("string", "name description"), Field("country", "enum"), settable=False)
SALES_TAX_ITEM = RecordType(
    "salesTaxItem",
    (
        *SYSTEM,
        *many("string", "itemId displayName description city county zip name"),
        *many("number", "rate"),
        *many("boolean", "isInactive isDefault exempt export ecCode reverseCharge service includeChildren"),
        *many("date", "effectiveFrom validUntil"),
        enum("available", {"SALE": "Sales Transactions", "PURCHASE": "Purchase Transactions", "BOTH": "Both"}),
        Field("nexusCountry", "enum"),
        ref("taxType", "taxType"),
        sublist("subsidiary", "id", *many("string", "id refName")),
    ),
    space="taxItem",
    title="itemId",
)
PRICE_LEVEL = _list("priceLevel", *many("string", "name"), *many("number", "discountPct"), settable=False)
CUSTOMER_STATUS = _list("customerStatus", *many("string", "name"), *many("integer", "probability"), settable=False)
CUSTOMER_CATEGORY = _list("customerCategory", *many("string", "name"))

ENTITIES = (CUSTOMER, RELATIONSHIP, CONTACT, EMPLOYEE)
LISTS = (
    SUBSIDIARY,
    LOCATION,
    CURRENCY,
    DEPARTMENT,
    TERM,
    TAX_TYPE,
    SALES_TAX_ITEM,
    PRICE_LEVEL,
    CUSTOMER_STATUS,
    CUSTOMER_CATEGORY,
)
