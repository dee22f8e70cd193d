"""Contract `channel_orders`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from strata.canonical.money import Money
from strata.contracts.system import ChannelOrders
from strata.contracts.system.channel_orders import ErpLink
from strata.errors import BadParameter, NotFound, StrataError, UnknownOutcome
from tests.conformance.arrangements import NOBODY, Shopify
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.parametrize("backend", offering(ChannelOrders), ids=named)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def api(backend: Shopify, sandbox: Sandbox, open_house: OpenHouse) -> ChannelOrders:
    connection = backend.connection(sandbox)
    return (await open_house(connection)).system(connection.name, ChannelOrders)


class TestGetOrder:
    async def test_what_a_shopper_ordered(self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders) -> None:
        order_id = backend.place_order(sandbox, email="a@example.com", financialStatus="PAID")
        order = await api.get_order(order_id)
        assert order.key == f"sh:northwind-us:order:{order_id}"
        assert order.ref.id == order_id
        assert order.financial_state == "paid"
        assert [(line.sku, line.quantity, line.unit_price) for line in order.lines] == [
            ("NW-TRAI-S", 3, Money(Decimal("129.00"), "USD")),
            ("NW-MAP-01", 1, Money(Decimal("12.50"), "USD")),
        ]
        assert order.totals.total.amount == Decimal("399.50")
        assert order.customer is not None
        assert order.customer.email == "a@example.com"
        assert order.updated_at.tzinfo is not None

    @pytest.mark.parametrize("order_id", [NOBODY, "0", "abc", "1 OR 1=1", "gid://shopify/Order/1", "é"])
    async def test_an_unknown_order_is_a_404_problem(self, backend: Shopify, api: ChannelOrders, order_id: str) -> None:
        with pytest.raises(NotFound):
            await api.get_order(order_id)

    async def test_an_order_of_very_many_lines_is_read_whole(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders
    ) -> None:
        amount = {"shopMoney": {"amount": "1.25", "currencyCode": "USD"}}
        lines = [
            {"title": f"L{n}", "sku": f"SKU-{n}", "quantity": 1, "priceSet": amount, "requiresShipping": True}
            for n in range(130)
        ]
        order = await api.get_order(backend.place_order(sandbox, lineItems=lines))
        assert [line.sku for line in order.lines] == [f"SKU-{n}" for n in range(130)]
        assert order.totals.subtotal.amount == Decimal("162.50")


@pytest.mark.usefixtures("fresh_sandbox")
class TestListOrders:
    async def test_pages_go_on_where_they_stopped_and_miss_nothing(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders
    ) -> None:
        placed = {backend.place_order(sandbox) for _ in range(7)}
        seen: list[str] = []
        cursor = ""
        while True:
            page = await api.list_orders(updated_from=LONG_AGO, cursor=cursor, limit=3)
            seen += [head.key.rpartition(":")[2] for head in page.items]
            cursor = page.next
            if not cursor:
                break
        assert set(seen) == placed
        assert len(seen) == 7

    async def test_the_lower_bound_is_inclusive_and_the_upper_is_not(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders
    ) -> None:
        order_id = backend.place_order(sandbox)
        changed = (await api.get_order(order_id)).updated_at
        assert len((await api.list_orders(updated_from=changed)).items) == 1
        assert len((await api.list_orders(updated_from=changed + timedelta(seconds=1))).items) == 0
        assert len((await api.list_orders(updated_from=LONG_AGO, updated_to=changed)).items) == 0

    @pytest.mark.parametrize("cursor", ["x", "%%%", "eyJhIjoxfQ", "a" * 3000])
    async def test_a_cursor_that_is_none_of_ours_is_refused(
        self, backend: Shopify, api: ChannelOrders, cursor: str
    ) -> None:
        with pytest.raises(BadParameter):
            await api.list_orders(updated_from=LONG_AGO, cursor=cursor)


class TestLinkToErp:
    async def test_the_order_carries_id_number_and_tag(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders
    ) -> None:
        order_id = backend.place_order(sandbox, tags=["vip"])
        await api.link_to_erp(order_id, body=ErpLink("1234", "SO-10001"))
        order = await api.get_order(order_id)
        assert (order.erp_order_id, order.erp_order_number) == ("1234", "SO-10001")
        assert set(order.tags) == {"vip", "erp:SO-10001"}
        heads = (await api.list_orders(updated_from=order.updated_at)).items
        assert [head.erp_order_id for head in heads if head.key == order.key] == ["1234"]

    async def test_doing_it_again_changes_nothing(self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders) -> None:
        order_id = backend.place_order(sandbox)
        for _ in range(3):
            await api.link_to_erp(order_id, body=ErpLink("1234", "SO-10001"))
        assert (await api.get_order(order_id)).tags == ("erp:SO-10001",)

    async def test_an_unknown_order_is_a_404_problem(self, backend: Shopify, api: ChannelOrders) -> None:
        with pytest.raises(NotFound):
            await api.link_to_erp(NOBODY, body=ErpLink("1", "2"))

    async def test_without_an_answer_the_outcome_is_unknown(
        self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders
    ) -> None:
        order_id = backend.place_order(sandbox)
        sandbox.shopify.fault("truncated", "metafieldsSet", times=1)
        with pytest.raises(UnknownOutcome):
            await api.link_to_erp(order_id, body=ErpLink("1234", "SO-10001"))
        assert (await api.get_order(order_id)).erp_order_id == "1234"


class TestLinkCustomer:
    async def test_the_customer_carries_the_id(self, backend: Shopify, sandbox: Sandbox, api: ChannelOrders) -> None:
        upsert = {"toUpsert": {"email": "new@example.com", "firstName": "N", "lastName": "New"}}
        order_id = backend.place_order(sandbox, customer=upsert)
        customer = (await api.get_order(order_id)).customer
        assert customer is not None
        await api.link_customer_to_erp(customer.id, erp_customer_id="301")
        again = (await api.get_order(order_id)).customer
        assert again is not None
        assert again.erp_id == "301"

    @pytest.mark.parametrize("customer_id", [NOBODY, "x"])
    async def test_an_unknown_customer_is_a_404_problem(
        self, backend: Shopify, api: ChannelOrders, customer_id: str
    ) -> None:
        with pytest.raises(StrataError) as caught:
            await api.link_customer_to_erp(customer_id, erp_customer_id="301")
        assert isinstance(caught.value, NotFound)
