"""NetSuite's payloads: records of the REST API (camel case, amounts as JSON numbers) and rows of SuiteQL (texts).

Amounts are decoded from the digits of the JSON number and encoded back to the same digits: no float is ever between.
Names: REST API Browser 2026.1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")


class _Read(Struct, frozen=True, rename="camel"):
    pass


class _Sent(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    pass


class Ref(Struct, frozen=True):
    """A reference, and the value of an enumeration: only its id counts."""

    id: str


class Lines(Struct, Generic[T], frozen=True):
    """A sublist with its lines."""

    items: tuple[T, ...] = ()


# -- SuiteQL ----------------------------------------------------------------------------------------------------------


class Rows(_Read, Generic[T], frozen=True):
    """A page of rows. Names are in lower case, all values are texts, empty columns are left out."""

    items: list[T]
    has_more: bool = False


class CurrencyRow(Struct, frozen=True):
    id: str
    symbol: str


class ItemRow(Struct, frozen=True):
    id: str
    itemid: str
    itemtype: str
    isinactive: str = "F"
    displayname: str = ""
    changed: str = ""


class CustomerRow(Struct, frozen=True):
    """A customer and one of the subsidiaries that may sell to it."""

    id: str
    isinactive: str = "F"
    externalid: str = ""
    email: str = ""
    companyname: str = ""
    firstname: str = ""
    lastname: str = ""
    entityid: str = ""
    currency: str = ""
    subsidiary: str = ""
    changed: str = ""


class SubsidiaryRow(Struct, frozen=True):
    subsidiary: str


class ShipmentRow(Struct, frozen=True):
    id: str
    status: str
    changed: str
    created: str
    orderkey: str
    ordernumber: str = ""
    tranid: str = ""
    trandate: str = ""
    carrier: str = ""


class ShipmentLineRow(Struct, frozen=True):
    shipment: str
    orderline: str
    itemid: str
    quantity: str


class TrackingRow(Struct, frozen=True):
    shipment: str
    number: str


# -- records, as they are read ----------------------------------------------------------------------------------------


class SalesOrderRecord(_Read, frozen=True):
    id: str
    tran_id: str
    total: Decimal
    status: Ref
    currency: Ref
    external_id: str = ""
    created_date: str = ""
    last_modified_date: str = ""


SALES_ORDER_FIELDS = "tranId,total,status,currency,externalId,createdDate,lastModifiedDate"


class CurrencyLine(_Read, frozen=True):
    currency: Ref


class CustomerRecord(_Read, frozen=True):
    id: str
    entity_id: str = ""
    external_id: str = ""
    email: str = ""
    company_name: str = ""
    first_name: str = ""
    last_name: str = ""
    is_inactive: bool = False
    currency: Ref | None = None
    currency_list: Lines[CurrencyLine] = Lines()
    last_modified_date: str = ""


# -- records, as they are sent ----------------------------------------------------------------------------------------


class Address(_Sent, frozen=True):
    addressee: str = ""
    attention: str = ""
    addr1: str = ""
    addr2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: Ref | None = None
    addr_phone: str = ""


class NewOrderLine(_Sent, frozen=True):
    item: Ref
    amount: Decimal
    quantity: int | None = None
    rate: Decimal | None = None
    price: Ref | None = None
    tax_code: Ref | None = None
    tax1_amt: Decimal | None = None
    description: str = ""
    location: Ref | None = None
    gift_cert_from: str = ""
    gift_cert_recipient_name: str = ""
    gift_cert_recipient_email: str = ""


class NewOrder(_Sent, frozen=True):
    entity: Ref
    subsidiary: Ref
    currency: Ref
    tran_date: str
    item: Lines[NewOrderLine]
    order_status: Ref | None = None
    custom_form: Ref | None = None
    location: Ref | None = None
    department: Ref | None = None
    channel_class: Ref | None = msgspec.field(name="class", default=None)
    terms: Ref | None = None
    other_ref_num: str = ""
    memo: str = ""
    email: str = ""
    ship_method: Ref | None = None
    shipping_cost: Decimal | None = None
    shipping_tax_code: Ref | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None


class NewAddressLine(_Sent, frozen=True):
    default_billing: bool
    default_shipping: bool
    address_book_address: Address
    label: str = ""


class NewCurrencyLine(_Sent, frozen=True):
    currency: Ref


class NewCustomer(_Sent, frozen=True):
    is_person: bool
    subsidiary: Ref
    currency: Ref
    company_name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    comments: str = ""
    taxable: bool | None = None
    terms: Ref | None = None
    address_book: Lines[NewAddressLine] | None = None
    currency_list: Lines[NewCurrencyLine] | None = None


class MoreCurrencies(_Sent, frozen=True):
    currency_list: Lines[NewCurrencyLine]


class NewRelationship(_Sent, frozen=True):
    entity: Ref
    subsidiary: Ref
    primary_currency: Ref | None = None
