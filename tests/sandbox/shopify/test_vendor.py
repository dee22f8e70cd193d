from __future__ import annotations

import base64
from pathlib import Path

import pytest

import sandbox.shopify

GRANT = {"grant_type": "client_credentials"}


class TestAccess:
    @pytest.mark.parametrize("token", ["", "shpat_wrong"])
    async def test_a_bad_token_is_a_401(self, shop, token):
        answer = await shop.http.post(
            "/admin/api/2026-10/graphql.json", json={"query": "{shop{name}}"}, headers={"X-Shopify-Access-Token": token}
        )
        assert answer.status_code == 401
        assert answer.json() == {
            "errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"
        }

    async def test_the_token_tells_the_shop_on_loopback_and_the_host_must_agree(self, shop):
        eu = shop.of("northwind-eu")
        assert (await eu.data("{ shop { myshopifyDomain } }"))["shop"][
            "myshopifyDomain"
        ] == "northwind-eu.myshopify.com"
        headers = {"X-Shopify-Access-Token": eu.token, "host": "northwind-us.myshopify.com"}
        answer = await shop.http.post(
            "/admin/api/2026-10/graphql.json", json={"query": "{shop{name}}"}, headers=headers
        )
        assert answer.status_code == 401
        headers["host"] = "northwind-eu.myshopify.com:8091"
        answer = await shop.http.post(
            "/admin/api/2026-10/graphql.json", json={"query": "{shop{currencyCode}}"}, headers=headers
        )
        assert answer.json()["data"]["shop"]["currencyCode"] == "EUR"

    async def test_basic_authentication_of_private_apps(self, shop):
        basic = base64.b64encode(f"key:{shop.token}".encode()).decode()
        answer = await shop.http.get("/admin/api/2026-10/shop.json", headers={"authorization": f"Basic {basic}"})
        assert answer.json()["shop"]["myshopify_domain"] == "northwind-us.myshopify.com"

    @pytest.mark.parametrize("form", ["json", "data"])
    async def test_client_credentials(self, shop, form):
        auth = shop.vendor.auth
        body = {**GRANT, "client_id": auth.client_id, "client_secret": auth.client_secret}
        answer = await shop.http.post("/admin/oauth/access_token?shop=northwind-eu.myshopify.com", **{form: body})
        token = answer.json()
        assert token["expires_in"] == 86399
        assert "read_orders" in token["scope"].split(",")
        shop.token = token["access_token"]
        assert (await shop.data("{ shop { currencyCode } }"))["shop"]["currencyCode"] == "EUR"
        await shop.control("clock", {"offset_s": 86_401})
        assert (await shop.raw("{ shop { name } }")).status_code == 401

    async def test_wrong_app_credentials(self, shop):
        body = {**GRANT, "client_id": shop.vendor.auth.client_id, "client_secret": "x"}
        answer = await shop.http.post("/admin/oauth/access_token", json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


class TestVersions:
    @pytest.mark.parametrize("path", ["/admin/api/2025-07", "/admin/api/2026-01", "/admin/api/unstable", "/admin/api"])
    async def test_any_well_formed_version_is_served_as_ours(self, shop, path):
        answer = await shop.http.post(
            f"{path}/graphql.json", json={"query": "{shop{name}}"}, headers={"X-Shopify-Access-Token": shop.token}
        )
        assert answer.status_code == 200
        assert answer.headers["x-shopify-api-version"] == "2026-10"

    async def test_others_are_not_found(self, shop):
        answer = await shop.http.post(
            "/admin/api/v1/graphql.json", json={}, headers={"X-Shopify-Access-Token": shop.token}
        )
        assert (answer.status_code, answer.json()) == (404, {"errors": "Not Found"})


class TestBodies:
    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'{"query": null}', b'{"query": "{shop{name}}", "variables": 3}']
    )
    async def test_unreadable_ones_are_400(self, shop, body):
        answer = await shop.http.post(
            "/admin/api/2026-10/graphql.json", content=body, headers={"X-Shopify-Access-Token": shop.token}
        )
        assert answer.status_code == 400

    async def test_variables_as_text_and_the_graphql_content_type(self, shop):
        headers = {"X-Shopify-Access-Token": shop.token}
        ask = {"query": "query($n: Int!) { locations(first: $n) { nodes { name } } }", "variables": '{"n": 1}'}
        answer = await shop.http.post("/admin/api/2026-10/graphql.json", json=ask, headers=headers)
        assert len(answer.json()["data"]["locations"]["nodes"]) == 1
        answer = await shop.http.post(
            "/admin/api/2026-10/graphql.json",
            content="{ shop { name } }",
            headers=headers | {"content-type": "application/graphql"},
        )
        assert answer.json()["data"]["shop"]["name"] == "Northwind Outfitters"


class TestSeed:
    async def test_orders_on_demand_are_the_same_for_a_seed(self, shop):
        await shop.control("seed", {"orders": 20, "seed": 5})
        first = [o["totals"] for o in await shop.state("order")]
        await shop.control("reset")
        await shop.control("seed", {"orders": 20, "seed": 5})
        assert [o["totals"] for o in await shop.state("order")] == first
        assert len({o["shop"] for o in await shop.state("order")}) == 2

    async def test_failing_orders_have_articles_the_erp_lacks(self, shop):
        await shop.control("seed", {"orders": 10, "failing": 1})
        bad = {"NW-PROMO-26", "NW-SAMPLE-01", "NW-LEGACY-77", "NW-RAIN-ONE", "NW-COMP-PRO"}
        assert all(bad & {line["sku"] for line in o["lines"]} for o in await shop.state("order"))

    async def test_an_unknown_shop_is_refused(self, shop):
        answer = await shop.http.post("/_sandbox/seed", json={"orders": 1, "shop": "nope"})
        assert answer.status_code == 422

    async def test_nothing_is_ordered_by_default(self, shop):
        assert await shop.state("order") == []
        assert len(await shop.state("customer")) == 200


def test_coverage_file_is_up_to_date(loaded):
    path = Path(sandbox.shopify.__path__[0]) / "COVERAGE.md"
    assert path.read_text() == loaded.coverage(), "run `python -m sandbox coverage`"
