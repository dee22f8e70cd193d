"""Order and its parts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.shopify import totals
from sandbox.shopify.connection import of_list
from sandbox.shopify.context import Args, Context, FieldTable, Resolver, mine
from sandbox.shopify.gid import gid
from sandbox.shopify.model import Address, Allocation, Application, Customer, Line, Order, ShippingLine, Transaction
from sandbox.shopify.money import Bag, decimal_text, total
from sandbox.shopify.resolve.common import (
    Money,
    Of,
    attribute,
    connection_types,
    constant,
    has_metafields,
    limited,
    member,
    members,
    own_id,
    paged,
    part_id,
    shop_text,
)

RISK_LEVEL = {"ACCEPT": "LOW", "INVESTIGATE": "MEDIUM", "CANCEL": "HIGH"}


def _bag(of: Callable[[Order], Bag]) -> Resolver:
    return lambda source, _ctx, _args: of(source)


def _text(of: Callable[[Order], Bag]) -> Resolver:
    return lambda source, _ctx, _args: shop_text(of(source))


def _current(of: Callable[[Order], Bag]) -> Callable[[Order], Bag]:
    """A cancelled order has nothing current."""
    return lambda order: order.zero() if order.cancelled_at else of(order)


def _received(order: Order) -> Bag:
    paid = totals.received(order.transactions, order.zero())
    declared = order.financial_status in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED") and paid.is_zero()
    return order.totals.total if declared else paid


def _refunded(order: Order) -> Bag:
    return totals.refunded(order.transactions, order.zero())


def _capturable(order: Order) -> Bag:
    held = total(
        (t.amount for t in order.transactions if t.kind == "AUTHORIZATION" and t.status == "SUCCESS"), order.zero()
    )
    taken = total((t.amount for t in order.transactions if t.kind in ("CAPTURE", "VOID")), order.zero())
    return held - taken if held.shop > taken.shop else order.zero()


def _shipping_price(order: Order) -> Bag:
    return order.totals.shipping


def _shipping_now(order: Order) -> Bag:
    return order.totals.shipping - order.totals.shipping_discount


def _customer(source: Order, ctx: Context, _args: Args) -> Customer | None:
    return ctx.state.customers.get(source.customer_id) if source.customer_id else None


def _lines(source: Order, _ctx: Context, _args: Args) -> list[Of]:
    return [Of(source, line, "LineItem") for line in source.lines]


def _shipping_lines(source: Order) -> list[Of]:
    return [Of(source, line, "ShippingLine") for line in source.shipping_lines]


def _transactions(source: Order, _ctx: Context, args: Args) -> list[Of]:
    items = [Of(source, one, "OrderTransaction") for one in source.transactions]
    if args.get("capturable") is not None:
        open_ = {t.item.id for t in items if t.item.kind == "AUTHORIZATION" and not _capturable(source).is_zero()}
        items = [t for t in items if (t.item.id in open_) == args["capturable"]]
    return limited(items, args)


def _fulfillment_orders(source: Order, ctx: Context, args: Args) -> Any:
    return of_list(ctx.state.fulfillment_orders.find("order", source.id), args, "fulfillmentOrders")


def _fulfillments(source: Order, ctx: Context, args: Args) -> Any:
    return limited(ctx.state.fulfillments.find("order", source.id), args)


def _same_address(source: Order, _ctx: Context, _args: Args) -> bool:
    return source.billing_address == source.shipping_address


def _can_mark_as_paid(source: Order, _ctx: Context, _args: Args) -> bool:
    unpaid = source.financial_status not in ("PAID", "REFUNDED", "PARTIALLY_REFUNDED", "VOIDED")
    return source.cancelled_at is None and unpaid and not totals.outstanding(source).is_zero()


def _display_address(source: Order, _ctx: Context, _args: Args) -> Address | None:
    return source.shipping_address or source.billing_address


def _exactly(n: int) -> dict[str, Any]:
    return {"count": n, "precision": "EXACT"}


SUMS: dict[str, Callable[[Order], Bag]] = {
    "totalPrice": lambda o: o.totals.total,
    "subtotalPrice": lambda o: o.totals.subtotal,
    "totalTax": lambda o: o.totals.tax,
    "totalDiscounts": lambda o: o.totals.discounts,
    "totalShippingPrice": _shipping_price,
    "totalReceived": _received,
    "totalRefunded": _refunded,
    "totalCapturable": _capturable,
    "netPayment": lambda o: _received(o) - _refunded(o),
    "cartDiscountAmount": lambda o: o.totals.discounts - o.totals.shipping_discount,
}
BAGS: dict[str, Callable[[Order], Bag]] = {
    "originalTotalPriceSet": lambda o: o.totals.total,
    "totalOutstandingSet": totals.outstanding,
    "totalTipReceivedSet": lambda o: o.zero(),
    "totalRefundedShippingSet": lambda o: o.zero(),
    "refundDiscrepancySet": lambda o: o.zero(),
    "currentTotalPriceSet": _current(lambda o: o.totals.total),
    "currentSubtotalPriceSet": _current(lambda o: o.totals.subtotal),
    "currentTotalTaxSet": _current(lambda o: o.totals.tax),
    "currentTotalDiscountsSet": _current(lambda o: o.totals.discounts),
    "currentShippingPriceSet": _current(_shipping_now),
    "currentCartDiscountAmountSet": _current(lambda o: o.totals.discounts - o.totals.shipping_discount),
}
ORDER: dict[str, Resolver] = {
    **{f"{name}Set": _bag(of) for name, of in SUMS.items()},
    **{name: _text(of) for name, of in SUMS.items()},
    **{name: _bag(of) for name, of in BAGS.items()},
    **has_metafields("Order"),
    "id": own_id("Order"),
    "legacyResourceId": attribute("id"),
    "name": attribute("name"),
    "number": attribute("order_number"),
    "confirmationNumber": attribute("confirmation_number"),
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
    "processedAt": attribute("processed_at"),
    "cancelledAt": attribute("cancelled_at"),
    "cancelReason": attribute("cancel_reason"),
    "closedAt": attribute("closed_at"),
    "closed": lambda o, _c, _a: o.closed_at is not None,
    "confirmed": constant(True),
    "currencyCode": attribute("currency"),
    "presentmentCurrencyCode": attribute("presentment_currency"),
    "email": attribute("email"),
    "phone": attribute("phone"),
    "note": attribute("note"),
    "poNumber": attribute("po_number"),
    "tags": attribute("tags"),
    "test": attribute("test"),
    "taxesIncluded": attribute("taxes_included"),
    "taxExempt": lambda o, c, a: bool((b := _customer(o, c, a)) and b.tax_exempt),
    "estimatedTaxes": constant(False),
    "dutiesIncluded": constant(False),
    "sourceName": attribute("source_name"),
    "sourceIdentifier": attribute("source_identifier"),
    "registeredSourceUrl": attribute("source_url"),
    "customAttributes": attribute("attributes"),
    "customer": _customer,
    "customerAcceptsMarketing": attribute("buyer_accepts_marketing"),
    "customerLocale": constant(None),
    "clientIp": constant(None),
    "cartToken": constant(None),
    "checkoutToken": constant(None),
    "billingAddress": attribute("billing_address"),
    "billingAddressMatchesShippingAddress": _same_address,
    "shippingAddress": attribute("shipping_address"),
    "displayAddress": _display_address,
    "displayFinancialStatus": attribute("financial_status"),
    "displayFulfillmentStatus": attribute("fulfillment_status"),
    "returnStatus": constant("NO_RETURN"),
    "fullyPaid": lambda o, _c, _a: _received(o).shop >= o.totals.total.shop,
    "unpaid": lambda o, _c, _a: _received(o).is_zero() and not o.totals.total.is_zero(),
    "capturable": lambda o, _c, _a: not _capturable(o).is_zero(),
    "canMarkAsPaid": _can_mark_as_paid,
    "canNotifyCustomer": lambda o, _c, _a: bool(o.email),
    "fulfillable": lambda o, _c, _a: any(line.fulfillable_quantity for line in o.lines),
    "refundable": lambda o, _c, _a: not _received(o).is_zero(),
    "restockable": lambda o, _c, _a: any(line.variant_id for line in o.lines),
    "edited": constant(False),
    "merchantEditable": lambda o, _c, _a: o.cancelled_at is None,
    "merchantEditableErrors": constant([]),
    "hasTimelineComment": constant(False),
    "productNetwork": constant(False),
    "requiresShipping": lambda o, _c, _a: any(line.requires_shipping for line in o.lines),
    "lineItems": paged(_lines, "lineItems"),
    "nonFulfillableLineItems": paged(
        lambda o, c, a: [x for x in _lines(o, c, a) if x.item.gift_card], "nonFulfillableLineItems"
    ),
    "subtotalLineItemsQuantity": lambda o, _c, _a: sum(line.quantity for line in o.lines),
    "currentSubtotalLineItemsQuantity": lambda o, _c, _a: sum(line.current_quantity for line in o.lines),
    "shippingLine": lambda o, _c, _a: next(iter(_shipping_lines(o)), None),
    "shippingLines": paged(lambda o, _c, _a: _shipping_lines(o), "shippingLines"),
    "taxLines": attribute("taxes"),
    "currentTaxLines": lambda o, _c, _a: [] if o.cancelled_at else o.taxes,
    "additionalFees": constant([]),
    "discountCode": lambda o, _c, _a: o.applications[0].code if o.applications else None,
    "discountCodes": lambda o, _c, _a: [a.code for a in o.applications],
    "discountApplications": paged(
        lambda o, _c, _a: [Of(o, a, "DiscountCodeApplication") for a in o.applications], "discountApplications"
    ),
    "transactions": _transactions,
    "transactionsCount": lambda o, _c, _a: _exactly(len(o.transactions)),
    "paymentGatewayNames": lambda o, _c, _a: list(dict.fromkeys(t.gateway for t in o.transactions)),
    "fulfillmentOrders": _fulfillment_orders,
    "fulfillments": _fulfillments,
    "fulfillmentsCount": lambda o, _c, _a: _exactly(o.fulfillment_count),
    "refunds": constant([]),
    "disputes": constant([]),
    "risk": lambda o, _c, _a: o,
    "riskLevel": lambda o, _c, _a: RISK_LEVEL.get(o.risk, "LOW"),
    "statusPageUrl": lambda o, c, _a: f"https://{c.shop.domain}/{c.shop.id}/orders/{o.token}/authenticate",
    "totalWeight": lambda o, _c, _a: o.totals.weight_grams,
    "currentTotalWeight": lambda o, _c, _a: o.totals.weight_grams,
    "retailLocation": constant(None),
    "physicalLocation": constant(None),
    "purchasingEntity": _customer,
    "currentTotalDutiesSet": constant(None),
    "originalTotalDutiesSet": constant(None),
    "currentTotalAdditionalFeesSet": constant(None),
    "originalTotalAdditionalFeesSet": constant(None),
    "totalCashRoundingAdjustment": lambda o, _c, _a: {"paymentSet": o.zero(), "refundSet": o.zero()},
}


# Parts: the source is Of(order, part) ------------------------------------------------------------------------------


def _part(path: str) -> Resolver:
    return attribute(f"item.{path}")


def _line(of: Callable[[Line], Any]) -> Resolver:
    return lambda source, _ctx, _args: of(source.item)


def _unit(bag: Bag, quantity: int) -> Bag:
    return bag.scaled(Decimal(1) / quantity) if quantity else bag


def _left(line: Line, bag: Bag) -> Bag:
    return bag.scaled(Decimal(line.fulfillable_quantity) / line.quantity)


def _net(source: Of, _ctx: Context, _args: Args) -> Bag:
    """After all discounts and before taxes."""
    line: Line = source.item
    price = line.original_total - line.discount
    if not source.order.taxes_included:
        return price
    return price - total((t.price for t in line.taxes), price.zero())


def _allocations(source: Of, _ctx: Context, _args: Args) -> list[Of]:
    return [Of(source.order, one, "DiscountAllocation") for one in source.item.allocations]


def _discounted_total(source: Of, _ctx: Context, args: Args) -> Bag:
    line: Line = source.item
    return line.original_total - line.discount if args.get("withCodeDiscounts") else line.original_total


def _variant(source: Of, ctx: Context, _args: Args) -> Any:
    line: Line = source.item
    return mine(ctx, ctx.state.variants.get(line.variant_id)) if line.variant_id else None


def _product(source: Of, ctx: Context, _args: Args) -> Any:
    line: Line = source.item
    return mine(ctx, ctx.state.products.get(line.product_id)) if line.product_id else None


def _fulfillment_status(line: Line) -> str:
    if not line.fulfilled_quantity:
        return "unfulfilled"
    return "partial" if line.fulfillable_quantity else "fulfilled"


LINE_BAGS: dict[str, Callable[[Line], Bag]] = {
    "originalTotal": lambda x: x.original_total,
    "originalUnitPrice": lambda x: x.price,
    # discounts by code are order-level: these three leave them out
    "totalDiscount": lambda x: x.price.zero(),
    "discountedUnitPrice": lambda x: x.price,
    "unfulfilledOriginalTotal": lambda x: _left(x, x.original_total),
    "unfulfilledDiscountedTotal": lambda x: _left(x, x.original_total),
}
LINE: dict[str, Resolver] = {
    **{f"{name}Set": _line(of) for name, of in LINE_BAGS.items()},
    **{name: _line(lambda x, of=of: shop_text(of(x))) for name, of in LINE_BAGS.items()},
    "id": part_id,
    "title": _part("title"),
    "name": _part("name"),
    "sku": _part("sku"),
    "vendor": _part("vendor"),
    "variantTitle": _part("variant_title"),
    "quantity": _part("quantity"),
    "currentQuantity": _part("current_quantity"),
    "fulfillableQuantity": _part("fulfillable_quantity"),
    "unfulfilledQuantity": _part("fulfillable_quantity"),
    "nonFulfillableQuantity": _line(lambda x: x.quantity - x.fulfillable_quantity),
    "refundableQuantity": _part("current_quantity"),
    "fulfillmentStatus": _line(_fulfillment_status),
    "requiresShipping": _part("requires_shipping"),
    "taxable": _part("taxable"),
    "isGiftCard": _part("gift_card"),
    "restockable": _line(lambda x: x.variant_id is not None),
    "canRestock": _line(lambda x: x.variant_id is not None),
    "merchantEditable": _line(lambda x: bool(x.fulfillable_quantity)),
    "customAttributes": _part("properties"),
    "discountAllocations": _allocations,
    "discountedTotalSet": _discounted_total,
    "discountedTotal": _line(lambda x: shop_text(x.original_total)),
    "discountedUnitPriceAfterAllDiscountsSet": _line(lambda x: _unit(x.original_total - x.discount, x.quantity)),
    "priceAfterAllDiscountsBeforeTaxesSet": _net,
    "taxLines": lambda source, _ctx, args: limited(source.item.taxes, args),
    "duties": constant([]),
    "product": _product,
    "variant": _variant,
    "image": constant(None),
    "fulfillmentService": constant(None),
    "weight": _line(lambda x: {"unit": "GRAMS", "value": float(x.grams)}),
}


def _shipping(of: Callable[[ShippingLine], Any]) -> Resolver:
    return lambda source, _ctx, _args: of(source.item)


def _money(bag: Bag) -> Money:
    return Money(bag.shop, bag.currency)


def _shipping_discounted(line: ShippingLine) -> Bag:
    return line.price - line.discount


SHIPPING: dict[str, Resolver] = {
    "id": part_id,
    "title": _part("title"),
    "code": _part("code"),
    "source": _part("source"),
    "carrierIdentifier": constant(None),
    "custom": constant(True),
    "deliveryCategory": constant(None),
    "phone": constant(None),
    "isRemoved": constant(False),
    "shippingRateHandle": constant(None),
    "originalPriceSet": _part("price"),
    "originalPrice": _shipping(lambda x: _money(x.price)),
    "price": _shipping(lambda x: shop_text(x.price)),
    "discountedPriceSet": _shipping(_shipping_discounted),
    "discountedPrice": _shipping(lambda x: _money(_shipping_discounted(x))),
    "currentDiscountedPriceSet": lambda s, _c, _a: (
        s.order.zero() if s.order.cancelled_at else _shipping_discounted(s.item)
    ),
    "discountAllocations": _allocations,
    "taxLines": _part("taxes"),
}


def _application(source: Of, _ctx: Context, _args: Args) -> Of:
    allocation: Allocation = source.item
    return Of(source.order, source.order.applications[allocation.application], "DiscountCodeApplication")


def _value(source: Of, _ctx: Context, _args: Args) -> Any:
    item: Application = source.item
    if item.value_type == "percentage":
        return {"__type": "PricingPercentageValue", "percentage": float(item.value)}
    return Money(item.value, source.order.currency)


APPLICATION_BASE: dict[str, Resolver] = {
    "allocationMethod": constant("ACROSS"),
    "index": lambda s, _c, _a: next(i for i, a in enumerate(s.order.applications) if a is s.item),
    "targetSelection": constant("ALL"),
    "targetType": lambda s, _c, _a: s.item.target.upper(),
    "value": _value,
}
APPLICATION: dict[str, Resolver] = {**APPLICATION_BASE, "code": _part("code")}


def _transaction(of: Callable[[Transaction], Any]) -> Resolver:
    return lambda source, _ctx, _args: of(source.item)


def _parent(source: Of, _ctx: Context, _args: Args) -> Of | None:
    wanted = source.item.parent_id
    return next((Of(source.order, t, "OrderTransaction") for t in source.order.transactions if t.id == wanted), None)


TRANSACTION: dict[str, Resolver] = {
    "id": part_id,
    "kind": _part("kind"),
    "status": _part("status"),
    "gateway": _part("gateway"),
    "formattedGateway": _transaction(lambda t: t.gateway.replace("_", " ").title()),
    "amountSet": _part("amount"),
    "amount": _transaction(lambda t: shop_text(t.amount)),
    "amountV2": _transaction(lambda t: _money(t.amount)),
    "amountRoundingSet": constant(None),
    "authorizationCode": _part("authorization"),
    "authorizationExpiresAt": constant(None),
    "accountNumber": constant(None),
    "createdAt": _part("created_at"),
    "processedAt": _part("processed_at"),
    "errorCode": constant(None),
    "manualPaymentGateway": _transaction(lambda t: t.gateway == "manual"),
    "manuallyCapturable": lambda s, _c, _a: s.item.kind == "AUTHORIZATION" and not _capturable(s.order).is_zero(),
    "multiCapturable": constant(False),
    "order": attribute("order"),
    "parentTransaction": _parent,
    "paymentId": lambda s, _c, _a: f"{s.order.name}.{s.order.transactions.index(s.item) + 1}",
    "receiptJson": _part("receipt"),
    "test": _part("test"),
    "maximumRefundableV2": constant(None),
    "maximumRefundable": constant(None),
    "totalUnsettledSet": _transaction(lambda t: t.amount.zero()),
    "settlementCurrency": constant(None),
    "settlementCurrencyRate": constant(None),
}
ORDERS: FieldTable = {
    "Order": ORDER,
    "LineItem": LINE,
    "ShippingLine": SHIPPING,
    "DiscountAllocation": {
        "allocatedAmountSet": _part("amount"),
        "allocatedAmount": lambda s, _c, _a: _money(s.item.amount),
        "discountApplication": _application,
    },
    "DiscountCodeApplication": APPLICATION,
    # no order has one of these here yet, but documents ask for them beside what it has
    "ManualDiscountApplication": {**APPLICATION_BASE, **members("title")},
    "AutomaticDiscountApplication": {**APPLICATION_BASE, **members("title")},
    "ScriptDiscountApplication": {**APPLICATION_BASE, **members("title")},
    "PurchasingCompany": members("company"),
    "Company": members("name"),
    "PricingPercentageValue": {"percentage": member("percentage")},
    "OrderTransaction": TRANSACTION,
    "OrderRiskSummary": {
        "recommendation": attribute("risk"),
        "assessments": lambda o, _c, _a: [o],
    },
    "OrderRiskAssessment": {
        "riskLevel": lambda o, _c, _a: RISK_LEVEL.get(o.risk, "NONE"),
        "facts": constant([]),
        "provider": constant(None),
    },
    "CashRoundingAdjustment": members("paymentSet", "refundSet"),
    **connection_types("Order", "LineItem", "ShippingLine", "DiscountApplication"),
}
__all__ = ["ORDERS", "decimal_text", "gid"]
