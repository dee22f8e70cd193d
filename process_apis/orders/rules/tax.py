"""The ERP's tax code for the taxes that the source charged (BR3)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from process_apis.orders.rules.causes import Causes
from process_apis.orders.tables import ANY, TaxCode, best, is_or_any
from strata.canonical.money import Money, minor_unit, zero
from strata.canonical.orders import TaxLine

NO_TAX = Decimal(0)


class TaxArea(Struct, frozen=True):
    """Where and how an order is taxed. nexus: the set of rows its route names; empty = rows for any nexus."""

    nexus: str
    country: str
    region: str
    included: bool


class Share(Struct, frozen=True):
    """A part of a charge whose taxes all have the same base. amount: as the source shows it, with tax if included."""

    amount: Money
    title: str
    rate: Decimal
    tax: Money
    code: str = ""
    erp_rate: Decimal = NO_TAX
    """What the ERP itself would tax by."""


def find_code(title: str, rate: Decimal, area: TaxArea, rows: Sequence[TaxCode]) -> TaxCode | None:
    """The most specific row for a tax; rates are compared as numbers."""

    def fits(row: TaxCode) -> bool:
        return (
            is_or_any(row.title, title)
            and (row.rate is None or row.rate == rate)
            and is_or_any(row.nexus, area.nexus)
            and is_or_any(row.country, area.country)
            and is_or_any(row.region, area.region)
            and row.included in {None, area.included}
        )

    def given(row: TaxCode) -> int:
        named = sum(column != ANY for column in (row.title, row.nexus, row.country, row.region))
        return named + (row.rate is not None) + (row.included is not None)

    return best(rows, fits, given)


def _compound(amount: Money, taxes: Sequence[TaxLine], *, included: bool) -> bool:
    """Whether each tax fits its rate on the whole base, give or take the rounding of source and tax."""
    rate = sum((t.rate for t in taxes), NO_TAX)
    base = amount.amount / (1 + rate) if included else amount.amount
    slack = 2 * minor_unit(amount.currency)
    return all(abs(base * t.rate - t.amount.amount) <= slack for t in taxes)


def _titled(taxes: Sequence[TaxLine]) -> str:
    return " + ".join(sorted(t.title for t in taxes))


def _parted(amount: Money, taxes: Sequence[TaxLine], *, included: bool) -> bool:
    """Whether the bases that the taxes imply make up the charge, give or take what their rounding hides."""
    if not all(t.rate for t in taxes):
        return False
    bases = sum((t.amount.amount / t.rate * (1 + t.rate if included else 1) for t in taxes), NO_TAX)
    slack = sum((minor_unit(amount.currency) / t.rate for t in taxes), NO_TAX)
    return abs(bases - amount.amount) <= slack


def shares(amount: Money, taxes: Sequence[TaxLine], *, included: bool) -> list[list[Share]]:
    """The ways to read the taxes on a charge, likeliest first: each a list of parts with one tax base each.

    Taxes that apply together (state and city) are one part. Taxes that each fall on a part of the charge (shipping of
    goods with different rates of VAT) are parts of their own, in proportion to the base that each tax implies. The
    parts of a reading sum to the charge, their taxes to its taxes. Small amounts may be read either way.
    """
    real = [t for t in taxes if t.rate or t.amount]
    if not real:
        return [[Share(amount, "", NO_TAX, zero(amount.currency))]]
    tax = sum((t.amount for t in real), zero(amount.currency))
    together = [Share(amount, _titled(real), sum((t.rate for t in real), NO_TAX), tax)]
    if len(real) == 1:
        return [together]
    weights = [t.amount.amount / t.rate * (1 + t.rate if included else 1) if t.rate else NO_TAX for t in real]
    parts = amount.allocate(weights)
    apart = [Share(part, t.title, t.rate, t.amount) for part, t in zip(parts, real, strict=True)]
    if not _compound(amount, real, included=included):
        return [apart]
    return [together, apart] if _parted(amount, real, included=included) else [together]


def read(readings: Sequence[Sequence[Share]], area: TaxArea, rows: Sequence[TaxCode]) -> Sequence[Share]:
    """The first reading of which every tax has a row; else the likeliest, so that a person is told of that."""
    for reading in readings:
        if all(find_code(share.title, share.rate, area, rows) for share in reading):
            return reading
    return readings[0]


def coded(share: Share, area: TaxArea, rows: Sequence[TaxCode], causes: Causes, pointer: str) -> Share:
    """The share with the ERP's tax code. A tax without a row is a cause; untaxed without one means not taxable."""
    row = find_code(share.title, share.rate, area, rows)
    causes.use("tax_codes", row)
    if row is None and (share.title or share.rate or share.tax):
        where = "-".join(part for part in (area.country, area.region) if part) or "an unknown country"
        percent = f"{share.rate * 100:f}".rstrip("0").rstrip(".") if share.rate else "0"
        causes.add(
            "unmapped-tax",
            pointer,
            f"the tax {share.title!r} of {percent} % in {where} has no tax code in the ERP",
            value=f"{share.title} {percent} %",
            remedy="Add a row for it to the table tax_codes, then retry.",
        )
    if row is None:
        return share
    erp_rate = share.rate if row.erp_rate is None else row.erp_rate
    return Share(share.amount, share.title, share.rate, share.tax, row.code, erp_rate)
