"""Contract `orders`."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from strata.canonical.money import Money
from strata.canonical.orders import OrderStatus
from strata.contracts.system import Orders
from strata.errors import Invalid, NotFound, Throttled, Transient, UnknownOutcome
from tests.conformance.arrangements import NetSuite, item_line
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.house import House
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.parametrize("backend", offering(Orders), ids=named)


@pytest.fixture
async def house(backend: NetSuite, sandbox: Sandbox, open_house: OpenHouse) -> House:
    return await open_house(backend.connection(sandbox))


@pytest.fixture
async def api(house: House) -> Orders:
    return house.system("erp", Orders)


def orders_there(sandbox: Sandbox, key: str) -> int:
    return sum(order.get("externalId") == key for order in sandbox.netsuite.state("salesOrder"))


class TestPutOrder:
    async def test_it_is_created_and_told_how_the_system_calls_it(
        self, backend: NetSuite, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        ref = await api.put_order(order.key, body=order)
        assert ref.key == order.key
        assert ref.total == Money(Decimal("258.00"), "USD")
        assert ref.status is OrderStatus.ACCEPTED
        assert ref.created
        assert ref.number
        assert ref.ref.id
        assert await api.get_order(order.key) == msgspec.structs.replace(ref, created=False)

    async def test_what_was_sent_before_is_found_and_left_as_it_is(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        first = await api.put_order(order.key, body=order)
        changed = msgspec.structs.replace(order, lines=(item_line(order.lines[0].item_id, "1.00", 1),))
        again = await api.put_order(order.key, body=changed, look_first=True)
        assert again == msgspec.structs.replace(first, created=False)
        assert orders_there(sandbox, order.key) == 1

    async def test_the_same_order_twice_is_one_order_of_the_same_size(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        first = await api.put_order(order.key, body=order)
        second = await api.put_order(order.key, body=order)
        assert (second.ref.id, second.total) == (first.ref.id, first.total)
        assert orders_there(sandbox, order.key) == 1

    async def test_without_an_answer_the_outcome_is_unknown_and_looking_first_makes_no_second(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        sandbox.netsuite.fault("timeout_after", backend.put_order, times=1, hang_s=4)
        with pytest.raises(UnknownOutcome):
            await api.put_order(order.key, body=order)
        ref = await api.put_order(order.key, body=order, look_first=True)
        assert not ref.created
        assert ref.total == order.expected_total
        assert orders_there(sandbox, order.key) == 1

    async def test_a_connection_cut_right_after_the_answer_is_no_trouble(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        sandbox.netsuite.fault("truncated", backend.put_order, times=1)
        assert (await api.put_order(order.key, body=order)).total == order.expected_total

    async def test_a_write_that_never_arrived_makes_one_order_in_the_end(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        sandbox.netsuite.fault("connection_reset", backend.put_order, times=1)
        with pytest.raises(UnknownOutcome):
            await api.put_order(order.key, body=order)
        assert (await api.put_order(order.key, body=order, look_first=True)).created
        assert orders_there(sandbox, order.key) == 1

    async def test_an_article_that_is_not_there_is_named(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        good = await backend.order(house)
        bad = item_line("999999", "5.00", 1, sku="NO-SUCH")
        order = msgspec.structs.replace(good, lines=(*good.lines, bad))
        with pytest.raises(Invalid) as caught:
            await api.put_order(order.key, body=order)
        [cause] = caught.value.errors
        assert cause.pointer == "/lines/1/sku"
        assert cause.value == "NO-SUCH"
        assert cause.remedy
        assert orders_there(sandbox, order.key) == 0

    async def test_a_customer_that_is_not_there_is_named(self, backend: NetSuite, house: House, api: Orders) -> None:
        order = await backend.order(house, customer_id="999999")
        with pytest.raises(Invalid) as caught:
            await api.put_order(order.key, body=order)
        assert caught.value.errors[0].pointer == "/customer_id"

    async def test_a_currency_that_the_account_lacks_is_named(
        self, backend: NetSuite, house: House, api: Orders
    ) -> None:
        order = await backend.order(house, currency="XAF")
        with pytest.raises(Invalid) as caught:
            await api.put_order(order.key, body=order)
        assert caught.value.errors[0].value == "XAF"

    async def test_another_key_in_the_path_is_refused(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        with pytest.raises(Invalid):
            await api.put_order("sh:northwind-us:order:1", body=order)
        assert orders_there(sandbox, order.key) == orders_there(sandbox, "sh:northwind-us:order:1") == 0

    async def test_throttling_and_outage_write_nothing(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Orders
    ) -> None:
        order = await backend.order(house)
        sandbox.netsuite.fault("throttle", backend.put_order, times=1)
        with pytest.raises(Throttled):
            await api.put_order(order.key, body=order)
        sandbox.netsuite.fault("status", backend.put_order, times=1, status=503)
        with pytest.raises(Transient):
            await api.put_order(order.key, body=order)
        assert orders_there(sandbox, order.key) == 0


class TestGetOrder:
    @pytest.mark.parametrize("key", ["sh:none:order:1", "sh:x:order:O-1"])
    async def test_an_unknown_order_is_a_404_problem(self, backend: NetSuite, api: Orders, key: str) -> None:
        with pytest.raises(NotFound):
            await api.get_order(key)
