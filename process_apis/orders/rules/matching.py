"""Which customer of the ERP placed an order: the automatic steps of the matching chain (section 5)."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence

from msgspec import Struct

from process_apis.orders.tables import EmailDomain
from strata.canonical.customers import CustomerDraft, CustomerMatch
from strata.canonical.orders import ChannelCustomer, ChannelOrder


class Buyer(Struct, frozen=True, omit_defaults=True):
    """Who placed an order, as the chain looks at it."""

    key: str
    """Our key: of the channel's customer, of a guest's e-mail, or of the order of a guest without one."""
    channel_id: str = ""
    """The channel's customer id; empty for a guest."""
    stored_id: str = ""
    """The ERP's id that was written back to the channel's customer."""
    email: str = ""
    """Trimmed and case-folded."""
    first_name: str = ""
    last_name: str = ""
    company: str = ""


class Found(Struct, frozen=True, omit_defaults=True):
    """What a step of the chain came to: one customer, several, or none."""

    customer: CustomerMatch | None = None
    several: tuple[CustomerMatch, ...] = ()


NOBODY = Found()


def normal(email: str) -> str:
    """An address as step 3 compares it: trimmed, case-folded."""
    return email.strip().casefold()


def buyer(order: ChannelOrder) -> Buyer:
    """The buyer of an order. A guest is known by e-mail, so that the same guest stays one customer."""
    who = order.customer or ChannelCustomer()
    address = order.billing_address or order.shipping_address
    email = normal(who.email)
    source = order.key.split(":order:", 1)[0]
    if who.id:
        key = f"{source}:customer:{who.id}"
    elif email:
        key = f"{source}:guest:{hashlib.sha256(email.encode()).hexdigest()[:24]}"
    else:
        key = f"{source}:guest:order-{order.key.rsplit(':', 1)[1]}"
    return Buyer(
        key=key,
        channel_id=who.id,
        stored_id=who.erp_id,
        email=email,
        first_name=who.first_name or (address.first_name if address else ""),
        last_name=who.last_name or (address.last_name if address else ""),
        company=who.company or (address.company if address and order.b2b else ""),
    )


def _domains(rows: Iterable[EmailDomain]) -> dict[str, EmailDomain]:
    return {row.domain.casefold(): row for row in rows}


def canonical_email(email: str, rows: Iterable[EmailDomain]) -> str:
    """The one spelling of a mailbox: without +tag, without dots where the provider ignores them, at its main domain."""
    local, at, domain = normal(email).rpartition("@")
    if not at or not local:
        return normal(email)
    row = _domains(rows).get(domain, EmailDomain(domain))
    if row.ignores_plus:
        local = local.split("+", 1)[0] or local
    if row.ignores_dots:
        local = local.replace(".", "") or local
    return f"{local}@{row.same_as or domain}"


def other_spellings(email: str, rows: Sequence[EmailDomain]) -> tuple[str, ...]:
    """Addresses of the same mailbox that an ERP may hold, the given one left out; most likely first, few."""
    own = normal(email)
    local, at, domain = own.rpartition("@")
    if not at or not local:
        return ()
    known = _domains(rows)
    row = known.get(domain, EmailDomain(domain))
    main = row.same_as or domain
    names = [local.split("+", 1)[0] or local if row.ignores_plus else local]
    if row.ignores_dots:
        names.append(names[0].replace(".", "") or names[0])
    aliases = [main, *(d for d, r in known.items() if r.same_as == main)]
    candidates = [f"{name}@{place}" for name in names for place in (domain, *aliases)]
    return tuple(dict.fromkeys(c for c in candidates if c != own))


def _words(name: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss").replace("ø", "o").replace("æ", "ae"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("-", " ").replace("'", "")
    return {word.strip(".,") for word in plain.split()} - {""}


def contradicts(who: Buyer, name: str) -> bool:
    """Whether a customer's name speaks against the buyer being the same person: no part of it is shared.

    A name that is not known on either side contradicts nothing; initials count as the names they begin.
    """
    ours, theirs = _words(f"{who.first_name} {who.last_name} {who.company}"), _words(name)
    if not ours or not theirs:
        return False
    if _words(who.last_name):
        ours = _words(who.last_name) | _words(who.company)
    return ours.isdisjoint(theirs)


def one_of(hits: Iterable[CustomerMatch], email: str) -> Found:
    """Step 3: the one active customer with exactly this e-mail."""
    active = {hit.ref.id: hit for hit in hits if hit.active and normal(hit.email) == email}
    if len(active) == 1:
        return Found(next(iter(active.values())))
    return Found(several=tuple(active.values()))


def one_alike(who: Buyer, hits: Iterable[CustomerMatch], rows: Sequence[EmailDomain]) -> Found:
    """Step 4: the one active customer with the same mailbox, spelt otherwise, whose name does not contradict."""
    ours = canonical_email(who.email, rows)
    active = {hit.ref.id: hit for hit in hits if hit.active and canonical_email(hit.email, rows) == ours}
    if len(active) > 1:
        return Found(several=tuple(active.values()))
    alike = [hit for hit in active.values() if not contradicts(who, hit.name)]
    return Found(alike[0]) if alike else NOBODY


def draft(
    order: ChannelOrder, who: Buyer, *, key: str, selling_entity: str, terms: str, provisional: bool
) -> CustomerDraft:
    """The customer to create; a company where a business buys (BR8)."""
    customer = order.customer or ChannelCustomer()
    company = who.company if order.b2b and who.company else ""
    last_name = who.last_name or ("" if who.first_name or company else "Guest")
    address = order.billing_address or order.shipping_address
    return CustomerDraft(
        key=key,
        selling_entity=selling_entity,
        currency=order.currency,
        person=not company,
        first_name=who.first_name,
        last_name=last_name,
        company=company or who.company,
        email=who.email,
        phone=customer.phone or (address.phone if address else ""),
        tax_exempt=customer.tax_exempt,
        billing_address=order.billing_address,
        shipping_address=order.shipping_address,
        terms=terms if company else "",
        provisional=provisional,
    )
