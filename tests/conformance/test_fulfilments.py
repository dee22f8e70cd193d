"""Contract `fulfilments`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from strata.canonical.orders import Shipment
from strata.contracts.system import Fulfilments, Orders
from strata.errors import BadParameter, NotFound
from tests.conformance.arrangements import NOBODY, NetSuite, item_line
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.house import House
from tests.sandboxes import Sandbox

pytestmark = [
    pytest.mark.parametrize("backend", offering(Fulfilments), ids=named),
    pytest.mark.usefixtures("fresh_sandbox"),
]
AN_HOUR_AGO = timedelta(hours=1)


@pytest.fixture
async def house(backend: NetSuite, sandbox: Sandbox, open_house: OpenHouse) -> House:
    return await open_house(backend.connection(sandbox))


@pytest.fixture
async def api(house: House) -> Fulfilments:
    return house.system("erp", Fulfilments)


async def ordered(backend: NetSuite, house: House, quantity: int = 2) -> str:
    order = await backend.order(house, location="1")
    lines = (item_line(order.lines[0].item_id, f"{129 * quantity}.00", quantity, sku="NW-TRAI-S"),)
    order = await backend.order(house, location="1", lines=lines)
    await house.system("erp", Orders).put_order(order.key, body=order)
    return order.key


async def all_of(api: Fulfilments, limit: int) -> list[Shipment]:
    found: list[Shipment] = []
    cursor = ""
    while True:
        page = await api.list_fulfilments(updated_from=datetime.now(UTC) - AN_HOUR_AGO, cursor=cursor, limit=limit)
        found += page.items
        cursor = page.next
        if not cursor:
            return found


class TestListFulfilments:
    async def test_a_shipment_is_told_with_its_order_lines_and_parcels(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Fulfilments
    ) -> None:
        key = await ordered(backend, house)
        made = backend.fulfil(sandbox, key, tracking="1Z999AA1")
        [shipment] = await all_of(api, 100)
        assert shipment.ref.id == made
        assert shipment.order_key == key
        assert shipment.order_number.startswith("SO-")
        assert [(x.sku, x.quantity, x.order_line) for x in shipment.lines] == [("NW-TRAI-S", 2, "1")]
        assert shipment.tracking_numbers == ("1Z999AA1",)
        assert shipment.status == "shipped"
        assert shipment.updated_at.tzinfo is not None

    async def test_partial_shipments_are_told_each_with_its_own_quantity(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Fulfilments
    ) -> None:
        key = await ordered(backend, house, quantity=5)
        for quantity in (2, 3):
            backend.fulfil(sandbox, key, lines=[{"line": 1, "quantity": quantity}])
        assert sorted(s.lines[0].quantity for s in await all_of(api, 100)) == [2, 3]

    async def test_pages_go_on_where_they_stopped_and_miss_nothing(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Fulfilments
    ) -> None:
        key = await ordered(backend, house, quantity=7)
        made = [backend.fulfil(sandbox, key, lines=[{"line": 1, "quantity": 1}]) for _ in range(7)]
        assert [s.ref.id for s in await all_of(api, 2)] == made

    async def test_only_what_changed_since(
        self, backend: NetSuite, sandbox: Sandbox, house: House, api: Fulfilments
    ) -> None:
        backend.fulfil(sandbox, await ordered(backend, house))
        [shipment] = await all_of(api, 100)
        at = shipment.updated_at
        assert len((await api.list_fulfilments(updated_from=at)).items) == 1
        assert len((await api.list_fulfilments(updated_from=at + timedelta(seconds=1))).items) == 0

    async def test_without_shipments_it_is_one_call(
        self, backend: NetSuite, sandbox: Sandbox, api: Fulfilments
    ) -> None:
        await all_of(api, 100)
        assert sandbox.netsuite.requests()["summary"]["total"] == 1

    @pytest.mark.parametrize("cursor", ["x", "eyJjaGFuZ2VkIjoiJyIsImlkIjoiMSJ9", "eyJjaGFuZ2VkIjoxfQ"])
    async def test_a_cursor_that_is_none_of_ours_is_refused(
        self, backend: NetSuite, api: Fulfilments, cursor: str
    ) -> None:
        with pytest.raises(BadParameter):
            await api.list_fulfilments(updated_from=datetime.now(UTC), cursor=cursor)


class TestGetFulfilment:
    async def test_one_by_its_id(self, backend: NetSuite, sandbox: Sandbox, house: House, api: Fulfilments) -> None:
        made = backend.fulfil(sandbox, await ordered(backend, house), tracking="JD1")
        [listed] = await all_of(api, 100)
        assert await api.get_fulfilment(made) == listed

    @pytest.mark.parametrize("fulfilment_id", [NOBODY, "abc", "1 OR 1=1"])
    async def test_an_unknown_fulfilment_is_a_404_problem(
        self, backend: NetSuite, api: Fulfilments, fulfilment_id: str
    ) -> None:
        with pytest.raises(NotFound):
            await api.get_fulfilment(fulfilment_id)
