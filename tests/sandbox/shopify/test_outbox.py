# ruff: noqa: E501  # GraphQL documents read better on one line
from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from itertools import pairwise

import pytest

from sandbox.shopify.outbox import RETRIES, retry_after_s


def topics(got):
    return Counter(headers["x-shopify-topic"] for headers, _ in got)


class TestDelivery:
    async def test_a_paid_order_is_created_paid_and_updated(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED")
        order = await shop.create(financialStatus="PAID")
        got = await receiver.wait(3)
        assert topics(got) == {"orders/create": 1, "orders/paid": 1, "orders/updated": 1}
        assert {json.loads(body)["admin_graphql_api_id"] for _, body in got} == {order["id"]}
        assert len({headers["x-shopify-event-id"] for headers, _ in got}) == 1
        assert len({headers["x-shopify-webhook-id"] for headers, _ in got}) == 3

    async def test_headers_and_signature(self, shop, subscribe, receiver, vendor):
        await subscribe("ORDERS_CREATE", name="orders")
        await shop.create()
        [(headers, body)] = await receiver.wait(1)
        secret = vendor.auth.client_secret.encode()
        assert (
            headers["x-shopify-hmac-sha256"]
            == base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
        )
        assert headers["x-shopify-shop-domain"] == "northwind-us.myshopify.com"
        assert headers["x-shopify-api-version"] == "2026-10"
        assert headers["x-shopify-name"] == "orders"
        assert headers["content-type"] == "application/json"

    async def test_a_pending_order_is_not_paid_until_it_is(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE", "ORDERS_PAID")
        order = await shop.create(financialStatus="PENDING")
        assert topics(await receiver.wait(1)) == {"orders/create": 1}
        await shop.data(
            "mutation($id: ID!) { orderMarkAsPaid(input: {id: $id}) { userErrors { message } } }", {"id": order["id"]}
        )
        assert topics(await receiver.wait(2)) == {"orders/create": 1, "orders/paid": 1}

    async def test_our_own_edits_are_announced_too(self, shop, subscribe, receiver):
        order = await shop.create()
        await subscribe("ORDERS_UPDATED")
        await shop.data(
            'mutation($id: ID!) { tagsAdd(id: $id, tags: ["erp:7"]) { userErrors { message } } }', {"id": order["id"]}
        )
        await shop.data(
            "mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { userErrors { message } } }",
            {"m": [{"ownerId": order["id"], "namespace": "strata", "key": key, "type": "single_line_text_field", "value": "1"}
                   for key in ("erp_order_id", "erp_order_number")]},
        )  # fmt: skip
        got = await receiver.wait(2)
        await asyncio.sleep(0.05)
        assert topics(got) == {"orders/updated": 2}
        assert {json.loads(body)["tags"] for _, body in got} == {"erp:7"}

    async def test_a_tag_that_is_there_already_changes_nothing(self, shop, subscribe, receiver):
        order = await shop.create(tags=["a"])
        await subscribe("ORDERS_UPDATED")
        await shop.data(
            'mutation($id: ID!) { tagsAdd(id: $id, tags: ["A"]) { userErrors { message } } }', {"id": order["id"]}
        )
        await asyncio.sleep(0.1)
        assert receiver.got == []

    async def test_other_shops_and_other_topics_hear_nothing(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CANCELLED", "ORDERS_CREATE")
        await shop.of("northwind-eu").create(
            lineItems=[{"title": "X", "quantity": 1, "priceSet": {"shopMoney": {"amount": 1, "currencyCode": "EUR"}}}]
        )
        await shop.create()
        await receiver.wait(1)
        await asyncio.sleep(0.05)
        assert [headers["x-shopify-shop-domain"] for headers, _ in receiver.got] == ["northwind-us.myshopify.com"]

    async def test_only_the_fields_asked_for(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE", includeFields=["id", "name"])
        await shop.create()
        [(_, body)] = await receiver.wait(1)
        assert set(json.loads(body)) == {"id", "name"}

    async def test_an_unsubscribed_address_hears_nothing_more(self, shop, subscribe, receiver):
        [subscription] = await subscribe("ORDERS_CREATE")
        await shop.data(
            "mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }",
            {"id": subscription},
        )
        await shop.create()
        await asyncio.sleep(0.1)
        assert receiver.got == []

    async def test_uninstalling_the_app_is_announced(self, shop, subscribe, receiver):
        await subscribe("APP_UNINSTALLED")
        await shop.control("seed", {"uninstall": "northwind-us"})
        [(headers, body)] = await receiver.wait(1)
        assert headers["x-shopify-topic"] == "app/uninstalled"
        assert json.loads(body)["myshopify_domain"] == "northwind-us.myshopify.com"

    async def test_fifty_orders_a_second_with_three_topics(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED")
        began = asyncio.get_running_loop().time()
        await shop.control("seed", {"orders": 100, "shop": "northwind-us", "paid": 1, "seed": 3})
        got = await receiver.wait(300, timeout_s=20)
        took_s = asyncio.get_running_loop().time() - began
        assert topics(got) == {"orders/create": 100, "orders/paid": 100, "orders/updated": 100}
        # the aim is 2 s; a busy machine may take longer without the vendor being at fault
        assert took_s < 8


class TestRetries:
    def test_eight_retries_fill_four_hours(self):
        pauses = [retry_after_s(attempts) for attempts in range(1, RETRIES + 1)]
        assert retry_after_s(RETRIES + 1) is None
        assert sum(p for p in pauses if p) == pytest.approx(4 * 3600)
        assert all(later == pytest.approx(2 * sooner) for sooner, later in pairwise(pauses))

    async def test_a_failure_is_tried_again_on_the_sandbox_clock_with_the_same_ids(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE")
        receiver.statuses = [500, 302]
        await shop.create()
        await receiver.wait(1)
        await asyncio.sleep(0.1)
        assert len(receiver.got) == 1
        await shop.control("clock", {"offset_s": 60})
        await receiver.wait(2)
        await asyncio.sleep(0.05)
        await shop.control("clock", {"offset_s": 120})
        got = await receiver.wait(3)
        assert len({headers["x-shopify-webhook-id"] for headers, _ in got}) == 1
        assert len({body for _, body in got}) == 1
        await asyncio.sleep(0.05)
        [delivery] = await shop.state("webhook_delivery")
        assert (delivery["status"], delivery["attempts"]) == ("delivered", 3)

    async def test_a_subscription_that_never_answers_is_deleted(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE")
        receiver.statuses = [500] * 20
        await shop.create()
        for attempt in range(1, RETRIES + 2):
            await receiver.wait(attempt)
            await asyncio.sleep(0.05)
            await shop.control("clock", {"offset_s": 7300})
        [delivery] = await shop.state("webhook_delivery")
        assert (delivery["status"], delivery["attempts"]) == ("failed", RETRIES + 1)
        assert await shop.state("webhook_subscription") == []

    async def test_nobody_listening_is_a_failure(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE", uri="http://127.0.0.1:9/none")
        await shop.create()
        for _ in range(100):
            await asyncio.sleep(0.02)
            [delivery] = await shop.state("webhook_delivery")
            if delivery["attempts"]:
                break
        assert (delivery["status"], delivery["attempts"]) == ("pending", 1)
        assert delivery["last_error"]

    async def test_what_was_not_delivered_survives_a_restart(self, shop, subscribe, receiver, vendor):
        await subscribe("ORDERS_CREATE")
        await vendor.stop()
        await shop.create()
        assert receiver.got == []
        await vendor.outbox.start()
        await receiver.wait(1)


class TestFaults:
    async def fault(self, shop, kind, **more):
        await shop.control("faults", {"kind": kind, **more})

    async def test_lost(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE", "ORDERS_PAID")
        await self.fault(shop, "webhook_lost", match={"operation": "orders/create"}, times=1)
        await shop.create(financialStatus="PAID")
        assert topics(await receiver.wait(1)) == {"orders/paid": 1}
        assert [d["status"] for d in await shop.state("webhook_delivery", topic="orders/create")] == ["lost"]

    async def test_duplicate_has_one_webhook_id(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE")
        await self.fault(shop, "webhook_duplicate")
        await shop.create()
        got = await receiver.wait(2)
        assert len({headers["x-shopify-webhook-id"] for headers, _ in got}) == 1

    async def test_delay_is_on_the_sandbox_clock(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE")
        await self.fault(shop, "webhook_delay", latency_ms=3_600_000)
        await shop.create()
        await asyncio.sleep(0.05)
        assert receiver.got == []
        await shop.control("clock", {"offset_s": 3601})
        await receiver.wait(1)

    async def test_shuffle_changes_the_order(self, shop, subscribe, receiver):
        await subscribe("ORDERS_CREATE")
        await self.fault(shop, "webhook_shuffle", latency_ms=300)
        names = [(await shop.create())["name"] for _ in range(12)]
        got = [json.loads(body)["name"] for _, body in await receiver.wait(12)]
        assert sorted(got) == sorted(names)
        assert got != names
