"""Contract `channel_fulfilments`."""

from __future__ import annotations

import pytest

from strata.contracts.system import ChannelFulfilments, ChannelOrders
from strata.contracts.system.channel_fulfilments import FulfilLine, NewFulfilment, OpenLine, Tracking
from strata.errors import Conflict, Invalid, NotFound, StrataError, UnknownOutcome
from tests.conformance.arrangements import NOBODY, Shopify, line
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.house import House
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.parametrize("backend", offering(ChannelFulfilments), ids=named)
PARCEL = Tracking("UPS", ("1Z999AA10123456784",), ("https://example.com/1Z",))


@pytest.fixture
async def house(backend: Shopify, sandbox: Sandbox, open_house: OpenHouse) -> House:
    return await open_house(backend.connection(sandbox))


@pytest.fixture
async def api(house: House) -> ChannelFulfilments:
    return house.system("northwind-us", ChannelFulfilments)


def part(of: OpenLine, quantity: int) -> FulfilLine:
    return FulfilLine(of.fulfilment_order_id, of.fulfilment_order_line_id, quantity)


def notifications(sandbox: Sandbox) -> int:
    return len(sandbox.shopify.state("notification"))


class TestState:
    async def test_everything_of_a_new_order_is_open(
        self, backend: Shopify, sandbox: Sandbox, house: House, api: ChannelFulfilments
    ) -> None:
        order_id = backend.place_order(sandbox)
        order = await house.system("northwind-us", ChannelOrders).get_order(order_id)
        state = await api.get_state(order_id)
        assert state.fulfilments == ()
        assert {(o.order_line_id, o.sku, o.remaining) for o in state.open_lines} == {
            (x.id, x.sku, x.quantity) for x in order.lines
        }

    async def test_an_order_of_very_many_lines_is_read_whole(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelFulfilments
    ) -> None:
        order_id = backend.place_order(sandbox, lineItems=[line(f"SKU-{n}", "1.00", 1) for n in range(90)])
        before = await api.get_state(order_id)
        assert len(before.open_lines) == 90
        await api.create(order_id, body=NewFulfilment(tuple(part(o, 1) for o in before.open_lines)))
        after = await api.get_state(order_id)
        assert after.open_lines == ()
        assert len(after.fulfilments[0].lines) == 90

    @pytest.mark.parametrize("order_id", [NOBODY, "abc", ""])
    async def test_an_unknown_order_is_a_404_problem(
        self, backend: Shopify, api: ChannelFulfilments, order_id: str
    ) -> None:
        with pytest.raises(NotFound):
            await api.get_state(order_id or "%20")


class TestCreate:
    async def test_a_part_of_a_line_leaves_the_rest_open(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelFulfilments
    ) -> None:
        order_id = backend.place_order(sandbox)
        first = next(o for o in (await api.get_state(order_id)).open_lines if o.remaining == 3)
        made = await api.create(order_id, body=NewFulfilment((part(first, 2),), PARCEL))
        state = await api.get_state(order_id)
        [fulfilment] = state.fulfilments
        assert fulfilment.id == made.id
        assert fulfilment.lines == {first.order_line_id: 2}
        assert fulfilment.tracking_numbers == PARCEL.numbers
        assert fulfilment.carrier == "UPS"
        assert {o.remaining for o in state.open_lines if o.order_line_id == first.order_line_id} == {1}

    async def test_the_customer_is_told_once_for_each_shipment(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelFulfilments
    ) -> None:
        order_id = backend.place_order(sandbox, email="a@example.com")
        first, second = (await api.get_state(order_id)).open_lines
        before = notifications(sandbox)
        await api.create(order_id, body=NewFulfilment((part(first, 1),), PARCEL))
        await api.create(order_id, body=NewFulfilment((part(second, 1),), PARCEL, notify_customer=False))
        assert notifications(sandbox) == before + 1

    async def test_more_than_is_open_is_refused(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelFulfilments
    ) -> None:
        order_id = backend.place_order(sandbox)
        [first, *_] = (await api.get_state(order_id)).open_lines
        with pytest.raises(StrataError) as caught:
            await api.create(order_id, body=NewFulfilment((part(first, first.remaining + 1),)))
        assert isinstance(caught.value, Invalid | Conflict)
        assert (await api.get_state(order_id)).fulfilments == ()

    @pytest.mark.parametrize("kind", ["timeout_after", "truncated"])
    async def test_without_an_answer_the_outcome_is_unknown_and_the_state_tells(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelFulfilments, kind: str
    ) -> None:
        order_id = backend.place_order(sandbox)
        [first, *_] = (await api.get_state(order_id)).open_lines
        sandbox.shopify.fault(kind, backend.create_fulfilment, times=1, hang_s=5)
        with pytest.raises(UnknownOutcome):
            await api.create(order_id, body=NewFulfilment((part(first, 1),), PARCEL))
        assert [f.tracking_numbers for f in (await api.get_state(order_id)).fulfilments] == [PARCEL.numbers]


class TestTracking:
    async def test_it_is_replaced_and_doing_it_again_changes_nothing(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelFulfilments
    ) -> None:
        order_id = backend.place_order(sandbox)
        [first, *_] = (await api.get_state(order_id)).open_lines
        before = notifications(sandbox)
        made = await api.create(order_id, body=NewFulfilment((part(first, 1),), notify_customer=False))
        for _ in range(2):
            await api.update_tracking(made.id, body=Tracking("DHL", ("JD01", "JD02")))
        [fulfilment] = (await api.get_state(order_id)).fulfilments
        assert (fulfilment.carrier, fulfilment.tracking_numbers) == ("DHL", ("JD01", "JD02"))
        assert notifications(sandbox) == before

    @pytest.mark.parametrize("fulfilment_id", [NOBODY, "abc"])
    async def test_an_unknown_fulfilment_is_a_404_problem(
        self, backend: Shopify, api: ChannelFulfilments, fulfilment_id: str
    ) -> None:
        with pytest.raises(NotFound):
            await api.update_tracking(fulfilment_id, body=PARCEL)
