"""What the journal tells of the way of one order, as a few times and words. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from strata.demo.shop import Placed
from strata.durable import Item, ItemDetail, Status

CAPTURE = "order_capture"
IN_ERP_STEP = "put_order"
WRITTEN_BACK_STEP = "link_order"


class Journey(Struct, frozen=True):
    """How far an order has come. Times are seconds since the shop accepted it; None: not yet."""

    placed: Placed
    item: int | None = None
    accepted_s: float | None = None
    in_erp_s: float | None = None
    written_back_s: float | None = None
    step: str = ""
    erp_number: str = ""
    steps: tuple[tuple[str, int], ...] = ()
    """Names of the steps done and how long each took, in milliseconds."""
    done: bool = False
    failed: str = ""


def journey(placed: Placed, at: datetime, detail: ItemDetail | None) -> Journey:
    """Where the order is. at: when the shop accepted it; detail: its run, if there is one yet."""
    if detail is None:
        return Journey(placed, step="waits for its webhook")
    item = detail.item
    times = {step.name: (step.recorded_at - at).total_seconds() for step in detail.steps if step.kind == "step"}
    return Journey(
        placed,
        item=item.id,
        accepted_s=max(0.0, (item.created_at - at).total_seconds()),
        in_erp_s=times.get(IN_ERP_STEP),
        written_back_s=times.get(WRITTEN_BACK_STEP),
        step=_doing(item),
        erp_number=str(item.facts.get("erp_order_number", "")),
        steps=tuple((s.name, s.took_ms) for s in detail.steps if s.kind == "step"),
        done=item.status in {Status.DONE, Status.DISCARDED},
        failed=(item.reason or "needs a person") if item.status is Status.DEAD else "",
    )


def _doing(item: Item) -> str:
    if item.status is Status.DONE:
        return "done"
    if item.status is Status.DEAD:
        return "needs a person"
    if item.status in {Status.WAITING, Status.SLEEPING, Status.PARKED}:
        return f"waits: {item.reason or item.status.value}"
    return (item.step or "starts").replace("_", " ")


class Spread(Struct, frozen=True):
    """Median and worst of some times, in seconds."""

    median_s: float
    worst_s: float


def spread(times: Sequence[float | None]) -> Spread | None:
    """None when there are none."""
    known = [t for t in times if t is not None]
    return Spread(statistics.median(known), max(known)) if known else None
