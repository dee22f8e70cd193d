"""Shipping charges: on the order's header where the ERP comes to the same tax by itself, else as lines of their own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from process_apis.orders.rules.causes import Causes
from process_apis.orders.rules.tax import Share, TaxArea, coded, read, shares
from process_apis.orders.tables import ANY, OrderTables, ShippingMethod, best, is_or_any
from strata.canonical.customers import Item
from strata.canonical.money import Money, total
from strata.canonical.orders import ChannelOrder, ChannelShippingLine, SalesOrderLine


class Shipping(Struct, frozen=True):
    """What shipping puts on a sales order. cost, tax: of the header, net of tax; None where lines carry them."""

    method: str = ""
    cost: Money | None = None
    tax: Money | None = None
    tax_code: str = ""
    rate: Decimal = Decimal(0)
    lines: tuple[SalesOrderLine, ...] = ()


class _Charge(Struct, frozen=True):
    """One part of one shipping line, with one tax base."""

    title: str
    share: Share
    net: Money


def _method(line: ChannelShippingLine, shop: str, erp: str, tables: OrderTables) -> ShippingMethod | None:
    return best(
        tables.shipping_methods,
        lambda r: (
            is_or_any(r.erp, erp)
            and is_or_any(r.shop, shop)
            and is_or_any(r.title, line.title)
            and is_or_any(r.code, line.code)
        ),
        lambda r: sum(column != ANY for column in (r.erp, r.shop, r.title, r.code)),
    )


def _header(charges: list[_Charge]) -> _Charge | None:
    """The one charge that may stand on the header: the ERP computes its tax by the rate, and comes to the source's."""
    if len(charges) != 1:
        return None
    charge = charges[0]
    return charge if (charge.net * charge.share.erp_rate).rounded() == charge.share.tax else None


def charge_shipping(
    order: ChannelOrder,
    tables: OrderTables,
    causes: Causes,
    *,
    erp: str,
    area: TaxArea,
    item_for_lines: Callable[[str], Item | None],
) -> Shipping:
    """The order's shipping for an ERP. item_for_lines: gives the item that shipping lines use, or notes a cause."""
    charges: list[_Charge] = []
    method = ""
    for index, line in enumerate(order.shipping_lines):
        pointer = f"/shipping_lines/{index}"
        row = _method(line, order.shop, erp, tables)
        causes.use("shipping_methods", row)
        if row is None:
            causes.add(
                "unmapped-shipping",
                pointer,
                f"the shipping method {line.title!r} is not known to the ERP",
                value=line.title,
                remedy="Add a row for it to the table shipping_methods, then retry.",
            )
        elif not method:
            method = row.method
        amount = (line.price - total((d.amount for d in line.discounts), order.currency)).rounded()
        readings = shares(amount, line.taxes, included=area.included)
        for share in read(readings, area, tables.tax_codes):
            known = coded(share, area, tables.tax_codes, causes, f"{pointer}/taxes")
            net = known.amount - known.tax if area.included else known.amount
            charges.append(_Charge(line.title, known, net))
    if not charges:
        return Shipping()
    header = _header(charges)
    if header is not None:
        return Shipping(method, header.net, header.share.tax, header.share.code, header.share.erp_rate)
    paid = [c for c in charges if c.net or c.share.tax]
    item = item_for_lines("/shipping_lines") if paid else None
    if item is None:
        return Shipping(method)
    lines = tuple(
        SalesOrderLine(
            "shipping", item.ref.id, 1, c.net, "", item.sku, c.title, c.share.code, c.share.rate, c.share.tax
        )
        for c in paid
    )
    return Shipping(method, lines=lines)
