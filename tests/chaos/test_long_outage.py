"""NetSuite is away for four hours while 40,000 orders come in; nothing is lost, memory stays flat, all of it drains.

The four hours pass on the journal's simulated clock, at the pace at which the sandbox can place the orders.
STRATA_SOAK_ORDERS sets another number of orders.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import asyncpg
import psutil
import pytest

from strata.durable import Journal
from tests.e2e.running import House, eventually
from tests.e2e.vendors import ShopifyAdmin

ORDERS = int(os.environ.get("STRATA_SOAK_ORDERS", "40000"))
OUTAGE_S = 4 * 3600.0
BATCH = 50
FIRST = 20
PAGE = """
query page($after: String) {
  orders(first: 100, after: $after) {
    nodes { legacyResourceId totalPriceSet { presentmentMoney { amount } }
            erpNumber: metafield(namespace: "strata", key: "erp_order_number") { value } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture
def house() -> Iterator[House]:
    with House(STRATA_SWEEP_S="1000000", STRATA_FULFILMENT_POLL_S="3600", STRATA_LOG_LEVEL="error") as made:
        made.start()
        yield made


def memory_mib(house: House) -> float:
    assert house.process is not None
    main = psutil.Process(house.process.pid)
    family = [main, *(p for p in main.children(recursive=True) if "postgres" not in p.name())]
    return sum(p.memory_info().rss for p in family) / 1024 / 1024


def journal_of(house: House, work: Callable[[Journal], Any]) -> Any:
    """Something done with the journal of the running house."""

    async def done() -> Any:
        pool = await asyncpg.create_pool(
            json.loads((house.data / "run.json").read_text())["database_url"], min_size=1, max_size=1
        )
        try:
            return await work(await Journal.open(pool))
        finally:
            await pool.close()

    return asyncio.run(done())


def in_shop(shop: ShopifyAdmin) -> dict[str, tuple[str, str | None]]:
    """Our key -> (total, ERP number) of every order of a shop."""
    found: dict[str, tuple[str, str | None]] = {}
    after = None
    while True:
        page = shop.graphql(PAGE, after=after)["orders"]
        for node in page["nodes"]:
            number = (node["erpNumber"] or {}).get("value")
            total = node["totalPriceSet"]["presentmentMoney"]["amount"]
            found[f"sh:{shop.shop}:order:{node['legacyResourceId']}"] = (total, number)
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


@pytest.mark.soak
def test_four_hours_without_netsuite(house: House, record_property: Callable[[str, object], None]) -> None:
    shop, netsuite = house.shopify(), house.netsuite()
    shop.control("POST", "seed", {"orders": FIRST, "shop": shop.shop, "paid": 1, "failing": 0})
    eventually(lambda: len(netsuite.orders_by_key()) == FIRST, within_s=60)
    netsuite.control("DELETE", "requests")
    before = memory_mib(house)

    netsuite.control("POST", "faults", {"kind": "status", "status": 503})
    began = time.monotonic()
    placed = FIRST
    while placed < ORDERS:
        shop.control("POST", "seed", {"orders": BATCH, "shop": shop.shop, "paid": 1, "failing": 0})
        placed += BATCH
        while shop.control("GET", "state/webhook_delivery?status=pending&limit=0")["total"] > 500:
            time.sleep(0.1)
        passed_s = OUTAGE_S * BATCH / (ORDERS - FIRST)
        journal_of(house, lambda journal, passed_s=passed_s: journal.advance_clock(passed_s))
    intake_s = time.monotonic() - began
    during = memory_mib(house)
    calls_while_dark = netsuite.control("GET", "requests?limit=0")["summary"]["total"]
    netsuite.control("DELETE", "faults")

    began = time.monotonic()

    def drained() -> bool:
        return int(netsuite.suiteql("SELECT COUNT(*) AS n FROM transaction WHERE type = 'SalesOrd'")[0]["n"]) >= placed

    eventually(drained, within_s=3 * 3600, every_s=5)
    drain_s = time.monotonic() - began
    eventually(lambda: all(number for _, number in in_shop(shop).values()), within_s=1800, every_s=10)
    after = memory_mib(house)

    in_erp = netsuite.orders_by_key()
    told = in_shop(shop)
    assert told.keys() == in_erp.keys()
    assert [key for key, rows in in_erp.items() if len(rows) != 1] == []
    wrong = [k for k, (total, _) in told.items() if Decimal(total) != Decimal(in_erp[k][0]["foreigntotal"])]
    assert wrong == []
    assert [k for k, (_, number) in told.items() if number != in_erp[k][0]["tranid"]] == []
    assert during - before < 40, "memory grew with the backlog"
    record_property("orders", placed)
    record_property("intake_per_s", round(placed / intake_s, 1))
    record_property("drain_per_s", round(placed / drain_s, 1))
    record_property("memory_before_mib", round(before))
    record_property("memory_at_the_end_of_the_outage_mib", round(during))
    record_property("memory_after_the_drain_mib", round(after))
    record_property("calls_to_the_dark_backend", calls_while_dark)
