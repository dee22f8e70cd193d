"""Contract `products`."""

from __future__ import annotations

import pytest

from strata.contracts.system import Products
from strata.contracts.system.products import MOST_SKUS, ItemLookup
from strata.errors import Invalid
from tests.conformance.arrangements import NetSuite
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.parametrize("backend", offering(Products), ids=named)


@pytest.fixture
async def api(backend: NetSuite, sandbox: Sandbox, open_house: OpenHouse) -> Products:
    return (await open_house(backend.connection(sandbox))).system("erp", Products)


class TestFindItems:
    async def test_each_is_told_with_its_kind_and_whether_it_is_active(self, backend: NetSuite, api: Products) -> None:
        wanted = ["NW-TRAI-S", "NW-MAP-01", "NW-SRV-WAX", "NW-KIT-CAMP", "NW-GIFT-50", "NW-RAIN-ONE"]
        found = await api.find_items(body=ItemLookup(tuple(wanted)))
        assert [(item.sku, item.kind, item.active) for item in found] == [
            ("NW-TRAI-S", "inventory", True),
            ("NW-MAP-01", "non_inventory", True),
            ("NW-SRV-WAX", "service", True),
            ("NW-KIT-CAMP", "kit", True),
            ("NW-GIFT-50", "gift_card", True),
            ("NW-RAIN-ONE", "inventory", False),
        ]

    async def test_those_that_are_not_there_are_missing(self, backend: NetSuite, api: Products) -> None:
        hostile = ["NO-SUCH", "' OR '1'='1", "NW-TRAI-S') OR ('1'='1", "%"]
        found = await api.find_items(body=ItemLookup((*hostile, "NW-TRAI-S")))
        assert [item.sku for item in found] == ["NW-TRAI-S"]

    async def test_hundreds_at_once(self, backend: NetSuite, api: Products) -> None:
        wanted = [f"NO-{n}" for n in range(450)] + ["NW-TRAI-S"]
        assert [item.sku for item in await api.find_items(body=ItemLookup(tuple(wanted)))] == ["NW-TRAI-S"]

    async def test_what_is_known_is_not_asked_for_again_unless_fresh(
        self, backend: NetSuite, sandbox: Sandbox, api: Products
    ) -> None:
        skus = ("NW-TRAI-S", "NW-TRAI-M")
        await api.find_items(body=ItemLookup(skus))
        sandbox.netsuite.forget_requests()
        await api.find_items(body=ItemLookup(skus))
        assert sandbox.netsuite.requests()["summary"]["total"] == 0
        await api.find_items(body=ItemLookup(skus, fresh=True))
        assert sandbox.netsuite.requests()["summary"]["total"] == 1

    async def test_that_something_is_missing_is_never_remembered(
        self, backend: NetSuite, sandbox: Sandbox, api: Products
    ) -> None:
        for _ in range(2):
            await api.find_items(body=ItemLookup(("NO-SUCH",)))
        assert sandbox.netsuite.requests()["summary"]["by_operation"]["suiteql"] == 2

    async def test_that_something_is_inactive_is_never_remembered(
        self, backend: NetSuite, sandbox: Sandbox, api: Products
    ) -> None:
        for _ in range(2):
            [item] = await api.find_items(body=ItemLookup(("NW-RAIN-ONE",)))
            assert not item.active
        assert sandbox.netsuite.requests()["summary"]["by_operation"]["suiteql"] == 2

    @pytest.mark.parametrize("skus", [(), ("",), tuple(f"NO-{n}" for n in range(MOST_SKUS + 1))])
    async def test_none_an_empty_one_or_too_many_are_refused(
        self, backend: NetSuite, api: Products, skus: tuple[str, ...]
    ) -> None:
        with pytest.raises(Invalid):
            await api.find_items(body=ItemLookup(skus))
