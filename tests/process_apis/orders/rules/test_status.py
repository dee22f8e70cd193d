"""The rank of statuses (9.1), and the status an order has when an ERP is found to hold it."""

from __future__ import annotations

import pytest

from process_apis.orders.rules.status import RANK, status_at_acceptance
from strata.canonical.orders import OrderStatus as S


def test_every_status_has_a_rank_of_its_own_and_cancel_the_highest() -> None:
    assert len(set(RANK.values())) == len(S)
    assert max(RANK, key=RANK.__getitem__) is S.CANCELLED


@pytest.mark.parametrize(
    ("told", "ships", "status"),
    [
        (S.ACCEPTED, True, S.ACCEPTED),
        (S.ON_HOLD, True, S.ACCEPTED),  # the ERP waits for an approval
        (S.SHIPPED, True, S.SHIPPED),
        (S.SHIPPED, False, S.ACCEPTED),  # gift cards and services only
        (S.BILLED, False, S.BILLED),
        (S.CANCELLED, True, S.CANCELLED),
    ],
)
def test_the_status_at_acceptance(told: S, ships: bool, status: S) -> None:
    assert status_at_acceptance(told, ships=ships) is status
