"""The tables that SuiteQL sees: columns with their kinds, and whether BUILTIN.DF has a name for them.

Column names: rows published with fivetran/dbt_netsuite_source, and queries that integrators publish. A column that
NetSuite has and this sandbox has nothing for is listed too (`empty`), so that selecting it is not an error.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# i id or whole number, n number, s text, d date, t date with time, b boolean 'T'/'F'
ColumnKind = Literal["i", "n", "s", "d", "t", "b"]


class Column(msgspec.Struct, frozen=True):
    """df: what BUILTIN.DF shows: a record space, or `status`, or nothing (the value itself)."""

    name: str
    kind: ColumnKind
    df: str = ""


class SqlTable(msgspec.Struct, frozen=True):
    """name: as in SuiteQL, lower case. storage: where its rows are kept; several names may share it."""

    name: str
    storage: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


def _columns(*groups: tuple[ColumnKind, str], df: dict[str, str] | None = None, empty: str = "") -> tuple[Column, ...]:
    names = df or {}
    listed = [Column(name, kind, names.get(name, "")) for kind, text in groups for name in text.split()]
    known = {column.name for column in listed}
    return (*listed, *(Column(name, "s") for name in empty.split() if name not in known))


TRANSACTION_DF = {
    "entity": "entity",
    "currency": "currency",
    "subsidiary": "subsidiary",
    "status": "status",
    "type": "type",
    "terms": "term",
    "shipmethod": "item",
    "employee": "entity",
    "shippingaddress": "address",
    "billingaddress": "address",
    "source": "source",
}
LINE_DF = {
    "item": "item",
    "location": "location",
    "department": "department",
    "subsidiary": "subsidiary",
    "entity": "entity",
    "createdfrom": "transaction",
    "transaction": "transaction",
    "price": "priceLevel",
    "taxcode": "taxItem",
    "shipmethod": "item",
}
ADDRESS: tuple[tuple[ColumnKind, str], ...] = (
    ("i", "nkey recordowner"),
    ("s", "addressee attention addr1 addr2 addr3 city state dropdownstate zip country addrphone addrtext"),
    ("b", "override"),
    ("t", "lastmodifieddate"),
)
LINK = _columns(
    ("i", "previousdoc previousline nextdoc nextline"),
    ("s", "linktype previoustype nexttype"),
    ("n", "foreignamount quantity"),
    ("t", "lastmodifieddate"),
    df={"previousdoc": "transaction", "nextdoc": "transaction"},
)
QUANTITIES = _columns(
    ("i", "item location"),
    ("n", "quantityonhand quantityavailable quantitycommitted quantitybackordered quantityonorder"),
    ("n", "preferredstocklevel reorderpoint"),
    df={"item": "item", "location": "location"},
    empty="quantityintransit averagecostmli lastpurchasepricemli onhandvaluemli qtyintransitexternal",
)

TABLES = (
    SqlTable(
        "transaction",
        "q_transaction",
        _columns(
            ("i", "id entity currency subsidiary terms shipmethod employee shippingaddress billingaddress"),
            ("s", "type recordtype abbrevtype tranid transactionnumber trandisplayname externalid otherrefnum memo"),
            ("s", "email status source"),
            ("d", "trandate shipdate actualshipdate duedate startdate enddate"),
            ("t", "createddate lastmodifieddate"),
            ("n", "exchangerate foreigntotal total estgrossprofit shippingcost"),
            ("b", "voided posting shipcomplete isreversal"),
            df=TRANSACTION_DF,
            empty="closedate postingperiod reversal reversaldate memdoc createdby lastmodifiedby approvalstatus"
            " opportunity partner leadsource website trackingnumberlist shipcarrier foreignamountpaid"
            " foreignamountunpaid void customform nexus ordpicked printedpickingticket",
        ),
    ),
    SqlTable(
        "transactionline",
        "q_transactionline",
        _columns(
            ("i", "id uniquekey transaction linesequencenumber item location department subsidiary entity createdfrom"),
            ("i", "price taxcode shipmethod"),
            ("s", "itemtype memo units transactionlinetype commitinventory"),
            (
                "n",
                "quantity rate rateamount ratepercent foreignamount netamount creditforeignamount debitforeignamount",
            ),
            ("n", "quantitycommitted quantitybackordered quantitybilled quantityshiprecv quantitypicked"),
            ("n", "quantitypacked quantityrejected taxrate1 tax1amt"),
            ("b", "mainline taxline iscogs isclosed isfullyshipped fulfillable donotdisplayline transactiondiscount"),
            ("b", "isinventoryaffecting isbillable kitcomponent hasfulfillableitems dropship specialorder cleared"),
            ("t", "linelastmodifieddate linecreateddate"),
            ("d", "expectedshipdate actualshipdate"),
            df=LINE_DF,
            empty="class accountinglinetype closedate expenseaccount costestimate costestimaterate costestimatetype"
            " createdpo documentnumber eliminate estgrossprofit estimatedamount expectedreceiptdate itemsource"
            " foreignamountpaid foreignamountunpaid kitmemberof matchbilltoreceipt orderpriority requestnote"
            " revenueelement commitmentfirm billeddate blandedcost isfxvariance isrevrectransaction isscrap"
            " landedcostperline oldcommitmentfirm processedbyrevcommit inventoryreportinglocation amountlinked",
        ),
    ),
    SqlTable("previoustransactionlinelink", "q_linelink", LINK),
    SqlTable("nexttransactionlinelink", "q_linelink", LINK),
    SqlTable(
        "previoustransactionlink",
        "q_link",
        _columns(("i", "previousdoc nextdoc"), ("s", "linktype previoustype nexttype"), ("n", "foreignamount")),
    ),
    SqlTable(
        "nexttransactionlink",
        "q_link",
        _columns(("i", "previousdoc nextdoc"), ("s", "linktype previoustype nexttype"), ("n", "foreignamount")),
    ),
    SqlTable("trackingnumber", "q_trackingnumber", _columns(("i", "id"), ("s", "trackingnumber"))),
    SqlTable(
        "trackingnumbermap",
        "q_trackingnumbermap",
        _columns(("i", "transaction trackingnumber"), df={"trackingnumber": "tracking", "transaction": "transaction"}),
    ),
    SqlTable(
        "itemfulfillmentpackage",
        "q_package",
        _columns(
            ("i", "itemfulfillment packagecartonnumber"),
            ("s", "packagetrackingnumber packagedescr"),
            ("n", "packageweight"),
            df={"itemfulfillment": "transaction"},
        ),
    ),
    *(
        SqlTable(name, "q_tranaddress", _columns(*ADDRESS))
        for name in ("transactionshippingaddress", "transactionbillingaddress", "itemfulfillmentshippingaddress")
    ),
    SqlTable(
        "customer",
        "q_customer",
        _columns(
            ("i", "id currency terms parent salesrep entitystatus category pricelevel taxitem"),
            ("i", "defaultbillingaddress defaultshippingaddress"),
            ("s", "entityid entitytitle altname externalid companyname firstname middlename lastname salutation title"),
            ("s", "email altemail phone altphone mobilephone homephone fax url comments accountnumber resalenumber"),
            ("s", "searchstage emailpreference globalsubscriptionstatus language"),
            ("n", "creditlimit"),
            ("b", "isperson isinactive emailtransactions faxtransactions printtransactions shipcomplete giveaccess"),
            ("t", "datecreated lastmodifieddate"),
            ("d", "startdate enddate"),
            df={
                "currency": "currency",
                "terms": "term",
                "parent": "entity",
                "salesrep": "entity",
                "entitystatus": "customerStatus",
                "category": "customerCategory",
                "pricelevel": "priceLevel",
                "taxitem": "taxItem",
                "defaultbillingaddress": "address",
                "defaultshippingaddress": "address",
            },
            empty="alcoholrecipienttype assignedwebsite balancesearch billingratecard billingschedule billpay"
            " buyingreason buyingtimeframe campaignevent contact contactlist creditholdoverride defaultbankaccount"
            " defaultorderpriority duplicate entitynumber estimatedbudget firstorderdate firstsaledate firstvisit"
            " isbudgetapproved keywords lastorderdate lastsaledate lastvisit leadsource negativenumberformat"
            " numberformat oncredithold overduebalancesearch partner prefccprocessor printoncheckas probability"
            " receivablesaccount referrer reminderdays salesreadiness shippingcarrier shippingitem sourcewebsite"
            " territory thirdpartyacct thirdpartycarrier thirdpartycountry thirdpartyzipcode visits weblead dateclosed",
        ),
    ),
    SqlTable(
        "customersubsidiaryrelationship",
        "q_relationship",
        _columns(
            ("i", "id entity subsidiary primarycurrency"),
            ("s", "name externalid"),
            ("b", "isprimarysub isinactive"),
            ("t", "lastmodifieddate"),
            df={"entity": "entity", "subsidiary": "subsidiary", "primarycurrency": "currency"},
        ),
    ),
    SqlTable(
        "customeraddressbook",
        "q_addressbook",
        _columns(
            ("i", "internalid entity addressbookaddress"),
            ("s", "label"),
            ("b", "defaultbilling defaultshipping isresidential"),
            df={"entity": "entity", "addressbookaddress": "address"},
        ),
    ),
    SqlTable("entityaddress", "q_entityaddress", _columns(*ADDRESS)),
    SqlTable("customeraddressbookentityaddress", "q_entityaddress", _columns(*ADDRESS)),
    SqlTable(
        "contact",
        "q_contact",
        _columns(
            ("i", "id company subsidiary supervisor"),
            ("s", "entityid entitytitle externalid firstname middlename lastname salutation title email altemail"),
            ("s", "phone officephone mobilephone homephone fax comments"),
            ("b", "isinactive isprivate"),
            ("t", "datecreated lastmodifieddate"),
            df={"company": "entity", "subsidiary": "subsidiary", "supervisor": "entity"},
        ),
    ),
    SqlTable(
        "employee",
        "q_employee",
        _columns(
            ("i", "id department subsidiary supervisor currency location"),
            ("s", "entityid externalid firstname middlename lastname title email phone mobilephone"),
            ("b", "isinactive issalesrep giveaccess"),
            ("d", "hiredate releasedate birthdate"),
            ("t", "datecreated lastmodifieddate"),
            df={
                "department": "department",
                "subsidiary": "subsidiary",
                "supervisor": "entity",
                "currency": "currency",
                "location": "location",
            },
        ),
    ),
    SqlTable(
        "entity",
        "q_entity",
        _columns(
            ("i", "id customer contact employee parent"),
            ("s", "type entityid entitytitle altname externalid firstname lastname email phone"),
            ("b", "isperson isinactive"),
            ("t", "datecreated lastmodifieddate"),
        ),
    ),
    SqlTable(
        "item",
        "q_item",
        _columns(
            ("i", "id department location"),
            (
                "s",
                "itemid fullname displayname description itemtype subtype externalid upccode manufacturer vendorname",
            ),
            ("s", "weightunit rate"),
            ("n", "weight cost averagecost totalquantityonhand"),
            ("b", "isinactive isonline isfulfillable"),
            ("t", "createddate lastmodifieddate"),
            df={"department": "department", "location": "location", "itemtype": "itemtype"},
            empty="class subsidiary assetaccount expenseaccount incomeaccount gainlossaccount deferralaccount parent"
            " custreturnvarianceaccount costingmethod stockdescription storedisplayname",
        ),
    ),
    SqlTable("inventoryitemlocations", "q_itemlocation", QUANTITIES),
    SqlTable("aggregateitemlocation", "q_itemlocation", QUANTITIES),
    SqlTable(
        "pricing",
        "q_pricing",
        _columns(
            ("i", "item pricelevel currency"),
            ("n", "quantity unitprice"),
            df={"item": "item", "pricelevel": "priceLevel", "currency": "currency"},
        ),
    ),
    SqlTable(
        "kititemmember",
        "q_member",
        _columns(("i", "parentitem item"), ("n", "quantity"), df={"parentitem": "item", "item": "item"}),
    ),
    SqlTable(
        "subsidiary",
        "q_subsidiary",
        _columns(
            ("i", "id currency parent"),
            ("s", "name fullname legalname country email url externalid tranprefix"),
            ("b", "isinactive iselimination"),
            ("t", "lastmodifieddate"),
            df={"currency": "currency", "parent": "subsidiary"},
            empty="dropdownstate edition fax federalidnumber fiscalcalendar languagelocale mainaddress returnaddress"
            " shippingaddress showsubsidiaryname ssnortin state state1taxnumber",
        ),
    ),
    SqlTable(
        "currency",
        "q_currency",
        _columns(
            ("i", "id currencyprecision"),
            ("s", "name symbol displaysymbol externalid"),
            ("n", "exchangerate"),
            ("b", "isinactive isbasecurrency"),
            ("t", "lastmodifieddate"),
            empty="fxrateupdatetimezone includeinfxrateupdates overridecurrencyformat symbolplacement",
        ),
    ),
    SqlTable(
        "location",
        "q_location",
        _columns(
            ("i", "id subsidiary parent"),
            ("s", "name fullname externalid tranprefix"),
            ("b", "isinactive makeinventoryavailable makeinventoryavailablestore usebins"),
            ("t", "lastmodifieddate"),
            df={"subsidiary": "subsidiary", "parent": "location"},
            empty="defaultallocationpriority includeinsupplyplanning latitude locationtype longitude mainaddress"
            " returnaddress",
        ),
    ),
    *(
        SqlTable(
            name,
            f"q_{name}",
            _columns(
                ("i", "id parent"), ("s", "name fullname externalid"), ("b", "isinactive"), ("t", "lastmodifieddate")
            ),
        )
        for name in ("department", "term", "pricelevel", "customerstatus", "customercategory", "taxtype")
    ),
    SqlTable(
        "salestaxitem",
        "q_salestaxitem",
        _columns(
            ("i", "id taxtype"),
            ("s", "itemid name fullname description externalid state county city zip nexuscountry"),
            ("n", "rate"),
            ("b", "isinactive exempt"),
            df={"taxtype": "taxType"},
        ),
    ),
    SqlTable(
        "giftcertificate",
        "q_giftcertificate",
        _columns(
            ("i", "id"),
            ("s", "giftcertcode name email externalid"),
            ("n", "originalamount amountavailable"),
            ("b", "isactive"),
            ("t", "createddate"),
        ),
    ),
    SqlTable(
        "deletedrecord",
        "q_deletedrecord",
        _columns(("i", "recordid recordtypeid"), ("s", "type scriptid name externalid"), ("t", "deleteddate")),
    ),
)
BY_NAME = {table.name: table for table in TABLES}
SQL_TYPES = {"i": "INTEGER", "n": "REAL", "s": "TEXT", "d": "TEXT", "t": "TEXT", "b": "TEXT"}
# what queries look rows up by
SQL_INDEXES = {
    "q_transaction": ("id", "lastmodifieddate", "externalid", "tranid", "entity"),
    "q_transactionline": ("transaction", "item", "linelastmodifieddate"),
    "q_linelink": ("previousdoc", "nextdoc"),
    "q_link": ("previousdoc", "nextdoc"),
    "q_trackingnumber": ("id", "trackingnumber"),
    "q_trackingnumbermap": ("transaction",),
    "q_package": ("itemfulfillment",),
    "q_tranaddress": ("nkey",),
    "q_customer": ("id", "email", "externalid", "entityid", "lastmodifieddate"),
    "q_relationship": ("entity",),
    "q_addressbook": ("entity",),
    "q_entityaddress": ("nkey", "recordowner"),
    "q_contact": ("id", "company", "email"),
    "q_entity": ("id", "email", "externalid"),
    "q_item": ("id", "itemid", "externalid", "lastmodifieddate"),
    "q_itemlocation": ("item",),
    "q_pricing": ("item",),
}


def ddl() -> str:
    """CREATE statements for all storages. `src` is the record that a row was projected from."""
    statements: list[str] = []
    done: set[str] = set()
    for table in TABLES:
        if table.storage in done:
            continue
        done.add(table.storage)
        columns = ", ".join(f'"{c.name}" {SQL_TYPES[c.kind]}' for c in table.columns)
        statements.append(f"CREATE TABLE IF NOT EXISTS {table.storage} (src TEXT NOT NULL, {columns})")
        for column in ("src", *SQL_INDEXES.get(table.storage, ())):
            statements.append(f'CREATE INDEX IF NOT EXISTS {table.storage}_{column} ON {table.storage} ("{column}")')
    return ";\n".join(statements) + ";"
