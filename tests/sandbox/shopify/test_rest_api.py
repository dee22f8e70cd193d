from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.sandbox.shopify.conftest import custom, money

FIXTURE = Path(__file__).parent / "fixtures" / "order.json"
# members of the client library's fixture that the API dropped since (they carry 2008's checkout and card data)
GONE = {
    "checkout_id", "gateway", "processing_method", "total_price_usd", "payment_details", "source", "landing_site",
    "landing_site_ref", "reference",
}  # fmt: skip
LINE_GONE = {"fulfillment_line_item_id"}


class TestShape:
    async def test_every_member_of_the_client_librarys_order_is_there(self, shop):
        order = await shop.create(
            customer={"toUpsert": {"email": "a@example.com"}},
            shippingAddress={"city": "X", "countryCode": "US"},
            shippingLines=[{"title": "S", "priceSet": money("5")}],
        )
        body = (await shop.rest(f"orders/{order['legacyResourceId']}.json")).json()["order"]
        known = json.loads(FIXTURE.read_text())["order"]
        assert set(known) - GONE <= set(body)
        assert set(known["line_items"][0]) <= set(body["line_items"][0])
        assert set(known["shipping_address"]) <= set(body["shipping_address"])
        assert set(known["customer"]) - {
            "accepts_marketing",
            "orders_count",
            "last_order_id",
            "total_spent",
            "last_order_name",
        } <= set(body["customer"])
        assert body["admin_graphql_api_id"] == order["id"]

    async def test_amounts_are_texts_with_the_currencys_decimals(self, shop):
        order = await shop.create(
            lineItems=[custom("a", "10", 2, taxLines=[{"title": "T", "rate": 0.1}])],
            discountCode={"itemPercentageDiscountCode": {"code": "TEN", "percentage": 10}},
        )
        body = (await shop.rest(f"orders/{order['legacyResourceId']}.json")).json()["order"]
        assert (body["total_price"], body["subtotal_price"], body["total_tax"], body["total_discounts"]) == (
            "19.80",
            "18.00",
            "1.80",
            "2.00",
        )
        assert body["total_price_set"]["shop_money"] == {"amount": "19.80", "currency_code": "USD"}
        assert body["discount_codes"] == [{"code": "TEN", "amount": "2.00", "type": "percentage"}]
        assert body["line_items"][0]["discount_allocations"][0]["amount"] == "2.00"
        assert body["discount_applications"][0]["value"] == "10.0"

    async def test_times_carry_the_shops_offset(self, shop):
        await shop.control("clock", {"set": "2026-11-20T17:00:00Z", "freeze": True})
        order = await shop.create()
        body = (await shop.rest(f"orders/{order['legacyResourceId']}.json")).json()["order"]
        assert body["created_at"] == "2026-11-20T09:00:00-08:00"


class TestOrders:
    async def test_paging_by_link_header(self, shop):
        made = [int((await shop.create())["legacyResourceId"]) for _ in range(5)]
        seen, path = [], "orders.json?limit=2&status=any"
        while path:
            answer = await shop.rest(path)
            seen += [o["id"] for o in answer.json()["orders"]]
            link = re.search(
                r'<http://shopify\.test/admin/api/2026-10/([^>]+)>; rel="next"', answer.headers.get("link", "")
            )
            path = link[1] if link else None
        assert sorted(seen) == made
        assert len(seen) == 5

    async def test_page_info_takes_no_other_filter(self, shop):
        assert (await shop.rest("orders.json", page_info="e30=", status="any")).status_code == 400

    async def test_since_id_and_updated_at_min(self, shop):
        await shop.control("clock", {"set": "2026-11-01T10:00:00Z", "freeze": True})
        first = await shop.create()
        await shop.control("clock", {"offset_s": 60})
        second = await shop.create()
        ids = lambda answer: [o["id"] for o in answer.json()["orders"]]  # noqa: E731
        assert ids(await shop.rest("orders.json", since_id=first["legacyResourceId"])) == [
            int(second["legacyResourceId"])
        ]
        assert ids(await shop.rest("orders.json", updated_at_min="2026-11-01T11:00:30+01:00")) == [
            int(second["legacyResourceId"])
        ]

    async def test_only_open_ones_unless_asked(self, shop):
        order = await shop.create()
        await shop.data(
            "mutation($id: ID!) { orderClose(input: {id: $id}) { userErrors { message } } }", {"id": order["id"]}
        )
        assert (await shop.rest("orders.json")).json() == {"orders": []}
        assert (await shop.rest("orders/count.json", status="any")).json() == {"count": 1}

    @pytest.mark.parametrize("path", ["orders/1.json", "orders/1/fulfillments.json", "nothing.json"])
    async def test_not_found(self, shop, path):
        answer = await shop.rest(path)
        assert (answer.status_code, answer.json()) == (404, {"errors": "Not Found"})

    async def test_bad_parameters(self, shop):
        assert (await shop.rest("orders.json", limit=251)).status_code == 400
        assert (await shop.rest("orders.json", status="odd")).status_code == 400


class TestCallLimit:
    async def test_the_bucket_is_told_and_overflows_into_429(self, shop):
        await shop.control("limits", {"rest_bucket": 2, "rest_rate": 1})
        await shop.control("clock", {"freeze": True})
        assert (await shop.rest("shop.json")).headers["x-shopify-shop-api-call-limit"] == "1/2"
        await shop.rest("shop.json")
        answer = await shop.rest("shop.json")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2.0")
        await shop.control("clock", {"offset_s": 1})
        assert (await shop.rest("shop.json")).status_code == 200
