"""The rank of order statuses."""

from __future__ import annotations

from strata.canonical.orders import OrderStatus

RANK: dict[OrderStatus, int] = {status: rank for rank, status in enumerate(OrderStatus)}
"""A status of lower rank never overwrites a higher one, but for cancel and reopen."""

HELD_BACK = frozenset({OrderStatus.RECEIVED, OrderStatus.QUEUED, OrderStatus.ON_HOLD})
"""Not in an ERP yet."""

_ON_THE_WAY = frozenset({OrderStatus.IN_FULFILMENT, OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED})


def status_at_acceptance(told: OrderStatus, *, ships: bool) -> OrderStatus:
    """The status of an order that an ERP has just been found to hold, by what the ERP says.

    An approval that the ERP still waits for is its own matter. An order of which nothing ships is not on its way
    although the ERP calls it fulfilled ("no fulfilment needed" in 9.1).
    """
    if RANK[told] < RANK[OrderStatus.ACCEPTED] or (told in _ON_THE_WAY and not ships):
        return OrderStatus.ACCEPTED
    return told
