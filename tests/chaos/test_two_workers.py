"""Scaled out: two process workers on one PostgreSQL; one dies in the middle of its work and never returns."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.chaos.shoppers import Shoppers, assert_both_ends_agree, sellable
from tests.compose.plain import Plain
from tests.e2e.running import eventually
from tests.e2e.vendors import NetSuite, ShopifyAdmin


class ScaledHouse:
    """The vendors of a scaled-out form, for the same judgement as of a house."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self._info = json.loads((plain.folder / "sandbox" / "sandbox.json").read_text())["vendors"]

    def shopify(self) -> ShopifyAdmin:
        return ShopifyAdmin(self._info["shopify"])

    def netsuite(self) -> NetSuite:
        return NetSuite(self._info["netsuite"])


@pytest.fixture
def scaled(postgres_url: str, redis_url: str) -> Iterator[ScaledHouse]:
    variables = {"STRATA_SECRET_KEY": secrets.token_hex(32), "POSTGRES_PASSWORD": "x"}
    plain = Plain(variables, {"redis:6379": urlsplit(redis_url).netloc}, postgres_url)
    try:
        plain.start("sandbox")
        eventually((plain.folder / "sandbox" / "sandbox.json").exists)
        plain.run("migrate")
        for service in plain.ports:
            if service not in {"sandbox", "migrate"}:
                plain.start(service)
        plain.wait_ready()
        yield ScaledHouse(plain)
    finally:
        plain.close()


@pytest.mark.timeout(400)
def test_the_work_of_a_dead_worker_is_taken_over_within_a_minute(scaled: ScaledHouse) -> None:
    netsuite = scaled.netsuite()
    netsuite.control("POST", "limits", {"latency_ms": 150})  # so that there is work in hand when it dies
    with Shoppers(scaled.shopify(), sellable(scaled), per_s=6) as shoppers:
        time.sleep(6)
        next(r for r in scaled.plain.replicas if r.service == "worker").kill()
        time.sleep(4)
    netsuite.control("POST", "limits", {"latency_ms": 0})
    assert_both_ends_agree(scaled, shoppers.placed, within_s=60)
