"""orderCreate."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.core.company import CURRENCIES
from sandbox.shopify import addresses, events, fulfilment, totals
from sandbox.shopify.context import Args, Context, mine
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.model import Customer, Order, Pair, Transaction
from sandbox.shopify.mutations import metafields
from sandbox.shopify.mutations.customers import save_customer, unique_tags
from sandbox.shopify.order_input import OrderReader

Input = Mapping[str, Any]
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
USD = {currency.code: currency.usd for currency in CURRENCIES}


def order_create(ctx: Context, args: Args) -> dict[str, Any]:
    """Create an order with all that hangs on it: customer, transactions, fulfilment orders, metafields, webhooks."""
    given: Input = args["order"]
    options: Input = args.get("options") or {}
    currency = given.get("currency") or ctx.shop.currency
    presentment = given.get("presentmentCurrency") or currency
    reader = OrderReader(
        given,
        currency=currency,
        presentment=presentment,
        convert=_rate(currency, presentment),
        variant=lambda digits: mine(ctx, ctx.state.variants.get(digits)),
        new_id=ctx.state.new_id,
    )
    if given.get("customerId") is not None and given.get("customer") is not None:
        reader.fail(["customer"], "Only one of customer_id and customer can be provided", "REDUNDANT_CUSTOMER_FIELDS")
    lines = reader.lines()
    shipping = reader.shipping()
    applications = reader.discounts(lines, shipping)
    taxes = reader.taxes(lines, shipping)
    transactions = _transactions(ctx, reader, given.get("transactions") or [])
    reader.check()
    whole = totals.sums(lines, shipping, taxes, reader.zero, included=reader.included)
    customer, is_new = _customer(ctx, given)
    place = ctx.state.store.next(f"order_number:{ctx.shop.subdomain}")
    order = Order(
        id=ctx.state.new_id("Order"),
        shop=ctx.shop.subdomain,
        number=place,
        order_number=1000 + place,
        name=given.get("name") or f"#{1000 + place}",
        currency=currency,
        presentment_currency=presentment,
        created_at=ctx.now,
        updated_at=ctx.now,
        # from 2026-07 on a time in the future is taken as now
        processed_at=min(given.get("processedAt") or ctx.now, ctx.now),
        totals=whole,
        lines=lines,
        shipping_lines=shipping,
        taxes=taxes,
        applications=applications,
        transactions=transactions,
        financial_status=given.get("financialStatus") or totals.financial_status(whole.total, transactions),
        fulfillment_status="UNFULFILLED",
        taxes_included=reader.included,
        token=ctx.state.token(),
        confirmation_number="".join(secrets.choice(LETTERS) for _ in range(9)),
        source_name=given.get("sourceName") or "api",
        tags=unique_tags(given.get("tags") or []),
        note=given.get("note"),
        attributes=_attributes(given.get("customAttributes") or []),
        email=given.get("email") or (customer.email if customer else None),
        phone=given.get("phone") or (customer.phone if customer and not given.get("email") else None),
        customer_id=customer.id if customer else None,
        billing_address=addresses.from_input(given.get("billingAddress")),
        shipping_address=addresses.from_input(given.get("shippingAddress")),
        po_number=given.get("poNumber"),
        source_identifier=given.get("sourceIdentifier"),
        source_url=given.get("sourceUrl"),
        referring_site=given.get("referringSite"),
        test=bool(given.get("test")),
        buyer_accepts_marketing=bool(given.get("buyerAcceptsMarketing")),
        closed_at=given.get("closedAt"),
    )
    if customer is not None:
        _credit(ctx, customer, order, is_new=is_new)
    fulfilment.route(ctx, order, inventory=options.get("inventoryBehaviour") or "BYPASS")
    ctx.state.put_order(order)
    metafields.set_on(ctx, "Order", order.id, given.get("metafields") or [])
    events.order(ctx, order, "orders/create")
    if order.financial_status == "PAID":
        events.order(ctx, order, "orders/paid")
    if given.get("fulfillment") is not None or given.get("fulfillmentStatus") == "FULFILLED":
        fulfilment.fulfil_all(ctx, order, given.get("fulfillment") or {})
    events.order(ctx, order, "orders/updated")
    if options.get("sendReceipt"):
        fulfilment.notify(ctx, order, "order_confirmation", None)
    return {"order": order}


def _attributes(given: Sequence[Input]) -> list[Pair]:
    return [Pair(a["key"], a.get("value")) for a in given]


def _rate(currency: str, presentment: str) -> Decimal:
    """Units of presentment money for one of shop money."""
    if currency == presentment:
        return Decimal(1)
    return USD.get(currency, Decimal(1)) / USD.get(presentment, Decimal(1))


def _transactions(ctx: Context, reader: OrderReader, given: Sequence[Input]) -> list[Transaction]:
    found: list[Transaction] = []
    for index, one in enumerate(given):
        amount = reader.bag(one["amountSet"], ["transactions", index, "amountSet"])
        card = gid_number(one["giftCardId"], "GiftCard") if one.get("giftCardId") else None
        found.append(
            Transaction(
                id=ctx.state.new_id("OrderTransaction"),
                kind=one.get("kind") or "SALE",
                status=one.get("status") or "SUCCESS",
                gateway=one.get("gateway") or "manual",
                amount=amount,
                created_at=ctx.now,
                processed_at=one.get("processedAt") or ctx.now,
                test=bool(one.get("test")),
                authorization=one.get("authorizationCode"),
                gift_card_id=card,
            )
        )
    return found


def _customer(ctx: Context, given: Input) -> tuple[Customer | None, bool]:
    """(the order's customer, whether it is new). Raises UserErrors."""
    wanted: Input = given.get("customer") or {}
    if given.get("customerId") is not None:
        wanted = {"toAssociate": {"id": given["customerId"]}}
    associate: Input | None = wanted.get("toAssociate")
    if associate is not None:
        found = _look_up(ctx, associate)
        if found is None:
            raise UserErrors((["order", "customer", "toAssociate"], "Customer does not exist", "INVALID"))
        return found, False
    upsert: Input | None = wanted.get("toUpsert")
    if upsert is None:
        return None, False
    values = dict(upsert)
    if not values.get("email") and given.get("email"):
        values["email"] = given["email"]
    found = _look_up(ctx, values)
    if found is None and values.get("id") is not None:
        raise UserErrors((["order", "customer", "toUpsert", "id"], "Customer does not exist", "INVALID"))
    address = given.get("shippingAddress") or given.get("billingAddress")
    if found is None and address is not None:
        values["firstName"] = values.get("firstName") or address.get("firstName")
        values["lastName"] = values.get("lastName") or address.get("lastName")
        if not values.get("addresses"):
            values["addresses"] = [address]
    is_new = found is None
    return save_customer(ctx, found, values, path=["order", "customer", "toUpsert"], announce=False), is_new


def _look_up(ctx: Context, wanted: Input) -> Customer | None:
    if wanted.get("id") is not None:
        digits = gid_number(wanted["id"], "Customer")
        return None if digits is None else mine(ctx, ctx.state.customers.get(digits))
    for name in ("email", "phone"):
        value = wanted.get(name)
        if value:
            text = value.lower() if name == "email" else value
            found = ctx.state.customers.first(name, f"{ctx.shop.subdomain}:{text}")
            if found is not None:
                return found
    return None


def _credit(ctx: Context, customer: Customer, order: Order, *, is_new: bool) -> None:
    customer.orders_count += 1
    customer.last_order_id = order.id
    if order.financial_status == "PAID":
        customer.total_spent += order.totals.total.shop
    customer.updated_at = ctx.now
    ctx.state.put_customer(customer)
    events.customer(ctx, customer, "customers/create" if is_new else "customers/update")
