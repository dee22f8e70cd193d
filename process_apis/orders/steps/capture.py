"""Steps of O2C-01: from a channel's order to a sales order in an ERP, and the link back."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from process_apis.orders.ledger import Ledger, parts_of, reachable
from process_apis.orders.rules.allocation import sold_lines
from process_apis.orders.rules.causes import Causes
from process_apis.orders.rules.filter import Verdict, judge
from process_apis.orders.rules.pricing import price, wanted_skus
from process_apis.orders.rules.routing import route
from process_apis.orders.rules.status import status_at_acceptance
from process_apis.orders.tables import (
    DISCOUNT_ITEMS,
    FILTER,
    ROUTING,
    SHIPPING_METHODS,
    SPECIAL_ITEMS,
    TAX_CODES,
    OrderRoute,
    OrderTables,
)
from strata.canonical.customers import Item
from strata.canonical.events import ChannelOrderEvent
from strata.canonical.orders import ChannelOrder, OrderRef, OrderStatus, SalesOrder
from strata.context import Context
from strata.contracts.system import ChannelOrders, Customers, Orders, Products
from strata.contracts.system.channel_orders import ErpLink
from strata.contracts.system.products import MOST_SKUS, ItemLookup
from strata.durable import At
from strata.errors import FieldError, Invalid, NotFound

BY = "O2C-01"
_STATUS = {"release": OrderStatus.QUEUED, "hold": OrderStatus.ON_HOLD, "skip": OrderStatus.CLOSED}


class Filed(Struct, frozen=True, omit_defaults=True):
    """What the filter decided about an order. erp: the ERP it will probably go to; empty when that is not known."""

    verdict: Verdict
    table_version: int
    erp: str = ""


class Prepared(Struct, frozen=True, omit_defaults=True):
    """A sales order that lacks only its customer; and the rows that decided, of which version of their tables."""

    order: SalesOrder
    route: OrderRoute
    versions: dict[str, int]
    used: dict[str, list[dict[str, Any]]]


class Decision(Struct, frozen=True, omit_defaults=True):
    """What was decided about an order. prepared: None when it changed so that the filter must judge it again.

    order: the order as it was read again, when it was.
    """

    prepared: Prepared | None = None
    order: ChannelOrder | None = None


class Placed(Struct, frozen=True, omit_defaults=True):
    """What the ERP answered to an order (None: the filter must judge it again), and the decision behind it."""

    prepared: Prepared
    ref: OrderRef | None = None


def _vendor(context: Context, connection: str) -> str:
    found = context.connections.get(connection)
    return found.vendor if found else ""


async def register(at: At[Context], event: ChannelOrderEvent) -> None:
    """Enter the order into the ledger from the event alone, so that it can be seen whatever is down."""
    ledger = Ledger(at.services.database)
    vendor = _vendor(at.services, event.connection)
    await ledger.register(event.key, event.number, vendor=vendor, connection=event.connection)


async def read_order(at: At[Context], event: ChannelOrderEvent) -> ChannelOrder:
    """Read the order as it is now. What an event says of its content is never trusted."""
    return await _read(at.services, event.connection, event.key)


async def _read(context: Context, connection: str, key: str) -> ChannelOrder:
    _, source_id = parts_of(key)
    order = await context.topology.system(connection, ChannelOrders).get_order(source_id)
    if order.key != key:
        raise Invalid(
            f"The channel answered with order {order.key} when asked for {key}",
            errors=(FieldError("is another order", "/key", value=order.key, code="wrong-order"),),
        )
    return order


async def file_order(at: At[Context], order: ChannelOrder) -> Filed:
    """Decide whether the order goes on (BR9), and write that down in the ledger."""
    with reachable():
        rules = await at.services.tables.rows(FILTER, fresh=at.repeated)
        routing = await at.services.tables.rows(ROUTING, fresh=at.repeated)
    verdict = judge(order, rules.rows)
    status = OrderStatus.CANCELLED if order.cancelled_at else _STATUS[verdict.action]
    await Ledger(at.services.database).describe(order, status, held_because=verdict.reason)
    found = route(order, routing.rows, Causes())
    return Filed(verdict, rules.version, found.erp if found else _only_erp(routing.rows))


def _only_erp(rows: tuple[OrderRoute, ...]) -> str:
    """The ERP that all routes name; empty when they name several or none."""
    names = {row.erp for row in rows}
    return names.pop() if len(names) == 1 else ""


async def load_tables(context: Context, *, fresh: bool) -> OrderTables:
    """The tables that pricing looks at, with their versions."""
    with reachable():
        routing = await context.tables.rows(ROUTING, fresh=fresh)
        taxes = await context.tables.rows(TAX_CODES, fresh=fresh)
        discounts = await context.tables.rows(DISCOUNT_ITEMS, fresh=fresh)
        methods = await context.tables.rows(SHIPPING_METHODS, fresh=fresh)
        special = await context.tables.rows(SPECIAL_ITEMS, fresh=fresh)
    versions = {rows.name: rows.version for rows in (routing, taxes, discounts, methods, special)}
    return OrderTables(routing.rows, taxes.rows, discounts.rows, methods.rows, special.rows, versions)


async def _items(context: Context, erp: str, skus: list[str], *, fresh: bool) -> dict[str, Item]:
    """The ERP's items by article number, asked for in as few calls as the contract allows."""
    products = context.topology.system(erp, Products)
    found: dict[str, Item] = {}
    for first in range(0, len(skus), MOST_SKUS):
        items = await products.find_items(body=ItemLookup(tuple(skus[first : first + MOST_SKUS]), fresh))
        found |= {item.sku: item for item in items}
    return found


