"""From a channel's order to the lines of an ERP's sales order, equal to the minor unit (BR1 to BR5, BR11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from process_apis.orders.rules.causes import Causes
from process_apis.orders.rules.routing import destination
from process_apis.orders.rules.shipping import Shipping, charge_shipping
from process_apis.orders.rules.tax import Share, TaxArea, coded, shares
from process_apis.orders.tables import ANY, DiscountItem, OrderRoute, OrderTables, best, is_or_any
from strata.canonical.customers import Item
from strata.canonical.money import Money, exponent, minor_unit, total, zero
from strata.canonical.orders import ChannelOrder, ChannelOrderLine, Discount, SalesOrder, SalesOrderLine

Items = Mapping[str, Item]
"""Items of the ERP by article number."""


def special_item(tables: OrderTables, erp: str, purpose: str) -> str:
    """Article number of the item for a purpose; empty when the table has none."""
    row = best(tables.special_items, lambda r: r.purpose == purpose and is_or_any(r.erp, erp), lambda r: r.erp != ANY)
    return row.item if row else ""


def discount_item(discount: Discount, tables: OrderTables, erp: str) -> DiscountItem | None:
    """The row for a discount: its code counts more than its title."""
    return best(
        tables.discount_items,
        lambda r: is_or_any(r.erp, erp) and is_or_any(r.code, discount.code) and is_or_any(r.title, discount.title),
        lambda r: 4 * (r.code != ANY) + 2 * (r.title != ANY) + (r.erp != ANY),
    )


def wanted_skus(order: ChannelOrder, tables: OrderTables, erp: str) -> list[str]:
    """Every article that writing the order may need, each once: its own, and those of the tables."""
    skus = [line.sku for line in order.lines if line.quantity and line.sku]
    for line in order.lines:
        rows = (discount_item(d, tables, erp) for d in line.discounts)
        skus.extend(row.item for row in rows if row is not None)
    skus.extend(special_item(tables, erp, purpose) for purpose in ("rounding", "shipping"))
    if any(line.gift_card for line in order.lines):
        skus.append(special_item(tables, erp, "gift_card"))
    return list(dict.fromkeys(sku for sku in skus if sku))


def _usable(sku: str, items: Items, causes: Causes, pointer: str) -> Item | None:
    item = items.get(sku)
    if item is None:
        causes.add(
            "unknown-sku",
            pointer,
            f"article {sku} is not in the ERP",
            value=sku,
            remedy="Create the item in the ERP under this number, or correct the SKU in the shop, then retry.",
        )
        return None
    if not item.active:
        causes.add(
            "inactive-item",
            pointer,
            f"article {sku} is inactive in the ERP",
            value=sku,
            remedy="Make the item active again in the ERP, or replace the article in the order, then retry.",
        )
        return None
    return item


def _from_table(sku: str, items: Items, causes: Causes, *, table: str, what: str, pointer: str) -> Item | None:
    """The item that a table names for something that is not goods."""
    item = items.get(sku) if sku else None
    if item is None or not item.active:
        state = "is not set" if not sku else f"({sku}) is not an active item of the ERP"
        causes.add(
            "unmapped-item",
            pointer,
            f"the item for {what} {state}",
            value=sku,
            remedy=f"Correct the table {table}, then retry.",
        )
        return None
    return item


class _Pricer:
    """The lines of one order under construction. Only the arithmetic of one order lives as long as this."""

    def __init__(
        self, order: ChannelOrder, route: OrderRoute, items: Items, tables: OrderTables, causes: Causes
    ) -> None:
        country, region = destination(order)
        self.order, self.route, self.items, self.tables, self.causes = order, route, items, tables, causes
        self.area = TaxArea(route.tax_nexus, country, region, order.taxes_included)
        self.lines: list[SalesOrderLine] = []

    def add_goods(self, index: int, line: ChannelOrderLine) -> None:
        """An item line and its discount lines."""
        pointer = f"/lines/{index}"
        item = self._item_of(line, pointer)
        gross = (line.unit_price * line.quantity).rounded()
        discounts = _by_name(line.discounts, self.order.currency)
        left = gross - total((d.amount for d in discounts), self.order.currency)
        parts = shares(left, line.taxes, included=self.area.included)[0]
        if line.gift_card and any(part.tax for part in parts):
            self.causes.add(
                "taxed-gift-card",
                f"{pointer}/taxes",
                f"tax was charged on the gift card {line.title!r}; selling one is not taxable (BR4)",
                value=str(parts[0].tax),
                remedy="Make the gift card free of tax in the shop and correct this order, then retry.",
            )
            return
        if len(parts) > 1:  # goods have one base; what does not add up on it is a tax that nobody mapped
            parts = [_joined(parts)]
        share = coded(parts[0], self.area, self.tables.tax_codes, self.causes, f"{pointer}/taxes")
        if item is None:
            return
        kind = "gift_card" if line.gift_card else "item"
        cuts = [self._cut(d, share, f"{pointer}/discounts") for d in discounts]
        cut_tax = total((-cut.tax for cut in cuts if cut.tax), self.order.currency)
        tax = share.tax + cut_tax
        net = gross - tax if self.area.included else gross
        self.lines.append(
            SalesOrderLine(
                kind, item.ref.id, line.quantity, net, line.id, line.sku or item.sku, line.title,
                share.code, share.rate, tax,
            )
        )  # fmt: skip
        self.lines.extend(cuts)

    def _item_of(self, line: ChannelOrderLine, pointer: str) -> Item | None:
        if line.gift_card:
            own = self.items.get(line.sku)
            if own is not None and own.active and own.kind == "gift_card":
                return own
            sku = special_item(self.tables, self.route.erp, "gift_card")
            return _from_table(sku, self.items, self.causes, table="special_items", what="gift cards", pointer=pointer)
        if not line.sku:
            self.causes.add(
                "missing-sku",
                f"{pointer}/sku",
                f"line {line.title!r} has no article number",
                value=line.title,
                remedy="Give the product a SKU in the shop, or edit the order, then retry.",
            )
            return None
        return _usable(line.sku, self.items, self.causes, f"{pointer}/sku")

    def _cut(self, discount: Discount, share: Share, pointer: str) -> SalesOrderLine:
        """A discount line right after its item, with its part of the tax taken back at the same rate."""
        row = discount_item(discount, self.tables, self.route.erp)
        self.causes.use("discount_items", row)
        name = discount.code or discount.title
        item = _from_table(
            row.item if row else "",
            self.items,
            self.causes,
            table="discount_items",
            what=f"the discount {name!r}",
            pointer=pointer,
        )
        if self.area.included:
            net = Money(discount.amount.amount / (1 + share.rate), discount.amount.currency).rounded()
            tax = discount.amount - net
        else:
            net, tax = discount.amount, (discount.amount * share.rate).rounded()
        return SalesOrderLine(
            "discount", item.ref.id if item else "", 1, -net, "", row.item if row else "", name,
            share.code, share.rate, -tax,
        )  # fmt: skip

    def ship(self) -> Shipping:
        """The shipping charges: on the header where the ERP then comes to the same tax, else as lines."""
        sku = special_item(self.tables, self.route.erp, "shipping")
        return charge_shipping(
            self.order,
            self.tables,
            self.causes,
            erp=self.route.erp,
            area=self.area,
            item_for_lines=lambda pointer: _from_table(
                sku, self.items, self.causes, table="special_items", what="shipping lines", pointer=pointer
            ),
        )

    def level(self, shipping: Shipping) -> None:
        """A residue of rounding, at most one minor unit for each line of the source, on the item for it (BR1)."""
        expected = self.order.totals.total
        computed = erp_total(self.lines, shipping.cost, shipping.rate, self.order.currency)
        residue = expected - computed
        if not residue or self.causes.found:
            return
        charged = sum(line.quantity > 0 for line in self.order.lines) + len(self.order.shipping_lines)
        if abs(residue.amount) > charged * minor_unit(self.order.currency):
            self.causes.add(
                "total-differs",
                "/totals/total",
                f"the shop says {expected}, the lines come to {computed}",
                value=str(expected),
                remedy="Compare lines, tips, duties and taxes of the order in the shop with its total, then retry.",
            )
            return
        sku = special_item(self.tables, self.route.erp, "rounding")
        item = _from_table(
            sku, self.items, self.causes, table="special_items", what="rounding", pointer="/totals/total"
        )
        if item is not None:
            self.lines.append(
                SalesOrderLine("rounding", item.ref.id, 1, residue, sku=item.sku, description="Rounding", tax=None)
            )


def _joined(parts: Sequence[Share]) -> Share:
    amount, tax = parts[0].amount, parts[0].tax
    for part in parts[1:]:
        amount, tax = amount + part.amount, tax + part.tax
    title = " + ".join(sorted(part.title for part in parts))
    return Share(amount, title, sum((p.rate for p in parts), Decimal(0)), tax)


def _by_name(discounts: Sequence[Discount], currency: str) -> list[Discount]:
    """One discount for each code and title, in the order they were given; nothing for nothing."""
    sums: dict[tuple[str, str], Money] = {}
    for d in discounts:
        sums[d.code, d.title] = sums.get((d.code, d.title), zero(currency)) + d.amount.rounded()
    return [Discount(amount, code, title) for (code, title), amount in sums.items() if amount]


def erp_total(lines: Sequence[SalesOrderLine], shipping: Money | None, rate: Decimal, currency: str) -> Money:
    """What an ERP comes to: amounts and taxes of the lines, shipping, and the tax it computes on that by the rate."""
    result = total((line.amount for line in lines), currency) + total((x.tax for x in lines if x.tax), currency)
    if shipping is not None:
        result = result + shipping + (shipping * rate).rounded()
    return result


def price(
    order: ChannelOrder, route: OrderRoute, items: Items, tables: OrderTables, causes: Causes, *, customer_id: str = ""
) -> SalesOrder | None:
    """The sales order for an ERP; None, and the causes, when anything is not mapped or does not add up.

    Amounts are net of tax whether the source's were or not; the source's taxes are carried to the minor unit. A gift
    card that was redeemed is a payment and changes nothing here (BR4).
    """
    try:
        exponent(order.currency)
    except ValueError:
        causes.add(
            "unknown-currency", "/currency", f"{order.currency} is not an ISO 4217 currency",
            value=order.currency, remedy="Correct the currency of the order in the shop, then retry.",
        )  # fmt: skip
        return None
    pricer = _Pricer(order, route, items, tables, causes)
    for index, line in enumerate(order.lines):
        if line.quantity:
            pricer.add_goods(index, line)
    shipping = pricer.ship()
    pricer.lines.extend(shipping.lines)
    if not pricer.lines and not causes.found:
        causes.add("no-lines", "/lines", "the order has no lines", remedy="Add lines to the order, or cancel it.")
    pricer.level(shipping)
    if causes.found:
        return None
    return SalesOrder(
        key=order.key,
        number=order.number,
        ordered_at=order.created_at,
        currency=order.currency,
        customer_id=customer_id,
        selling_entity=route.selling_entity,
        lines=tuple(pricer.lines),
        expected_total=order.totals.total.rounded(),
        location=route.location,
        form=route.form,
        terms=route.terms if order.b2b else "",
        department=route.department,
        channel_class=route.channel_class,
        shipping_method=shipping.method,
        shipping_cost=shipping.cost,
        shipping_tax_code=shipping.tax_code,
        shipping_tax=shipping.tax,
        po_number=order.po_number,
        memo=order.note[:900],
        email=order.customer.email if order.customer else "",
        billing_address=order.billing_address,
        shipping_address=order.shipping_address,
    )
