"""Steps of the matching chain (section 5): find, create, allow to buy, remember, link back."""

from __future__ import annotations

from msgspec import Struct

from process_apis.orders.ledger import Ledger, reachable
from process_apis.orders.rules.matching import Buyer, buyer, canonical_email, draft, one_alike, one_of, other_spellings
from process_apis.orders.steps.capture import BY, Prepared
from process_apis.orders.tables import EMAIL_DOMAINS
from strata.canonical.customers import CustomerMatch
from strata.canonical.orders import ChannelOrder
from strata.context import Context
from strata.contracts.system import ChannelOrders, Customers
from strata.durable import At
from strata.errors import FieldError, Invalid, NotFound, Throttled

TURN_S = 0.3
"""How soon an order looks again whether another one has made their customer."""


class Matched(Struct, frozen=True, omit_defaults=True):
    """What the chain came to. how: the step that found the customer; several: candidates a person must choose from.

    taken: our key stands on a customer of the ERP who is inactive.
    """

    how: str
    customer: CustomerMatch | None = None
    several: tuple[CustomerMatch, ...] = ()
    taken: bool = False


async def _read(customers: Customers, customer_id: str) -> CustomerMatch | None:
    """A customer that is there and active; None for one that was deleted, merged away or switched off."""
    try:
        found = await customers.get_customer(customer_id)
    except NotFound:
        return None
    return found if found.active else None


async def find_customer(at: At[Context], order: ChannelOrder, prepared: Prepared) -> Matched:
    """The automatic steps of the chain: link, stored id, external id, exact e-mail, same mailbox otherwise spelt."""
    context, erp, who = at.services, prepared.route.erp, buyer(order)
    customers = context.topology.system(erp, Customers)
    with reachable():
        linked = await context.crossref.get(f"customer:{erp}", who.key)
    for how, customer_id in (("link", linked), ("stored_id", who.stored_id)):
        if customer_id and (found := await _read(customers, customer_id)):
            return Matched(how, found)
    hits = await customers.find_customers(key=who.key, email=who.email)
    by_key = [hit for hit in hits if hit.key == who.key]
    for hit in by_key:
        if hit.active:
            return Matched("external_id", hit)
    taken = bool(by_key)
    if not who.email:
        return Matched("none", taken=taken)
    exact = one_of(hits, who.email)
    if exact.customer or exact.several:
        return Matched("email", exact.customer, exact.several, taken)
    return await _same_mailbox(context, customers, who, erp, taken=taken)


async def _same_mailbox(context: Context, customers: Customers, who: Buyer, erp: str, *, taken: bool) -> Matched:
    with reachable():
        domains = (await context.tables.rows(EMAIL_DOMAINS)).rows
        met = await context.crossref.get(f"mailbox:{erp}", canonical_email(who.email, domains))
    hits: list[CustomerMatch] = []
    if met and (known := await _read(customers, met)):
        hits.append(known)
    for spelling in other_spellings(who.email, domains):
        hits.extend(await customers.find_customers(email=spelling))
    alike = one_alike(who, hits, domains)
    return Matched("mailbox" if alike.customer or alike.several else "none", alike.customer, alike.several, taken)


async def create_customer(at: At[Context], order: ChannelOrder, prepared: Prepared, matched: Matched) -> CustomerMatch:
    """Create the customer under our key; provisional while a person has to choose among several (section 5).

    Orders of one new buyer, from several shops at once, take turns and agree on one key, and so on one customer.
    Raises Throttled while another order has its turn.
    """
    context, erp, who = at.services, prepared.route.erp, buyer(order)
    provisional = bool(matched.several)
    whose = who.key if provisional or not who.email else who.email
    claim = await Ledger(context.database).claim_customer(order.key, erp=erp, buyer=whose, key=who.key)
    if claim is None:
        raise Throttled("Another order of this buyer is making the customer", retry_after_s=TURN_S)
    route = prepared.route
    body = draft(
        order, who, key=claim.key, selling_entity=route.selling_entity, terms=route.terms, provisional=provisional
    )
    customers = context.topology.system(erp, Customers)
    known = at.repeated or not claim.first or matched.taken  # an upsert would write over who is there
    made = await customers.put_customer(claim.key, body=body, look_first=known)
    if not made.active:
        raise Invalid(
            f"Customer {made.name or made.ref.id} of order {order.number} is inactive in the ERP",
            errors=(
                FieldError(
                    "the customer is inactive in the ERP",
                    "/customer",
                    made.ref.id,
                    "Make the customer active again in the ERP, then retry.",
                    "inactive-customer",
                ),
            ),
        )
    return made


def may_buy(customer: CustomerMatch, prepared: Prepared) -> bool:
    """Whether the entity already sells to the customer in the order's currency."""
    return prepared.route.selling_entity in customer.selling_entities and prepared.order.currency in customer.currencies


async def allow_trading(at: At[Context], prepared: Prepared, customer_id: str) -> CustomerMatch:
    """Make sure that the entity may sell to the customer in the order's currency."""
    customers = at.services.topology.system(prepared.route.erp, Customers)
    return await customers.allow_trading(
        customer_id, selling_entity=prepared.route.selling_entity, currency=prepared.order.currency
    )


async def remember_customer(
    at: At[Context], order: ChannelOrder, prepared: Prepared, matched: Matched, customer_id: str
) -> None:
    """Keep who is who, both ways (contract C14), and ask a person where the chain found several."""
    context, erp, who = at.services, prepared.route.erp, buyer(order)
    with reachable():
        if matched.how == "stored_id":  # the shop's word is newer than a link to a customer that is gone
            await context.crossref.replace(f"customer:{erp}", who.key, customer_id, by=BY)
        else:
            kept = await context.crossref.put(f"customer:{erp}", who.key, customer_id, by=BY)
            if kept != customer_id:  # the customer it pointed to is gone, or the chain would have stopped there
                await context.crossref.replace(f"customer:{erp}", who.key, customer_id, by=BY)
        await context.crossref.put(f"customer_of:{erp}", customer_id, who.key, by=BY)
        if who.email and not matched.several:
            domains = (await context.tables.rows(EMAIL_DOMAINS)).rows
            await context.crossref.put(f"mailbox:{erp}", canonical_email(who.email, domains), customer_id, by=BY)
    if matched.several:
        await Ledger(context.database).review_customer(
            order.key,
            erp=erp,
            buyer_key=who.key,
            customer_id=customer_id,
            reason=f"{len(matched.several)} active customers have the e-mail of this order's buyer.",
            candidates=[hit.ref.id for hit in matched.several],
        )
    if matched.customer is None:
        await Ledger(context.database).let_customer_go(order.key, erp=erp)


async def link_customer(at: At[Context], order: ChannelOrder, customer_id: str) -> str:
    """Write the ERP's customer id onto the channel's customer. Answers what came of it.

    A customer that the shop has erased meanwhile has nothing to link; the order is not held up for that.
    """
    channel = at.services.topology.system(order.ref.connection, ChannelOrders)
    try:
        await channel.link_customer_to_erp(buyer(order).channel_id, erp_customer_id=customer_id)
    except NotFound:
        return "the channel no longer has this customer"
    return "linked"
