"""Who sees which order: the experience APIs over the order process and its real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from experience_apis.callers import sight_of
from experience_apis.mobile.api import Orders as MobileApi
from experience_apis.partner.api import Orders as PartnerApi
from experience_apis.web.api import Orders as WebApi
from process_apis.orders import factory
from process_apis.orders.api import Orders
from process_apis.orders.ledger import MIGRATIONS, Ledger
from strata import store
from strata.calls import identity_var
from strata.canonical.common import VendorRef
from strata.canonical.money import Money
from strata.canonical.orders import OrderRef, OrderStatus
from strata.context import Context
from strata.contracts.operation import Contract
from strata.crossref import CrossRef
from strata.durable import Journal
from strata.errors import Conflict, NotFound, Unauthenticated
from strata.identity import Identity
from strata.internal import ServiceTokens
from strata.settings import Settings
from strata.tables import Tables
from tests.process_apis.orders.samples import order

READ = frozenset({"orders:read"})
HOUSE = Identity("web-shop", "web-shop", READ, "standard")
NORTHWIND = Identity("p", "p", READ, "standard", partner="northwind-partner", shops=("northwind-us",))
ROUTED = Identity("q", "q", READ, "standard", partner="acme")
NOBODYS = Identity("r", "r", READ, "standard", partner="")


class _Topology:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def process(self, contract: type[Contract], *, caller: str = "") -> Any:
        return self._orders


@pytest.fixture
async def context(postgres_url: str) -> AsyncIterator[Context]:
    """An order of the American shop, one of the European shop that is routed to the partner acme."""
    pool = await store.connect(postgres_url, size=3)
    journal = await Journal.open(postgres_url, max_connections=3)
    await journal.migrate()
    made = Context(
        Settings(), {}, database=pool, journal=journal, tables=Tables(pool), crossref=CrossRef(pool),
        tokens=ServiceTokens(""),
    )  # fmt: skip
    factory.prepare(made)
    await store.migrate(pool, "orders", MIGRATIONS)
    topology: Any = _Topology(Orders(made))
    made.topology = topology
    ledger = Ledger(pool)
    for placed, partner in (
        (order(5001), ""),
        (order(5002, shop="northwind-eu", ref=VendorRef("northwind-eu", "shopify", "5002"), number="#5001"), "acme"),
    ):
        await ledger.register(placed.key, placed.number, vendor="shopify", connection=placed.ref.connection)
        await ledger.describe(placed, OrderStatus.QUEUED)
        ref = OrderRef(
            placed.key, VendorRef("erp", "netsuite", placed.ref.id), "SO-1", Money(placed.totals.total.amount, "USD"),
            OrderStatus.ACCEPTED,
        )  # fmt: skip
        await ledger.accept(ref, ref.status, partner=partner, sold=())
    yield made
    await journal.close()
    await pool.close()


@contextmanager
def calling(identity: Identity | None) -> Iterator[None]:
    token = identity_var.set(identity)
    try:
        yield
    finally:
        identity_var.reset(token)


US, EU = "sh:northwind-us:order:5001", "sh:northwind-eu:order:5002"


class TestSight:
    async def test_the_house_sees_all_by_key_by_id_and_by_number(self, context: Context) -> None:
        with calling(HOUSE):
            web, mobile = WebApi(context), MobileApi(context)
            assert (await web.get_order(EU)).status is OrderStatus.ACCEPTED
            assert (await mobile.get_order("5001")).id == US
            assert (await web.find_order("5001", shop="northwind-eu")).id == EU
            assert (await web.find_order("#5001", shop="northwind-us")).id == US

    async def test_a_number_that_two_shops_have_is_ambiguous_until_the_shop_is_named(self, context: Context) -> None:
        with calling(HOUSE), pytest.raises(Conflict, match="name its shop"):
            await WebApi(context).find_order("5001")

    async def test_a_partner_sees_its_shops_and_another_order_is_missing_like_any_other(self, context: Context) -> None:
        api = PartnerApi(context)
        with calling(NORTHWIND):
            assert (await api.get_order(US)).order_id == US
            assert (await api.find_order("5001")).order_id == US  # not ambiguous: the other one does not exist for it
            with pytest.raises(NotFound) as foreign:
                await api.get_order(EU)
            with pytest.raises(NotFound) as missing:
                await api.get_order("sh:northwind-eu:order:9999")
            with pytest.raises(NotFound):
                await api.find_order("5001", shop="northwind-eu")
        assert foreign.value.detail.replace(EU, "X") == missing.value.detail.replace("sh:northwind-eu:order:9999", "X")

    async def test_a_partner_without_shops_sees_what_is_routed_to_it(self, context: Context) -> None:
        api = PartnerApi(context)
        with calling(ROUTED):
            assert (await api.get_order(EU)).order_id == EU
            with pytest.raises(NotFound):
                await api.get_order(US)

    async def test_a_partner_without_anything_sees_nothing(self, context: Context) -> None:
        with calling(NOBODYS), pytest.raises(NotFound):
            await PartnerApi(context).get_order(US)

    async def test_nobody_is_refused(self, context: Context) -> None:
        with calling(None), pytest.raises(Unauthenticated):
            await WebApi(context).get_order(US)

    def test_an_identity_becomes_words_of_the_order_process(self) -> None:
        assert sight_of(NORTHWIND).shops == "northwind-us"
        assert (sight_of(ROUTED).shops, sight_of(ROUTED).partner) == ("*", "acme")
        assert (sight_of(HOUSE).shops, sight_of(HOUSE).partner) == ("*", "")
