"""Order flows as the diagram has them: O2C-01 capture, O2C-04 fulfilment back, O2C-08 sweep."""

from __future__ import annotations

from msgspec import Struct

from process_apis.orders.rules.filter import Verdict
from process_apis.orders.rules.matching import buyer
from process_apis.orders.steps.capture import (
    Filed,
    Prepared,
    accept,
    check_total,
    file_order,
    link_order,
    prepare,
    put_order,
    read_order,
    register,
)
from process_apis.orders.steps.customer import (
    allow_trading,
    create_customer,
    find_customer,
    link_customer,
    may_buy,
    remember_customer,
)
from process_apis.orders.steps.fulfilment import (
    FulfilmentInput,
    create_fulfilment,
    keep_shipment,
    plan_fulfilment,
    update_tracking,
)
from process_apis.orders.steps.sweep import SweepInput, advance, poll_page, read_watermark, sweep_page
from strata.canonical.events import ChannelOrderEvent
from strata.canonical.orders import ChannelOrder
from strata.context import Context
from strata.durable import Run, process

CHANGED = "channel_order.changed"
NOT_CONFIGURED = "not configured"
OTHER_FLOWS = ("O2C-05 payment", "INV-01 stock to channels", "CUS-02 customer value", "SHS-01 CRM opportunity")
LONGEST_HOLD_CHECK_S = 86_400.0


class Captured(Struct, frozen=True, omit_defaults=True):
    """How the capture of an order ended."""

    outcome: str
    """`accepted` or `skipped`."""
    reason: str = ""
    erp: str = ""
    erp_order_id: str = ""
    erp_order_number: str = ""


@process("order_capture", version=1)
async def capture_order(run: Run[Context], event: ChannelOrderEvent) -> Captured:
    """O2C-01: an order of a channel becomes a sales order in an ERP, once and to the cent."""
    run.note(label=event.number or event.key)
    await run.step(register, event)
    while True:
        order, filed = await _released(run, event)
        if filed.verdict.action == "skip":
            return Captured("skipped", filed.verdict.reason)
        decision = await run.step(prepare, order, backend=filed.erp or None)
        if decision.prepared is None:
            continue
        order, prepared = decision.order or order, decision.prepared
        customer_id = await _customer(run, order, prepared)
        placed = await run.step(put_order, order, prepared, customer_id, backend=prepared.route.erp)
        if placed.ref is not None:
            break
    prepared, erp, channel = placed.prepared, placed.ref.ref.connection, order.ref.connection
    ref = await run.step(check_total, prepared, placed.ref, backend=erp)
    run.note(erp_order_id=ref.ref.id, erp_order_number=ref.number)
    await run.step(accept, order, prepared, ref)
    await run.step(link_order, order, ref, backend=channel)
    who = buyer(order)
    if who.channel_id and who.stored_id != customer_id:
        await run.step(link_customer, order, customer_id, backend=channel)
    for flow in OTHER_FLOWS:
        await run.skip(flow, NOT_CONFIGURED)
    return Captured("accepted", "", erp, ref.ref.id, ref.number)


async def _customer(run: Run[Context], order: ChannelOrder, prepared: Prepared) -> str:
    """The ERP's customer of an order: found or created (section 5), allowed to buy, remembered."""
    erp = prepared.route.erp
    matched = await run.step(find_customer, order, prepared, backend=erp)
    customer = matched.customer
    if customer is None:
        customer = await run.step(create_customer, order, prepared, matched, backend=erp)
    if not may_buy(customer, prepared):
        customer = await run.step(allow_trading, prepared, customer.ref.id, backend=erp)
    if matched.how != "link":
        await run.step(remember_customer, order, prepared, matched, customer.ref.id)
    return customer.ref.id


async def _released(run: Run[Context], event: ChannelOrderEvent) -> tuple[ChannelOrder, Filed]:
    """Read the order until the filter releases or skips it (BR9). A hold ends with a change, or is looked at again."""
    check_s = first_check_s = run.services.settings.hold_check_s
    while True:
        order = await run.step(read_order, event, backend=event.connection)
        run.note(label=order.number)
        filed = await run.step(file_order, order)
        verdict: Verdict = filed.verdict
        if verdict.action != "hold":
            return order, filed
        heard = await run.wait_for(CHANGED, reason=verdict.reason, timeout_s=check_s)
        check_s = first_check_s if heard else min(check_s * 2, LONGEST_HOLD_CHECK_S)


class Told(Struct, frozen=True, omit_defaults=True):
    """How telling a channel of a shipment ended."""

    outcome: str
    """`created`, `tracking_updated`, `nothing_new` or `not_shipped`."""
    fulfilments: tuple[str, ...] = ()


@process("fulfilment_back", version=1)
async def tell_fulfilment(run: Run[Context], given: FulfilmentInput) -> Told:
    """O2C-04: what left the warehouse is told to the channel, line by line, and the customer hears of it once."""
    run.note(label=f"{given.shipment.order_number} shipment {given.shipment.ref.id}")
    plan = await run.step(plan_fulfilment, given, backend=given.channel)
    if plan.outcome in {"nothing_new", "not_shipped"}:
        return Told(plan.outcome, plan.told)
    told = list(plan.told)
    for parcel in plan.parcels:
        made = await run.step(create_fulfilment, given, plan, parcel, tuple(told), backend=given.channel)
        told.append(made.id)
    for fulfilment_id in plan.track:
        await run.step(update_tracking, given, plan, fulfilment_id, backend=given.channel)
    await run.step(keep_shipment, plan, tuple(told))
    return Told(plan.outcome, tuple(told))


class Swept(Struct, frozen=True):
    """What a sweep or poll found. started: runs that were made, or woken by what nobody told us."""

    seen: int
    started: int


@process("fulfilment_poll", version=1)
async def poll_fulfilments(run: Run[Context], given: SweepInput) -> Swept:
    """O2C-04: ask an ERP what was shipped since the last time; each version of a shipment starts one run."""
    mark = await run.step(read_watermark, given)
    seen = started = 0
    cursor, newest = "", mark.value
    while True:
        page = await run.step(poll_page, given, mark.since, cursor, backend=given.connection)
        seen, started, newest = seen + page.seen, started + page.started, max(newest, page.newest)
        if not page.next:
            break
        cursor = page.next
    if newest != mark.value:
        await run.step(advance, given, mark.value, newest)
    return Swept(seen, started)


@process("order_sweep", version=1)
async def sweep_orders(run: Run[Context], given: SweepInput) -> Swept:
    """O2C-08: ask a channel for orders whose event never came; each is captured under the same key as ever."""
    mark = await run.step(read_watermark, given)
    seen = started = 0
    cursor, newest = "", mark.value
    while True:
        page = await run.step(sweep_page, given, mark.since, cursor, backend=given.connection)
        seen, started, newest = seen + page.seen, started + page.started, max(newest, page.newest)
        if not page.next:
            break
        cursor = page.next
    if newest != mark.value:
        await run.step(advance, given, mark.value, newest)
    return Swept(seen, started)
