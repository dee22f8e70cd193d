"""docker-compose.yml: it fits the specification, names what exists, and what it runs carries an order."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest

from strata.contracts.operation import Layer
from strata.settings import Settings
from strata.topology import services_of
from tests.compose.collector import Collector
from tests.compose.plain import COMPOSE, Plain, interpolate, load
from tests.e2e import orders
from tests.e2e.running import eventually
from tests.e2e.vendors import NetSuite, ShopifyAdmin, key_of

VARIABLES = {"STRATA_SECRET_KEY": secrets.token_hex(32), "POSTGRES_PASSWORD": "x"}
OURS = ("gateway", "worker", "migrate", "sandbox")


class TestFile:
    def test_it_fits_the_compose_specification(self) -> None:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_every_service_that_the_code_offers_has_one_of_its_own(self) -> None:
        services = load(VARIABLES)["services"]
        offered = {name for layer in Layer for name in services_of(layer)}
        assert {n for n, s in services.items() if s.get("image") == "strata"} == offered | set(OURS)
        urls = json.loads(services["gateway"]["environment"]["STRATA_SERVICE_URLS"])
        assert set(urls) == offered

    def test_gateway_and_worker_run_twice(self) -> None:
        services = load(VARIABLES)["services"]
        assert services["gateway"]["deploy"]["replicas"] == 2
        assert services["worker"]["deploy"]["replicas"] == 2

    def test_its_variables_are_settings(self) -> None:
        given = load(VARIABLES)["services"]["gateway"]["environment"]
        known = {f"STRATA_{name.upper()}" for name in Settings.__struct_fields__}
        assert set(given) <= known

    def test_without_secrets_it_is_refused(self) -> None:
        with pytest.raises(KeyError, match=r"STRATA_SECRET_KEY|POSTGRES_PASSWORD"):
            load({})
        assert interpolate("${A:-b}${C:?d}", {"C": "e"}) == "be"


@pytest.mark.timeout(240)
async def test_the_same_commands_carry_an_order_and_lose_none_with_a_gateway_and_a_worker(
    postgres_url: str, redis_url: str
) -> None:
    await asyncio.to_thread(scenario, postgres_url, redis_url)


def scenario(postgres_url: str, redis_url: str) -> None:
    with Collector() as collector:
        addresses = {"redis:6379": urlsplit(redis_url).netloc, "collector:4318": collector.address}
        plain = Plain(VARIABLES, addresses, postgres_url)
        try:
            run_orders(plain, collector)
        finally:
            plain.close()


def run_orders(plain: Plain, collector: Collector) -> None:
    plain.start("sandbox")
    eventually((plain.folder / "sandbox" / "sandbox.json").exists)
    plain.run("migrate")
    for name in plain.ports:
        if name not in {"sandbox", "migrate"}:
            plain.start(name)
    plain.wait_ready()

    sandbox = json.loads((plain.folder / "sandbox" / "sandbox.json").read_text())["vendors"]
    shop, erp = ShopifyAdmin(sandbox["shopify"]), NetSuite(sandbox["netsuite"])
    known = {r["itemid"] for r in erp.suiteql("SELECT itemid FROM item WHERE isinactive = 'F'")}
    variants = [v for v in shop.variants() if v["sku"] in known]
    subdomain = shop.shop.partition(".")[0]
    made = json.loads(plain.run("gateway", "clients", "add", "web-app", "--scope", "orders:read", "--json"))

    first = shop.place(orders.plain(variants, 1))
    eventually(lambda: shop.order(first["id"])["erpNumber"], within_s=60)
    for port in plain.ports["gateway"]:
        assert status_of(port, made, key_of(subdomain, first)) == "accepted"

    # one of each dies and never returns
    gateways = [r for r in plain.replicas if r.service == "gateway"]
    workers = [r for r in plain.replicas if r.service == "worker"]
    gateways[1].kill()
    workers[0].kill()
    second = shop.place(orders.plain(variants, 2))
    eventually(lambda: shop.order(second["id"])["erpNumber"], within_s=60)
    assert status_of(gateways[0].port, made, key_of(subdomain, second)) == "accepted"
    assert all(len(rows) == 1 for rows in erp.orders_by_key().values())

    # one trace from the gateway over the durable hop to the backend call
    needed = {"gateway", "system-shopify", "worker", "system-netsuite"}
    eventually(lambda: any(needed <= services for services in collector.services_of.values()))


def status_of(port: int, client: dict[str, str], key: str) -> str:
    """What the web shop's API says of an order, asked at one gateway."""
    base = f"http://127.0.0.1:{port}"
    asked = {"grant_type": "client_credentials"}
    token = httpx.post(f"{base}/oauth/token", data=asked, auth=(client["client_id"], client["client_secret"]))
    assert token.status_code == 200, token.text
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    answer = httpx.get(f"{base}/web/v1/orders/{key}", headers=bearer, timeout=10)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"])
