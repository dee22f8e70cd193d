"""NetSuite's words and ours: every table, and the pure functions that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from strata.canonical.common import Address, VendorRef
from strata.canonical.customers import CustomerDraft, CustomerMatch, Item, ItemKind
from strata.canonical.money import Money
from strata.canonical.orders import OrderRef, OrderStatus, SalesOrder, SalesOrderLine, Shipment, ShipmentLine
from strata.errors import FieldError, Invalid, StrataError
from system_apis.netsuite import suiteql, wire

V = TypeVar("V")

ORDER_STATUS: Final[Mapping[str, OrderStatus]] = {
    "A": OrderStatus.ON_HOLD,  # pending approval
    "B": OrderStatus.ACCEPTED,  # pending fulfilment
    "C": OrderStatus.CANCELLED,
    "D": OrderStatus.PARTIALLY_SHIPPED,
    "E": OrderStatus.PARTIALLY_SHIPPED,  # also pending billing
    "F": OrderStatus.SHIPPED,  # pending billing
    "G": OrderStatus.BILLED,
    "H": OrderStatus.CLOSED,
}
"""Letters of a sales order's status."""
SHIP_STATUS: Final[Mapping[str, str]] = {"A": "picked", "B": "packed", "C": "shipped"}
ITEM_KIND: Final[Mapping[str, ItemKind]] = {
    "InvtPart": "inventory",
    "Assembly": "inventory",
    "NonInvtPart": "non_inventory",
    "DwnLdItem": "non_inventory",
    "Service": "service",
    "Kit": "kit",
    "Group": "kit",
    "GiftCert": "gift_card",
    "Discount": "discount",
    "Markup": "discount",
    "ShipItem": "shipping",
    "OthCharge": "other",
    "Payment": "other",
    "Subtotal": "other",
    "Description": "other",
}
CARRIERS: Final[Sequence[tuple[str, str]]] = (
    ("ups", "UPS"),
    ("fedex", "FedEx"),
    ("usps", "USPS"),
    ("dhl", "DHL"),
    ("dpd", "DPD"),
    ("gls", "GLS"),
    ("hermes", "Hermes"),
    ("canada post", "Canada Post"),
    ("royal mail", "Royal Mail"),
    ("la poste", "La Poste"),
)
"""First word or words of a shipping method's name, in lower case -> the carrier; a method of none of them is its own
name."""
CUSTOM_PRICE: Final = wire.Ref("-1")
"""Price level *custom*: NetSuite takes our price and looks up none of its own (BR11)."""
RECORD_PAGE: Final = {
    "salesOrder": "/app/accounting/transactions/salesord.nl?id=",
    "customer": "/app/common/entity/custjob.nl?id=",
    "itemFulfillment": "/app/accounting/transactions/itemship.nl?id=",
    "item": "/app/common/item/item.nl?id=",
}
_NO_QUANTITY: Final = frozenset({"discount", "rounding"})
_RATE_DECIMALS: Final = Decimal("0.00000001")
_MAX_MEMO, _MAX_REFERENCE, _MAX_NAME = 999, 45, 83


class Names:
    """What a connection is called, for references to its records."""

    def __init__(self, connection: str, account: str) -> None:
        self._connection = connection
        self._web = f"https://{account.lower().replace('_', '-')}.app.netsuite.com"

    def ref(self, kind: str, record_id: str, version: str = "") -> VendorRef:
        """Where a record lives; the link opens it in NetSuite's pages."""
        return VendorRef(self._connection, "netsuite", record_id, version, f"{self._web}{RECORD_PAGE[kind]}{record_id}")


def looked_up(table: Mapping[str, V], value: str, what: str) -> V:
    """A value of a table. Raises StrataError naming the value that the table lacks: never a silent None."""
    try:
        return table[value]
    except KeyError:
        raise StrataError(f"NetSuite's {what} {value!r} is not in our table") from None


def letter(status: str) -> str:
    """`SalesOrd:B` and `B` are the same status."""
    return status.rpartition(":")[2].strip()


