"""What the warehouse ships comes back to the shop: per line, in parts, each once, one notice per shipment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e import orders
from tests.e2e.running import House, eventually
from tests.e2e.test_one_order import sellable
from tests.e2e.vendors import key_of


@pytest.fixture
def accepted(house: House) -> dict[str, Any]:
    """An order of two lines (three pieces and one) that NetSuite has accepted."""
    shop = house.shopify()
    variants = sellable(house)
    order = orders.plain(variants, 4000)
    first, second = (dict(orders.plain([v], 1)["lineItems"][0]) for v in variants[:2])
    order["lineItems"] = [{**first, "quantity": 3, "taxLines": []}, {**second, "quantity": 1, "taxLines": []}]
    made = shop.place(order)
    eventually(lambda: shop.order(made["id"])["erpNumber"])
    key = key_of(shop.shop, made)
    in_erp = house.netsuite().order(key)
    assert in_erp is not None
    lines = [line for line in in_erp["item"]["items"] if line.get("quantity")]
    return {"gid": made["id"], "key": key, "erp_id": in_erp["id"], "lines": lines}


def shipped(shop_order: dict[str, Any]) -> dict[str, int]:
    """SKU -> pieces in fulfilments that stand."""
    found: dict[str, int] = {}
    for fulfilment in shop_order["fulfillments"]:
        if fulfilment["status"] == "SUCCESS":
            for line in fulfilment["fulfillmentLineItems"]["nodes"]:
                sku = line["lineItem"]["sku"]
                found[sku] = found.get(sku, 0) + line["quantity"]
    return found


def notices(house: House, gid: str) -> int:
    told = house.shopify().control("GET", "state/notification?limit=1000")["items"]
    return sum(1 for n in told if gid.rsplit("/", 1)[1] in str(n))


class TestPartialShipments:
    def test_two_parcels_come_back_as_two_fulfilments_and_two_notices(
        self, house: House, accepted: dict[str, Any]
    ) -> None:
        shop, netsuite = house.shopify(), house.netsuite()
        first, second = accepted["lines"][:2]
        before = notices(house, accepted["gid"])

        netsuite.fulfil(
            accepted["erp_id"],
            [
                {"orderLine": first["line"], "quantity": 2, "itemReceive": True},
                {"orderLine": second["line"], "itemReceive": False},
            ],
            tracking="1Z-FIRST",
        )
        partly = eventually(lambda: (o := shop.order(accepted["gid"]))["fulfillments"] and o)
        assert sorted(shipped(partly).values()) == [2]
        assert partly["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
        assert partly["fulfillments"][0]["trackingInfo"][0]["number"] == "1Z-FIRST"

        netsuite.fulfil(accepted["erp_id"], tracking="1Z-SECOND")
        whole = eventually(lambda: (o := shop.order(accepted["gid"]))["displayFulfillmentStatus"] == "FULFILLED" and o)
        assert sorted(shipped(whole).values()) == [1, 3]
        assert len(whole["fulfillments"]) == 2
        assert notices(house, accepted["gid"]) - before == 2

        with house.api("web-app") as web:
            status = eventually(
                lambda: (a := web.get(f"/web/v1/orders/{accepted['key']}").json())["status"] == "shipped" and a
            )
        assert len(status["shipments"]) == 2
