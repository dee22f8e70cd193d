"""What an order comes to: discounts shared over lines, taxes, sums, and the states that follow. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from sandbox.shopify.model import (
    Allocation,
    Application,
    FulfillmentOrder,
    Line,
    Order,
    ShippingLine,
    Tax,
    Totals,
    Transaction,
)
from sandbox.shopify.money import ZERO, Bag, share_bag, total

RECEIVING = frozenset({"SALE", "CAPTURE"})
HUNDRED = Decimal(100)


def apply_discount(
    application: Application, index: int, lines: Sequence[Line], shipping: Sequence[ShippingLine]
) -> None:
    """Share a discount over its targets in proportion to their price; it never exceeds them.

    Sets `application.amount` to what was really taken off, and the allocations of the lines.
    """
    targets: Sequence[Line | ShippingLine]
    if application.target == "shipping_line":
        targets = shipping
        weights = [line.price for line in shipping]
    else:
        # gift cards are never discounted
        targets = [line for line in lines if not line.gift_card]
        weights = [line.original_total for line in lines if not line.gift_card]
    zero = application.amount.zero()
    whole = total(weights, zero)
    percentage = application.value_type == "percentage"
    amount = whole.scaled(application.value / HUNDRED) if percentage else application.amount
    application.amount = amount.at_most(whole)
    for target, part in zip(targets, share_bag(application.amount, weights), strict=True):
        if not part.is_zero():
            target.allocations.append(Allocation(part, index))


def tax_amount(price: Bag, rate: Decimal, *, included: bool) -> Bag:
    """The tax on a price after discounts, or the tax that is in it."""
    return price.scaled(rate / (1 + rate) if included else rate)


def spread_taxes(taxes: Sequence[Tax], lines: Sequence[Line]) -> None:
    """Taxes given for the whole order are shared over its taxable lines by their discounted price."""
    taxable = [line for line in lines if line.taxable and not line.gift_card]
    weights = [line.original_total - line.discount for line in taxable]
    for tax in taxes:
        for line, part in zip(taxable, share_bag(tax.price, weights), strict=True):
            line.taxes.append(Tax(tax.title, tax.rate, part, tax.channel_liable))


def gathered_taxes(lines: Sequence[Line], shipping: Sequence[ShippingLine]) -> list[Tax]:
    """The order's tax lines: those of its lines and shipping, equal ones (title and rate) added up."""
    found: dict[tuple[str, Decimal], Tax] = {}
    for tax in [t for line in lines for t in line.taxes] + [t for line in shipping for t in line.taxes]:
        key = (tax.title, tax.rate)
        known = found.get(key)
        price = tax.price if known is None else known.price + tax.price
        found[key] = Tax(tax.title, tax.rate, price, tax.channel_liable)
    return list(found.values())


def sums(
    lines: Sequence[Line], shipping: Sequence[ShippingLine], taxes: Iterable[Tax], zero: Bag, *, included: bool
) -> Totals:
    """All sums of an order. total = subtotal + shipping - shipping discounts (+ tax, unless it is in the prices)."""
    line_total = total((line.original_total for line in lines), zero)
    line_discount = total((line.discount for line in lines), zero)
    shipping_total = total((line.price for line in shipping), zero)
    shipping_discount = total((line.discount for line in shipping), zero)
    tax = total((tax.price for tax in taxes), zero)
    subtotal = line_total - line_discount
    whole = subtotal + shipping_total - shipping_discount
    return Totals(
        lines=line_total,
        discounts=line_discount + shipping_discount,
        subtotal=subtotal,
        shipping=shipping_total,
        shipping_discount=shipping_discount,
        tax=tax,
        total=whole if included else whole + tax,
        weight_grams=sum(line.grams * line.quantity for line in lines),
    )


def received(transactions: Iterable[Transaction], zero: Bag) -> Bag:
    """What the buyer has paid: successful sales and captures."""
    return total((t.amount for t in transactions if t.kind in RECEIVING and t.status == "SUCCESS"), zero)


def refunded(transactions: Iterable[Transaction], zero: Bag) -> Bag:
    return total((t.amount for t in transactions if t.kind == "REFUND" and t.status == "SUCCESS"), zero)


def outstanding(order: Order) -> Bag:
    """What is still to be paid. Nothing, where the order was declared paid without a transaction."""
    if order.cancelled_at is not None:
        return order.zero()
    paid = received(order.transactions, order.zero()) - refunded(order.transactions, order.zero())
    if paid.is_zero() and order.financial_status in ("PAID", "REFUNDED", "VOIDED", "PARTIALLY_REFUNDED"):
        return order.zero()
    return order.totals.total - paid


def financial_status(whole: Bag, transactions: Sequence[Transaction]) -> str:
    """The status that follows from the transactions."""
    zero = whole.zero()
    paid = received(transactions, zero)
    back = refunded(transactions, zero)
    if back.shop > ZERO:
        return "REFUNDED" if back.shop >= paid.shop else "PARTIALLY_REFUNDED"
    if paid.shop >= whole.shop:
        return "PAID"
    if paid.shop > ZERO:
        return "PARTIALLY_PAID"
    good = [t for t in transactions if t.status == "SUCCESS"]
    if any(t.kind == "VOID" for t in good):
        return "VOIDED"
    return "AUTHORIZED" if any(t.kind == "AUTHORIZATION" for t in good) else "PENDING"


def fulfillment_status(lines: Sequence[Line], fulfillment_orders: Iterable[FulfillmentOrder]) -> str:
    """displayFulfillmentStatus from what was shipped and from the state of the fulfilment orders."""
    left = sum(line.fulfillable_quantity for line in lines)
    done = sum(line.fulfilled_quantity for line in lines)
    if not left:
        return "FULFILLED" if done else "UNFULFILLED"
    if done:
        return "PARTIALLY_FULFILLED"
    states = {f.status for f in fulfillment_orders}
    for state in ("ON_HOLD", "IN_PROGRESS", "SCHEDULED"):
        if state in states:
            return state
    return "UNFULFILLED"
