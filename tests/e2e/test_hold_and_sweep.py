"""Orders that are not paid wait; orders whose webhook never came are found."""

from __future__ import annotations

from tests.e2e import orders
from tests.e2e.running import House, eventually
from tests.e2e.test_one_order import sellable
from tests.e2e.vendors import key_of


class TestHold:
    def test_an_unpaid_order_is_held_and_goes_on_when_it_is_paid(self, house: House) -> None:
        shop = house.shopify()
        made = shop.place({**orders.plain(sellable(house), 5000), "financialStatus": "PENDING"})
        key = key_of(shop.shop, made)
        with house.api("web-app") as web:
            eventually(lambda: web.get(f"/web/v1/orders/{key}").json().get("status") == "on_hold")
            assert house.netsuite().order(key) is None
            shop.mark_paid(made["id"])
            eventually(lambda: shop.order(made["id"])["erpNumber"])
            assert web.get(f"/web/v1/orders/{key}").json()["status"] == "accepted"

    def test_a_test_order_never_reaches_the_erp(self, house: House) -> None:
        shop = house.shopify()
        made = shop.place({**orders.plain(sellable(house), 5001), "test": True})
        later = shop.place(orders.plain(sellable(house), 5002))
        eventually(lambda: shop.order(later["id"])["erpNumber"])
        assert house.netsuite().order(key_of(shop.shop, made)) is None


class TestSweep:
    def test_an_order_whose_webhooks_were_all_lost_is_found(self, house: House) -> None:
        shop = house.shopify()
        shop.control("POST", "faults", {"kind": "webhook_lost", "id": "lost"})
        try:
            made = shop.place(orders.plain(sellable(house), 5100))
            eventually(lambda: shop.order(made["id"])["erpNumber"])
        finally:
            shop.control("DELETE", "faults/lost")
        assert len(house.netsuite().orders_by_key()[key_of(shop.shop, made)]) == 1

    def test_a_held_order_whose_paid_webhook_was_lost_goes_on(self, house: House) -> None:
        shop = house.shopify()
        made = shop.place({**orders.plain(sellable(house), 5101), "financialStatus": "PENDING"})
        key = key_of(shop.shop, made)
        with house.api("web-app") as web:
            eventually(lambda: web.get(f"/web/v1/orders/{key}").json().get("status") == "on_hold")
        shop.control("POST", "faults", {"kind": "webhook_lost", "id": "lost"})
        try:
            shop.mark_paid(made["id"])
            eventually(lambda: shop.order(made["id"])["erpNumber"])
        finally:
            shop.control("DELETE", "faults/lost")