async def _decide(context: Context, order: ChannelOrder, *, fresh: bool) -> Prepared:
    """Route, resolve and price an order with the tables of now. Raises Invalid with all causes at once."""
    tables = await load_tables(context, fresh=fresh)
    causes = Causes()
    found = route(order, tables.routing, causes)
    # what else is wrong is found out even when the store leads nowhere, if there is only one ERP it could mean
    assumed = found or OrderRoute(erp=_only_erp(tables.routing), selling_entity="")
    priced: SalesOrder | None = None
    if assumed.erp:
        items = await _items(context, assumed.erp, wanted_skus(order, tables, assumed.erp), fresh=fresh)
        priced = price(order, assumed, items, tables, causes)
    causes.raise_if_any(f"Order {order.number} cannot go to the ERP")
    if found is None or priced is None:  # both say why among the causes
        raise Invalid(f"Order {order.number} cannot go to the ERP")
    return Prepared(priced, found, tables.versions, causes.used)


async def _read_again(context: Context, order: ChannelOrder) -> ChannelOrder | None:
    """The order as it is now, since a person may have mended it; None when the filter no longer releases it."""
    now = await _read(context, order.ref.connection, order.key)
    with reachable():
        rules = await context.tables.rows(FILTER, fresh=True)
    if judge(now, rules.rows).action != "release":
        return None
    await Ledger(context.database).describe(now, OrderStatus.QUEUED)
    return now


async def _decide_again(context: Context, order: ChannelOrder) -> Prepared:
    """Decide with what is known; where that is refused, with everything read anew: somebody may have mended it."""
    try:
        return await _decide(context, order, fresh=False)
    except Invalid:
        return await _decide(context, order, fresh=True)


async def prepare(at: At[Context], order: ChannelOrder) -> Decision:
    """Decide where the order goes and what is on it, before anything is written anywhere (contract C10).

    When this failed before, order, tables and items are read again, so that a retry sees what a person has mended.
    """
    if not at.repeated:
        return Decision(await _decide(at.services, order, fresh=False))
    now = await _read_again(at.services, order)
    return Decision() if now is None else Decision(await _decide_again(at.services, now), now)


async def put_order(at: At[Context], order: ChannelOrder, prepared: Prepared, customer_id: str) -> Placed:
    """Create the sales order under our key.

    When this was tried before, the ERP is asked first whether it has the order (contract C3); if it has not, the order
    is read and decided again, because a person may have mended it, a table or an item since, or cancelled it.
    """
    key = prepared.order.key
    if at.repeated:
        erp = at.services.topology.system(prepared.route.erp, Orders)
        try:
            return Placed(prepared, await erp.get_order(key))
        except NotFound:
            pass
        now = await _read_again(at.services, order)
        if now is None:
            return Placed(prepared)
        again = await _decide_again(at.services, now)
        await _still_fits(at.services, prepared, again, customer_id)
        prepared = again
    erp = at.services.topology.system(prepared.route.erp, Orders)
    body = msgspec.structs.replace(prepared.order, customer_id=customer_id)
    known = at.repeated or bool(order.erp_order_id)  # the channel may know of it although we have forgotten
    return Placed(prepared, await erp.put_order(key, body=body, look_first=known))


async def _still_fits(context: Context, before: Prepared, now: Prepared, customer_id: str) -> None:
    """Make the customer fit a decision that was made again. Raises Invalid when it leads to another ERP."""
    if now.route.erp != before.route.erp:
        raise Invalid(
            f"Order {now.order.number} is now routed to {now.route.erp}, but its customer was matched in "
            f"{before.route.erp}",
            errors=(
                FieldError(
                    "was changed while the order was under way",
                    "/erp",
                    now.route.erp,
                    f"Route this order to {before.route.erp} as before, then retry.",
                    "route-changed",
                ),
            ),
        )
    if (now.route.selling_entity, now.order.currency) != (before.route.selling_entity, before.order.currency):
        customers = context.topology.system(now.route.erp, Customers)
        await customers.allow_trading(customer_id, selling_entity=now.route.selling_entity, currency=now.order.currency)


async def check_total(at: At[Context], prepared: Prepared, ref: OrderRef) -> OrderRef:
    """Compare what the ERP comes to with the source (BR1); read it again when a person may have mended it."""
    expected = prepared.order.expected_total
    if at.repeated:
        ref = await at.services.topology.system(ref.ref.connection, Orders).get_order(ref.key)
    if ref.total != expected:
        raise Invalid(
            f"Sales order {ref.number} comes to {ref.total} in the ERP; the shop says {expected}",
            errors=(
                FieldError(
                    f"the ERP says {ref.total}, the shop says {expected}",
                    "/total",
                    str(ref.total),
                    "Correct the sales order in the ERP so that both agree, then retry.",
                    "erp-total-differs",
                ),
            ),
        )
    return ref


async def accept(at: At[Context], order: ChannelOrder, prepared: Prepared, ref: OrderRef) -> None:
    """Write down that the ERP has the order, in the ledger and the cross-reference (contract C14)."""
    context, erp = at.services, ref.ref.connection
    await Ledger(context.database).accept(
        ref,
        status_at_acceptance(ref.status, ships=any(line.requires_shipping for line in order.lines)),
        partner=prepared.route.partner,
        sold=sold_lines(prepared.order.lines),
    )
    with reachable():
        await context.crossref.put(f"order:{erp}", ref.key, ref.ref.id, by=BY)
        await context.crossref.put(f"order_of:{erp}", ref.ref.id, ref.key, by=BY)


async def link_order(at: At[Context], order: ChannelOrder, ref: OrderRef) -> None:
    """Write the ERP's id and number onto the channel's order."""
    _, source_id = parts_of(order.key)
    channel = at.services.topology.system(order.ref.connection, ChannelOrders)
    await channel.link_to_erp(source_id, body=ErpLink(ref.ref.id, ref.number))
