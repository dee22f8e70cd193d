"""Bad input gets a clear answer, waits for a person where one is needed, and holds up nobody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.chaos.shoppers import sellable
from tests.e2e import orders
from tests.e2e.running import House, eventually
from tests.e2e.vendors import key_of


def deliver(house: House, body: bytes, *, secret: str | None = None, delivery: str | None = None) -> httpx.Response:
    """Send a webhook as Shopify does, signed with `secret` (default: the right one)."""
    info = house.info()
    shop = info["sandbox"]["shopify"]
    right = shop["webhook_secret"] if secret is None else secret
    signature = base64.b64encode(hmac.new(right.encode(), body, hashlib.sha256).digest()).decode()
    return httpx.post(
        info["webhooks"]["shopify"],
        content=body,
        headers={
            "content-type": "application/json",
            "x-shopify-topic": "orders/create",
            "x-shopify-hmac-sha256": signature,
            "x-shopify-shop-domain": shop["shop"],
            "x-shopify-api-version": "2026-10",
            "x-shopify-webhook-id": delivery or secrets.token_hex(16),
            "x-shopify-event-id": secrets.token_hex(16),
            "x-shopify-triggered-at": "2026-11-20T17:00:00.000Z",
        },
        timeout=30,
    )


def items(house: House) -> list[dict[str, Any]]:
    told = json.loads(house.cli("items", "--json").stdout)
    return told["items"] if isinstance(told, dict) else told


def item_of(house: House, key: str) -> dict[str, Any] | None:
    return next((i for i in items(house) if key in json.dumps(i)), None)


def goes_through(house: House, number: int) -> None:
    """A good order placed now reaches the ERP: whatever went wrong before holds up nobody else."""
    shop = house.shopify()
    made = shop.place(orders.plain(sellable(house), number))
    eventually(lambda: shop.order(made["id"])["erpNumber"])


class TestAtTheDoor:
    def test_a_wrong_signature_is_401_and_nothing_is_stored(self, house: House) -> None:
        before = len(items(house))
        answer = deliver(house, b'{"id":1}', secret="not the secret")
        assert answer.status_code == 401
        assert answer.json()["code"] == "signature-invalid"
        assert len(items(house)) == before

    def test_a_body_that_cannot_be_read_is_kept_for_a_person_and_answered_2xx(self, house: House) -> None:
        mark = secrets.token_hex(8)
        answer = deliver(house, f'{{"id": "{mark}'.encode())
        assert answer.is_success
        found = eventually(lambda: [i for i in items(house) if i["failure_class"] == "P"])
        assert found
        goes_through(house, 501)

    def test_a_webhook_that_comes_again_has_no_effect(self, house: House) -> None:
        shop = house.shopify()
        made = shop.place(orders.plain(sellable(house), 502))
        eventually(lambda: shop.order(made["id"])["erpNumber"])
        body = json.dumps(
            {"id": int(made["legacyResourceId"]), "name": made["name"], "updated_at": "2026-11-20T17:00:00Z"}
        )
        delivery = secrets.token_hex(16)
        assert [deliver(house, body.encode(), delivery=delivery).is_success for _ in range(3)] == [True] * 3
        rows = house.netsuite().orders_by_key()[key_of(shop.shop, made)]
        assert len(rows) == 1

    def test_five_megabytes_are_too_many(self, house: House) -> None:
        answer = deliver(house, b'{"note":"' + b"x" * 5_000_000 + b'"}')
        assert answer.status_code == 413
        assert answer.json()["code"] == "content-too-large"


class TestWhatAPersonMustMend:
    @pytest.fixture
    def broken(self, house: House) -> dict[str, Any]:
        """An order with everything wrong at once: unknown SKU, inactive item, unmapped tax."""
        by_sku = {v["sku"]: v for v in house.shopify().variants()}
        order = orders.plain(sellable(house), 600)
        order["lineItems"] = [
            self.line(by_sku["NW-LEGACY-77"], "California State Tax", "0.0725"),
            self.line(by_sku["NW-RAIN-ONE"], "Moon Tax", "0.1234"),
        ]
        made = house.shopify().place(order)
        return {"gid": made["id"], "key": key_of(house.shopify().shop, made)}

    @staticmethod
    def line(variant: dict[str, Any], tax: str, rate: str) -> dict[str, Any]:
        amount = (Decimal(variant["price"]) * Decimal(rate)).quantize(Decimal("0.01"))
        return {
            "variantId": variant["id"],
            "quantity": 1,
            "requiresShipping": True,
            "priceSet": {"shopMoney": {"amount": variant["price"], "currencyCode": "USD"}},
            "taxLines": [
                {"title": tax, "rate": rate, "priceSet": {"shopMoney": {"amount": str(amount), "currencyCode": "USD"}}}
            ],
        }

    def test_all_causes_are_told_at_once_and_after_mending_a_retry_goes_through(
        self, house: House, broken: dict[str, Any]
    ) -> None:
        item = eventually(lambda: item_of(house, broken["key"]))
        told = json.dumps(item)
        assert item["failure_class"] == "V"
        assert "NW-LEGACY-77" in told
        assert "NW-RAIN-ONE" in told
        assert "Moon Tax" in told
        goes_through(house, 601)

        self.mend(house)
        house.cli("retry", str(item["id"]), "--why", "the item and the tax code are there now")
        eventually(lambda: house.shopify().order(broken["gid"])["erpNumber"])
        assert item_of(house, broken["key"]) is None

    def mend(self, house: House) -> None:
        netsuite = house.netsuite()
        made = netsuite.request("POST", "record/v1/inventoryItem", {"itemId": "NW-LEGACY-77", "displayName": "Satchel"})
        assert made.status_code == 204, made.text
        inactive = netsuite.suiteql("SELECT id FROM item WHERE itemid = 'NW-RAIN-ONE'")[0]["id"]
        netsuite.patch(f"inventoryItem/{inactive}", {"isInactive": False})
        rows = json.loads(house.cli("tables", "show", "tax_codes").stdout)
        like = next(r for r in rows if r["country"] == "US" and r["region"] == "CA")
        rows.append({**like, "rate": "0.1234", "title": "Moon Tax"})
        file = house.data.parent / "tax_codes.json"
        file.write_text(json.dumps(rows))
        house.cli("tables", "set", "tax_codes", str(file), "--why", "a new tax")