# -- orders -----------------------------------------------------------------------------------------------------------


def order_ref(record: wire.SalesOrderRecord, key: str, currency: str, names: Names, *, created: bool) -> OrderRef:
    """An order as NetSuite keeps it. currency: its ISO code."""
    return OrderRef(
        key=record.external_id or key,
        ref=names.ref("salesOrder", record.id, record.last_modified_date),
        number=record.tran_id,
        total=Money(record.total, currency),
        status=looked_up(ORDER_STATUS, letter(record.status.id), "order status"),
        created=created,
    )


def new_order(order: SalesOrder, currency_id: str, zone: ZoneInfo, order_status: str = "") -> wire.NewOrder:
    """The salesOrder record of an order: priced, so that NetSuite looks up no price and no tax amount of its own."""
    taxed = order.shipping_tax_code if order.shipping_cost else ""
    return wire.NewOrder(
        entity=wire.Ref(order.customer_id),
        subsidiary=wire.Ref(order.selling_entity),
        currency=wire.Ref(currency_id),
        tran_date=order.ordered_at.astimezone(zone).date().isoformat(),
        item=wire.Lines(tuple(_order_line(line, order) for line in order.lines)),
        order_status=_ref(order_status),
        custom_form=_ref(order.form),
        location=_ref(order.location),
        department=_ref(order.department),
        channel_class=_ref(order.channel_class),
        terms=_ref(order.terms),
        other_ref_num=(order.po_number or order.number)[:_MAX_REFERENCE],
        memo=(order.memo or order.number)[:_MAX_MEMO],
        email=order.email,
        ship_method=_ref(order.shipping_method),
        shipping_cost=order.shipping_cost.amount if order.shipping_cost else None,
        shipping_tax_code=_ref(taxed),
        billing_address=address(order.billing_address),
        shipping_address=address(order.shipping_address),
    )


def _order_line(line: SalesOrderLine, order: SalesOrder) -> wire.NewOrderLine:
    counted = line.kind not in _NO_QUANTITY
    name = _name(order.shipping_address or order.billing_address) or order.email
    gift = line.kind == "gift_card"
    return wire.NewOrderLine(
        item=wire.Ref(line.item_id),
        amount=line.amount.amount,
        quantity=line.quantity if counted else None,
        rate=_rate(line) if counted else line.amount.amount,
        price=CUSTOM_PRICE if counted else None,
        tax_code=_ref(line.tax_code),
        tax1_amt=line.tax.amount if line.tax is not None else None,
        description=line.description[:_MAX_MEMO],
        location=_ref(order.location) if line.kind == "item" else None,
        gift_cert_from=name if gift else "",
        gift_cert_recipient_name=name if gift else "",
        gift_cert_recipient_email=order.email if gift else "",
    )


def _rate(line: SalesOrderLine) -> Decimal | None:
    """The price of one, where it is exact; else NetSuite derives it from the amount, which is what counts."""
    if not line.quantity:
        return None
    rate = (line.amount.amount / line.quantity).quantize(_RATE_DECIMALS).normalize()
    return _plain(rate) if rate * line.quantity == line.amount.amount else None


def _plain(value: Decimal) -> Decimal:
    """Without an exponent: 1E+2 as 100."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _ref(record_id: str) -> wire.Ref | None:
    return wire.Ref(record_id) if record_id else None


def _name(place: Address | None) -> str:
    return "" if place is None else f"{place.first_name} {place.last_name}".strip()


def address(place: Address | None) -> wire.Address | None:
    """A postal address as a subrecord."""
    if place is None:
        return None
    person = _name(place)
    return wire.Address(
        addressee=(place.company or person)[:_MAX_NAME],
        attention=person[:_MAX_NAME] if place.company else "",
        addr1=place.line1,
        addr2=place.line2,
        city=place.city,
        state=place.region,
        zip=place.postal_code,
        country=wire.Ref(place.country),
        addr_phone=place.phone,
    )


def explained(error: Invalid, order: SalesOrder) -> Invalid:
    """NetSuite's refusal of an order in the words of the order: which article, which reference, and what to do."""
    causes = tuple(_explained(cause, order) for cause in error.errors)
    words = "; ".join(cause.detail for cause in causes) or error.detail
    return Invalid(f"NetSuite does not take order {order.number}: {words}", errors=causes)


_MEMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "entity": ("/customer_id", "customer"),
    "subsidiary": ("/selling_entity", "subsidiary"),
    "currency": ("/currency", "currency"),
    "location": ("/location", "location"),
    "shipMethod": ("/shipping_method", "shipping method"),
    "shippingTaxCode": ("/shipping_tax_code", "tax code of shipping"),
    "terms": ("/terms", "terms"),
}
_LINE_MEMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "item": ("sku", "article"),
    "taxCode": ("tax_code", "tax code"),
    "quantity": ("quantity", "quantity"),
    "amount": ("amount", "amount"),
}


def _explained(cause: FieldError, order: SalesOrder) -> FieldError:
    parts = cause.pointer.strip("/").split("/")
    if parts[:2] == ["item", "items"] and len(parts) >= 3 and parts[2].isdigit() and int(parts[2]) < len(order.lines):
        line = order.lines[int(parts[2])]
        member, word = _LINE_MEMBERS.get(parts[3] if len(parts) > 3 else "item", ("sku", "article"))
        value = line.tax_code if member == "tax_code" else line.sku or line.item_id
        return FieldError(
            f"{word} {value!r} on line {int(parts[2]) + 1} is refused: {cause.detail}",
            f"/lines/{parts[2]}/{member}",
            value,
            f"See in NetSuite that the {word} exists, is active and may be sold by this subsidiary, then retry.",
            "refused-item" if member == "sku" else "refused-value",
        )
    if parts[0] in _MEMBERS:
        pointer, word = _MEMBERS[parts[0]]
        return FieldError(
            f"the {word} is refused: {cause.detail}",
            pointer,
            "",
            f"Correct the {word} in NetSuite or in the routing table, then retry.",
            "refused-value",
        )
    return cause


# -- customers --------------------------------------------------------------------------------------------------------


