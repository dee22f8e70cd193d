"""Why an order does not go on, from the journal, in plain words."""

from __future__ import annotations

from strata.contracts.process.orders import OrderProblem
from strata.durable import Journal, Status
from strata.errors import Problem


async def problem_of(journal: Journal, order_key: str) -> OrderProblem | None:
    """What stops the head of an order's runs; None when nothing does, or when it tries again by itself."""
    head = await journal.head(order_key)
    if head is None or head.status is not Status.DEAD:
        return None
    detail = await journal.get_item(head.id)
    return OrderProblem(
        detail=detail.item.reason or "It stopped for a reason that nobody foresaw.",
        remedy=remedy_of(detail.problem),
        item=str(head.id),
    )


def remedy_of(problem: Problem | None) -> str:
    """What to do, from the causes that the failure named; each once."""
    if problem is None:
        return ""
    return " ".join(dict.fromkeys(cause.remedy for cause in problem.errors if cause.remedy))
