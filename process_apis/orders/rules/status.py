"""The rank of order statuses (business-processes 9.1)."""

from __future__ import annotations

from strata.canonical.orders import OrderStatus

RANK: dict[OrderStatus, int] = {status: rank for rank, status in enumerate(OrderStatus)}
"""A status of lower rank never overwrites a higher one, but for cancel and reopen."""

HELD_BACK = frozenset({OrderStatus.RECEIVED, OrderStatus.QUEUED, OrderStatus.ON_HOLD})
"""Not in an ERP yet."""