def customers(rows: Iterable[wire.CustomerRow], iso: Mapping[str, str], names: Names) -> tuple[CustomerMatch, ...]:
    """Customers of a query: one row for each subsidiary. iso: currency id -> ISO code."""
    found: dict[str, list[wire.CustomerRow]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return tuple(
        CustomerMatch(
            ref=names.ref("customer", first.id, first.changed),
            name=_customer_name(first.companyname, first.firstname, first.lastname, first.entityid),
            key=first.externalid,
            email=first.email,
            active=first.isinactive != "T",
            selling_entities=tuple(row.subsidiary for row in group if row.subsidiary),
            currencies=(iso[first.currency],) if first.currency in iso else (),
        )
        for group in found.values()
        for first in group[:1]
    )


def customer(
    record: wire.CustomerRecord, subsidiaries: Sequence[str], iso: Mapping[str, str], names: Names
) -> CustomerMatch:
    """A customer with all its currencies."""
    ids = [line.currency.id for line in record.currency_list.items]
    if record.currency is not None and record.currency.id not in ids:
        ids.insert(0, record.currency.id)
    return CustomerMatch(
        ref=names.ref("customer", record.id, record.last_modified_date),
        name=_customer_name(record.company_name, record.first_name, record.last_name, record.entity_id),
        key=record.external_id,
        email=record.email,
        active=not record.is_inactive,
        selling_entities=tuple(subsidiaries),
        currencies=tuple(iso[i] for i in ids if i in iso),
    )


def _customer_name(company: str, first: str, last: str, entity: str) -> str:
    return company or f"{first} {last}".strip() or entity


def new_customer(draft: CustomerDraft, currency_id: str) -> wire.NewCustomer:
    """The customer record of a draft."""
    person = draft.person and not draft.company
    last = draft.last_name or ("" if draft.first_name else draft.email) or "-"
    return wire.NewCustomer(
        is_person=person,
        subsidiary=wire.Ref(draft.selling_entity),
        currency=wire.Ref(currency_id),
        company_name=(draft.company or f"{draft.first_name} {draft.last_name}".strip() or draft.email)[:_MAX_NAME]
        if not person
        else "",
        first_name=draft.first_name[:32] or "-" if person else "",
        last_name=last[:32] if person else "",
        email=draft.email,
        phone=draft.phone,
        comments="Created while a possible duplicate is being looked at." if draft.provisional else "",
        taxable=False if draft.tax_exempt else None,
        terms=_ref(draft.terms),
        address_book=_address_book(draft),
        currency_list=wire.Lines((wire.NewCurrencyLine(currency=wire.Ref(currency_id)),)),
    )


def _address_book(draft: CustomerDraft) -> wire.Lines[wire.NewAddressLine] | None:
    billing, shipping = draft.billing_address, draft.shipping_address
    same = billing == shipping
    lines: list[wire.NewAddressLine] = []
    for place, bills, ships in ((billing, True, same), (None if same else shipping, False, True)):
        subrecord = address(place)
        if subrecord is not None:
            lines.append(
                wire.NewAddressLine(
                    default_billing=bills, default_shipping=ships, address_book_address=subrecord, label=subrecord.addr1
                )
            )
    return wire.Lines(tuple(lines)) if lines else None


def drafted(draft: CustomerDraft, record_id: str, names: Names) -> CustomerMatch:
    """The customer that was just made from a draft."""
    return CustomerMatch(
        ref=names.ref("customer", record_id),
        name=_customer_name(draft.company, draft.first_name, draft.last_name, draft.email),
        key=draft.key,
        email=draft.email,
        selling_entities=(draft.selling_entity,),
        currencies=(draft.currency,),
    )


# -- items ------------------------------------------------------------------------------------------------------------


def item(row: wire.ItemRow, names: Names) -> Item:
    """An article."""
    return Item(
        ref=names.ref("item", row.id, row.changed),
        sku=row.itemid,
        name=row.displayname or row.itemid,
        kind=looked_up(ITEM_KIND, row.itemtype, "item type"),
        active=row.isinactive != "T",
    )


# -- shipments --------------------------------------------------------------------------------------------------------


def carrier(method: str) -> str:
    """Who carries a parcel, by the name of its shipping method."""
    lower = method.lower()
    return next(
        (name for first, name in CARRIERS if lower.startswith(first) and not lower[len(first) :][:1].isalpha()), method
    )


def shipment(
    row: wire.ShipmentRow,
    lines: Iterable[wire.ShipmentLineRow],
    tracking: Iterable[wire.TrackingRow],
    zone: ZoneInfo,
    names: Names,
) -> Shipment:
    """A fulfilment with the lines and parcels that belong to it."""
    status = looked_up(SHIP_STATUS, letter(row.status), "shipment status")
    created = suiteql.moment(row.created, zone)
    day = datetime.strptime(row.trandate, "%Y-%m-%d").replace(tzinfo=zone) if row.trandate else created
    quantities: dict[tuple[str, str], int] = {}
    for line in lines:
        key = (line.itemid, line.orderline)
        quantities[key] = quantities.get(key, 0) + abs(int(Decimal(line.quantity)))
    return Shipment(
        ref=names.ref("itemFulfillment", row.id, row.changed),
        order_key=row.orderkey,
        order_number=row.ordernumber,
        shipped_at=(created if day.date() == created.date() else day).astimezone(UTC),
        updated_at=suiteql.moment(row.changed, zone).astimezone(UTC),
        lines=tuple(ShipmentLine(sku, quantity, line) for (sku, line), quantity in quantities.items() if quantity),
        carrier=carrier(row.carrier),
        tracking_numbers=tuple(dict.fromkeys(t.number for t in tracking)),
        status="picked" if status == "picked" else "packed" if status == "packed" else "shipped",
    )
