"""One order travels the whole house: placed in the shop, in the ERP with the right total, and told back to the shop."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from tests.e2e import orders
from tests.e2e.running import House, eventually
from tests.e2e.vendors import key_of

EXPERIENCES = {"web": "web-app", "mobile": "mobile-app", "partner": "partner-app"}


def sellable(house: House, shop: str | None = None) -> list[dict[str, object]]:
    """Variants that the ERP knows as active inventory items."""
    known = {
        row["itemid"]
        for row in house.netsuite().suiteql("SELECT itemid FROM item WHERE isinactive = 'F' AND itemtype = 'InvtPart'")
    }
    return [v for v in house.shopify(shop).variants() if v["sku"] in known]


@pytest.fixture(scope="session")
def placed(house: House) -> dict[str, str]:
    """A plain order that went all the way."""
    shop = house.shopify()
    made = shop.place(orders.plain(sellable(house), 1))
    eventually(lambda: shop.order(made["id"])["erpNumber"])
    return {
        "gid": made["id"],
        "name": made["name"],
        "key": key_of(shop.shop, made),
        "total": made["totalPriceSet"]["shopMoney"]["amount"],
    }


class TestOneOrder:
    def test_it_is_in_netsuite_under_its_business_key_with_the_same_total(
        self, house: House, placed: dict[str, str]
    ) -> None:
        order = house.netsuite().order(placed["key"])
        assert order is not None
        assert Decimal(order["total"]) == Decimal(placed["total"])
        assert order["status"]["id"] in {"A", "B"}

    def test_the_shop_carries_the_erps_id_and_number_and_tag(self, house: House, placed: dict[str, str]) -> None:
        order = house.netsuite().order(placed["key"])
        assert order is not None
        told = house.shopify().order(placed["gid"])
        assert told["erpId"]["value"] == order["id"]
        assert told["erpNumber"]["value"] == order["tranId"]
        assert f"erp:{order['tranId']}" in told["tags"]

    @pytest.mark.parametrize("audience", EXPERIENCES)
    def test_each_experience_tells_its_status_by_id_and_by_number(
        self, house: House, placed: dict[str, str], audience: str
    ) -> None:
        with house.api(EXPERIENCES[audience]) as api:
            by_id = api.get(f"/{audience}/v1/orders/{placed['key']}")
            by_number = api.get(f"/{audience}/v1/orders/by_number/{placed['name'].removeprefix('#')}")
        assert by_id.status_code == by_number.status_code == 200, by_id.text
        assert by_id.json() == by_number.json()
        assert by_id.json()["status"] == "accepted"

    def test_the_mobile_answer_is_small_and_the_partners_has_no_personal_data(
        self, house: House, placed: dict[str, str]
    ) -> None:
        with house.api("mobile-app") as mobile, house.api("partner-app") as partner:
            small = mobile.get(f"/mobile/v1/orders/{placed['key']}")
            document = partner.get(f"/partner/v1/orders/{placed['key']}")
        assert len(small.content) < 600
        assert "Robin" not in document.text
        assert "example.com" not in document.text

    def test_nobody_gets_in_without_a_token(self, house: House, placed: dict[str, str]) -> None:
        answer = httpx.get(f"{house.info()['gateway']['base_url']}/web/v1/orders/{placed['key']}")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"

    def test_a_partner_does_not_see_the_orders_of_other_shops(self, house: House) -> None:
        shop = house.shopify("northwind-eu")
        variants = sellable(house, "northwind-eu")
        order = orders.plain(variants, 77)
        order["currency"] = "EUR"
        made = shop.place(orders.in_euros(order))
        key = key_of(shop.shop, made)
        with house.api("web-app") as web, house.api("partner-app") as partner:
            eventually(lambda: web.get(f"/web/v1/orders/{key}").status_code == 200)
            hidden = partner.get(f"/partner/v1/orders/{key}")
            missing = partner.get("/partner/v1/orders/sh:northwind-eu:order:999999999999")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["code"] == missing.json()["code"]
