"""Webhooks of Shopify: nothing unverified is kept, everything verified is, and a repetition changes nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from strata.connections import Connection
from strata.durable import Status, Subscription
from strata.errors import Invalid
from system_apis.shopify.backend import ShopifyConnection
from system_apis.shopify.client import ShopifyClient
from system_apis.shopify.events import Delivery, ensure_webhooks, signed_by
from tests.house import House, housed
from tests.sandboxes import Sandbox

SECRET, PREVIOUS = "shpss_current", "shpss_previous"
SHOP = Connection(
    "northwind-us",
    "shopify",
    {
        "shop": "northwind-us",
        "base_url": "http://127.0.0.1:1",
        "access_token": "shpat_x",
        "webhook_secret": SECRET,
        "webhook_secret_previous": PREVIOUS,
    },
)
ORDER = {"id": 5001, "name": "#1001", "updated_at": "2026-11-20T09:00:00-08:00", "note": "ünïcode"}
BODY = json.dumps(ORDER).encode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def headers(body: bytes = BODY, secret: str = SECRET, **changed: str) -> dict[str, str]:
    sent = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Hmac-Sha256": signature(body, secret),
        "X-Shopify-Shop-Domain": "northwind-us.myshopify.com",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "Content-Type": "application/json",
    }
    return sent | {name.replace("_", "-"): value for name, value in changed.items()}


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds in another process; fail after ten seconds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def subscribed(sandbox: Sandbox) -> set[str]:
    return {each["uri"] for each in sandbox.shopify.state("webhook_subscription")}


@pytest.fixture
async def house(postgres_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with housed(postgres_url, tmp_path, SHOP) as made:
        yield made


@pytest.fixture
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """The app as the gateway calls it."""
    app: Any = house.context.topology.app("system-shopify")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://internal") as client:
        yield client


async def kept(house: House) -> list[dict[str, Any]]:
    rows = await house.context.database.fetch("SELECT * FROM durable.inbox ORDER BY id")
    return [dict(row) for row in rows]


class TestVerified:
    async def test_a_delivery_is_in_the_journal_before_it_is_answered(
        self, house: House, web: httpx.AsyncClient
    ) -> None:
        answer = await web.post("/webhooks/northwind-us", content=BODY, headers=headers())
        [event] = await kept(house)
        assert answer.status_code == 200
        assert event["source"] == "shopify:northwind-us"
        assert event["delivery_id"] == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
        assert event["type"] == "channel_order.created"
        assert event["subject"] == "sh:northwind-us:order:5001"
        assert event["version"] == "2026-11-20T17:00:00Z/created"
        assert event["body"] == BODY
        assert json.loads(event["data"]) == {
            "key": "sh:northwind-us:order:5001",
            "connection": "northwind-us",
            "number": "#1001",
            "updated_at": "2026-11-20T17:00:00Z",
        }

    async def test_the_signature_is_not_kept(self, house: House, web: httpx.AsyncClient) -> None:
        await web.post("/webhooks/northwind-us", content=BODY, headers=headers())
        [event] = await kept(house)
        assert signature(BODY) not in str(event["headers"])

    @pytest.mark.parametrize(
        ("topic", "happened"),
        [
            ("orders/create", "created"),
            ("orders/paid", "paid"),
            ("orders/updated", "updated"),
            ("orders/cancelled", "cancelled"),
        ],
    )
    async def test_each_topic_is_an_event_of_ours(
        self, house: House, web: httpx.AsyncClient, topic: str, happened: str
    ) -> None:
        await web.post("/webhooks/northwind-us", content=BODY, headers=headers(X_Shopify_Topic=topic))
        assert [event["type"] for event in await kept(house)] == [f"channel_order.{happened}"]

    async def test_it_starts_the_process_that_subscribed(self, house: House, web: httpx.AsyncClient) -> None:
        await house.context.journal.subscribe([Subscription(event="channel_order.*", process="order_capture")])
        await web.post("/webhooks/northwind-us", content=BODY, headers=headers())
        [item] = (await house.context.journal.list_items()).items
        assert (item.process, item.key) == ("order_capture", "sh:northwind-us:order:5001")

    async def test_a_replay_is_answered_200_and_has_no_effect(self, house: House, web: httpx.AsyncClient) -> None:
        answers = [
            (await web.post("/webhooks/northwind-us", content=BODY, headers=headers())).status_code for _ in range(3)
        ]
        assert answers == [200, 200, 200]
        assert len(await kept(house)) == 1

    async def test_the_secret_before_a_rotation_is_still_good(self, house: House, web: httpx.AsyncClient) -> None:
        answer = await web.post("/webhooks/northwind-us", content=BODY, headers=headers(secret=PREVIOUS))
        assert answer.status_code == 200
        assert len(await kept(house)) == 1


class TestRefused:
    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param({"X_Shopify_Hmac_Sha256": ""}, id="empty"),
            pytest.param({"X_Shopify_Hmac_Sha256": "not base64 at all"}, id="not base64"),
            pytest.param({"X_Shopify_Hmac_Sha256": signature(BODY)[:-4]}, id="truncated"),
            pytest.param({"X_Shopify_Hmac_Sha256": signature(BODY, "other secret")}, id="other secret"),
            pytest.param({"X_Shopify_Hmac_Sha256": signature(BODY + b" ")}, id="other body"),
            pytest.param({"X_Shopify_Shop_Domain": "other.myshopify.com"}, id="other shop"),
            pytest.param({"X_Shopify_Shop_Domain": ""}, id="no shop"),
        ],
    )
    async def test_it_is_a_401_problem_and_nothing_is_kept(
        self, house: House, web: httpx.AsyncClient, wrong: dict[str, str]
    ) -> None:
        with capture_logs() as logs:
            answer = await web.post("/webhooks/northwind-us", content=BODY, headers=headers(**wrong))
        assert answer.status_code == 401
        assert answer.json()["code"] == "signature-invalid"
        assert await kept(house) == []
        [event] = [line for line in logs if line["event"] == "security event"]
        assert (event["kind"], event["connection"]) == ("webhook-signature-invalid", "northwind-us")

    async def test_without_any_signature_it_is_401(self, house: House, web: httpx.AsyncClient) -> None:
        answer = await web.post("/webhooks/northwind-us", content=BODY, headers={"content-type": "application/json"})
        assert answer.status_code == 401
        assert await kept(house) == []

    async def test_a_body_over_a_megabyte_is_413(self, house: House, web: httpx.AsyncClient) -> None:
        body = b'{"pad":"' + b"x" * 1_100_000 + b'"}'
        answer = await web.post("/webhooks/northwind-us", content=body, headers=headers(body))
        assert answer.status_code == 413
        assert await kept(house) == []

    async def test_an_unknown_connection_is_404(self, house: House, web: httpx.AsyncClient) -> None:
        assert (await web.post("/webhooks/nobody", content=BODY, headers=headers())).status_code == 404

    async def test_a_shop_without_a_secret_takes_nothing(self, postgres_url: str, tmp_path: Path) -> None:
        bare = Connection("bare", "shopify", {"shop": "northwind-us", "access_token": "x"})
        async with housed(postgres_url, tmp_path, bare) as house:
            app: Any = house.context.topology.app("system-shopify")
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://internal") as web:
                answer = await web.post("/webhooks/bare", content=BODY, headers=headers(secret=""))
        assert answer.status_code == 401


class TestUnreadable:
    @pytest.mark.parametrize(
        ("body", "topic"),
        [
            pytest.param(b"", "orders/create", id="empty"),
            pytest.param(b'{"id": 5001, "na', "orders/create", id="cut off"),
            pytest.param(b"\xff\xfe", "orders/create", id="not text"),
            pytest.param(b"[" * 100_000, "orders/create", id="very deep"),
            pytest.param(b'{"customer": 1}', "orders/create", id="another shape"),
            pytest.param(b'{"id": "x", "name": "#1", "updated_at": "now"}', "orders/create", id="wrong types"),
            pytest.param(
                b'{"id": 1, "name": "\\u0000", "updated_at": "2026-11-20T09:00:00Z"}', "orders/create", id="a NUL"
            ),
            pytest.param(b'{"id": -1, "name": "x", "updated_at": "2026-11-20T09:00:00Z"}', "orders/create", id="no id"),
            pytest.param(
                b'{"id": 1, "name": "x", "updated_at": "2026-11-20T09:00:00"}', "orders/create", id="no time zone"
            ),
            pytest.param(BODY, "app/uninstalled", id="a topic that nobody asked for"),
        ],
    )
    async def test_it_is_quarantined_raw_and_answered_200(
        self, house: House, web: httpx.AsyncClient, body: bytes, topic: str
    ) -> None:
        answer = await web.post("/webhooks/northwind-us", content=body, headers=headers(body, X_Shopify_Topic=topic))
        [event] = await kept(house)
        [item] = (await house.context.journal.list_items()).items
        assert answer.status_code == 200
        assert event["body"] == body
        assert item.status is Status.QUARANTINED
        assert item.failure_class == "P"

    async def test_a_person_can_mend_it_and_it_goes_on(self, house: House, web: httpx.AsyncClient) -> None:
        journal = house.context.journal
        await journal.subscribe([Subscription(event="channel_order.*", process="order_capture")])
        await web.post("/webhooks/northwind-us", content=b"{", headers=headers(b"{"))
        [item] = (await journal.list_items()).items
        with pytest.raises(Invalid):
            await journal.retry(item.id, by="ann", why="once more")
        await journal.edit(item.id, BODY, by="ann", why="the shop sent half of it")
        runs = [each for each in (await journal.list_items()).items if each.process == "order_capture"]
        assert [run.key for run in runs] == ["sh:northwind-us:order:5001"]

    async def test_it_blocks_no_other_delivery(self, house: House, web: httpx.AsyncClient) -> None:
        await web.post("/webhooks/northwind-us", content=b"{", headers=headers(b"{", X_Shopify_Webhook_Id="1"))
        answer = await web.post("/webhooks/northwind-us", content=BODY, headers=headers(X_Shopify_Webhook_Id="2"))
        assert answer.status_code == 200
        assert len(await kept(house)) == 2


class TestStoreDown:
    async def test_it_is_503_so_that_the_vendor_delivers_again(self, house: House, web: httpx.AsyncClient) -> None:
        await house.context.journal.close()
        await house.context.database.close()
        answer = await web.post("/webhooks/northwind-us", content=BODY, headers=headers())
        assert (answer.status_code, answer.json()["retryable"]) == (503, True)


class TestSpeed:
    async def test_verifying_and_parsing_take_far_less_than_a_millisecond(self) -> None:
        body = json.dumps(ORDER | {"line_items": [{"id": n, "title": "x" * 200} for n in range(200)]}).encode()
        delivery = Delivery({"x-shopify-hmac-sha256": signature(body)}, body)
        start = time.perf_counter()
        good = [signed_by(delivery, (SECRET, PREVIOUS)) for _ in range(200)]
        assert all(good)
        assert (time.perf_counter() - start) / 200 < 0.001


class TestSignature:
    @given(body=st.binary(max_size=2000), flip=st.integers(min_value=0))
    @settings(max_examples=150, deadline=None)
    def test_a_changed_byte_is_always_noticed(self, body: bytes, flip: int) -> None:
        changed = bytearray(body or b"x")
        changed[flip % len(changed)] ^= 1 + flip % 255
        given_signature = {"x-shopify-hmac-sha256": signature(body)}
        assert signed_by(Delivery(given_signature, body), (SECRET,))
        assert not signed_by(Delivery(given_signature, bytes(changed)), (SECRET,))

    @given(text=st.text(max_size=100))
    @settings(max_examples=150, deadline=None)
    def test_no_other_text_is_a_signature(self, text: str) -> None:
        assert not signed_by(Delivery({"x-shopify-hmac-sha256": text}, BODY), (SECRET, PREVIOUS))

    def test_newer_deliveries_without_the_prefix_are_understood(self) -> None:
        assert signed_by(Delivery({"shopify-hmac-sha256": signature(BODY)}, BODY), (SECRET,))


@pytest.mark.usefixtures("fresh_sandbox")
class TestSubscriptions:
    async def test_what_is_missing_is_created_once(
        self, sandbox: Sandbox, open_shop: Callable[[Connection], ShopifyClient]
    ) -> None:
        client = open_shop(sandbox.shop())
        callback = "http://127.0.0.1:9/webhooks/shopify/northwind-us"
        first = await ensure_webhooks(client, callback)
        assert set(first) == {"ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED", "ORDERS_CANCELLED"}
        assert await ensure_webhooks(client, callback) == ()

    async def test_a_shop_that_is_down_does_not_keep_the_house_from_starting(
        self, sandbox: Sandbox, postgres_url: str, tmp_path: Path
    ) -> None:
        sandbox.shopify.fault("status", "webhookSubscriptions", status=503)
        shop = sandbox.shop(callback_base="http://127.0.0.1:9")
        async with housed(postgres_url, tmp_path, shop):
            await eventually(lambda: sandbox.shopify.faults()[0]["hits"] > 0)
            assert subscribed(sandbox) == set()
            sandbox.shopify.mend()
            await eventually(lambda: len(sandbox.shopify.state("webhook_subscription")) == 4)
        assert subscribed(sandbox) == {"http://127.0.0.1:9/webhooks/shopify/northwind-us"}

    def test_a_connection_without_a_callback_manages_none(self) -> None:
        assert SHOP.decode(ShopifyConnection).callback_base == ""
