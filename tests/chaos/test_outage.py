"""NetSuite goes away in three ways under steady intake; Strata keeps taking orders and catches up afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest

from tests.chaos.shoppers import Shoppers, assert_both_ends_agree, sellable
from tests.e2e.running import House

PHASES = {
    "answers 503": {"kind": "status", "status": 503},
    "commits, then times out": {"kind": "timeout_after", "hang_s": 12, "match": {"operation": "salesOrder:PUT"}},
    "throttles": {"kind": "throttle"},
}
PHASE_S = 12.0


@pytest.fixture
def house() -> Iterator[House]:
    with House(STRATA_SWEEP_S="5", STRATA_SWEEP_OVERLAP_S="600") as made:
        made.start()
        yield made


def memory_mib(house: House) -> float:
    """Resident memory of Strata's own processes: the main one and its worker."""
    assert house.process is not None
    main = psutil.Process(house.process.pid)
    family = [main, *(p for p in main.children(recursive=True) if "postgres" not in p.name())]
    return sum(p.memory_info().rss for p in family) / 1024 / 1024


@pytest.mark.timeout(600)
def test_orders_are_taken_all_the_time_and_all_of_them_arrive_once(house: House) -> None:
    netsuite, shopify = house.netsuite(), house.shopify()
    with Shoppers(shopify, sellable(house), per_s=4) as shoppers:
        time.sleep(6)
        before = memory_mib(house)
        for fault in PHASES.values():
            netsuite.control("POST", "faults", fault)
            time.sleep(PHASE_S)
            netsuite.control("DELETE", "faults")
        after = memory_mib(house)
    assert_both_ends_agree(house, shoppers.placed, within_s=150)
    assert after - before < 40, "memory grew with the backlog"
    deliveries = shopify.control("GET", "state/webhook_delivery?limit=5000")["items"]
    assert len(deliveries) > len(shoppers.placed)
    not_at_once = [d for d in deliveries if (d["status"], d["attempts"], d["last_status"]) != ("delivered", 1, 200)]
    assert not_at_once == [], "a webhook was not taken at its first delivery"
    summary = netsuite.control("GET", "requests")["summary"]
    assert summary["max_concurrency"] <= 5, "the governor let more calls through than the account allows"
