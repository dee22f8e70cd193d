"""Shoppers who never stop buying, and the bookkeeper who compares both ends afterwards."""

from __future__ import annotations

import random
import threading
import time
from decimal import Decimal
from typing import Any, Protocol

from tests.e2e import orders
from tests.e2e.running import eventually
from tests.e2e.vendors import NetSuite, ShopifyAdmin, key_of


class Vendors(Protocol):
    """Whatever runs beside the two backends."""

    def shopify(self) -> ShopifyAdmin: ...

    def netsuite(self) -> NetSuite: ...


class Shoppers:
    """Places plain orders at a steady rate from a thread of its own until stopped."""

    def __init__(self, shop: ShopifyAdmin, variants: list[dict[str, Any]], per_s: float) -> None:
        self._shop = shop
        self._variants = variants
        self._pause_s = 1 / per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._buy, daemon=True)
        self._rng = random.Random(20261120)
        self.placed: dict[str, dict[str, Any]] = {}
        self.failure: BaseException | None = None

    def _buy(self) -> None:
        number = 0
        due = time.monotonic()
        try:
            while not self._stop.is_set():
                number += 1
                # a few shoppers come back: their customer must be matched, not made again
                made = self._shop.place(
                    orders.plain(self._variants, self._rng.randint(1, 40) if number % 4 else number)
                )
                self.placed[key_of(self._shop.shop, made)] = made
                due += self._pause_s
                time.sleep(max(0.0, due - time.monotonic()))
        except BaseException as error:  # told by the test that waits for it
            self.failure = error

    def __enter__(self) -> Shoppers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        if self.failure is not None:
            raise self.failure


def assert_both_ends_agree(house: Vendors, placed: dict[str, dict[str, Any]], *, within_s: float) -> None:
    """Every placed order is in NetSuite once with the right total, and back in Shopify; no customer is doubled."""
    netsuite, shopify = house.netsuite(), house.shopify()

    def all_there() -> bool:
        return len(placed.keys() & netsuite.orders_by_key().keys()) == len(placed)

    eventually(all_there, within_s=within_s, every_s=1)
    in_erp = netsuite.orders_by_key()
    assert {key: len(rows) for key, rows in in_erp.items() if len(rows) != 1} == {}
    wrong = {
        key: (in_erp[key][0]["foreigntotal"], made["totalPriceSet"]["shopMoney"]["amount"])
        for key, made in placed.items()
        if Decimal(in_erp[key][0]["foreigntotal"]) != Decimal(made["totalPriceSet"]["shopMoney"]["amount"])
    }
    assert wrong == {}
    for key, made in placed.items():
        told = eventually(lambda made=made: shopify.order(made["id"])["erpNumber"], within_s=within_s, every_s=0.5)
        assert told["value"] == in_erp[key][0]["tranid"]
    doubled = netsuite.suiteql("SELECT email, COUNT(*) AS n FROM customer GROUP BY email HAVING COUNT(*) > 1")
    assert [row for row in doubled if row.get("email", "").startswith("shopper")] == []


def sellable(house: Vendors) -> list[dict[str, Any]]:
    """Variants that the ERP knows as active inventory items."""
    rows = house.netsuite().suiteql("SELECT itemid FROM item WHERE isinactive = 'F' AND itemtype = 'InvtPart'")
    known = {row["itemid"] for row in rows}
    return [v for v in house.shopify().variants() if v["sku"] in known]
