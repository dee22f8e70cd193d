"""O2C-04: what left the warehouse is told to the shop per line, once, with one word to the customer per shipment."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from process_apis.orders.steps.fulfilment import FulfilmentInput
from process_apis.orders.steps.sweep import version_of
from strata.canonical.orders import ChannelOrder, OrderStatus, Shipment
from strata.contracts.system.channel_fulfilments import ChannelFulfilment, OpenLine
from strata.durable import ItemDetail, Status
from strata.errors import Poison
from tests.process_apis.fakes import T0
from tests.process_apis.orders.conftest import House
from tests.process_apis.orders.samples import order, shipment


async def captured(house: House, placed: ChannelOrder, locations: dict[str, str] | None = None) -> None:
    house.us.place(placed, locations=locations)
    await house.webhook(placed)
    await house.captured(placed)


async def tell(house: House, shipped: Shipment, *, status: Status | None = Status.DONE) -> ItemDetail:
    house.erp.shipments[shipped.ref.id] = shipped
    key = f"erp:fulfilment:{shipped.ref.id}:{shipped.ref.version}"
    given = FulfilmentInput("erp", "northwind-us", shipped)
    await house.journal.start("fulfilment_back", key, given, order_key=shipped.order_key)
    return await house.stands("fulfilment_back", key, status=status)


def run_key(house: House, number: int) -> str:
    """Key of the run that the poll starts for a shipment as it is now."""
    return f"erp:fulfilment:{number}:{version_of(house.erp.shipments[str(number)])}"


def held(house: House) -> list[dict[str, int]]:
    return [x.lines for x in house.us.fulfilments["5001"]]


class TestShipments:
    async def test_a_whole_order_is_fulfilled_with_tracking_and_one_word_to_the_customer(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        await tell(house, shipment(1, placed, {"NW-A": 2, "NW-B": 1}))
        [made] = house.us.fulfilments["5001"]
        assert (made.lines, made.tracking_numbers, made.carrier) == ({"L1": 2, "L2": 1}, ("1Z1",), "UPS")
        assert house.us.notifications == ["f-1"]
        state = await house.api.get_order(placed.key)
        assert state.status is OrderStatus.SHIPPED
        assert [(x.sku, x.shipped) for x in state.lines] == [("NW-A", 2), ("NW-B", 1)]
        [parcel] = state.shipments
        assert (parcel.lines, parcel.tracking_numbers, parcel.told_channel) == ({"NW-A": 2, "NW-B": 1}, ("1Z1",), True)

    async def test_partial_shipments_come_one_by_one(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        await tell(house, shipment(1, placed, {"NW-A": 1}))
        assert (await house.api.get_order(placed.key)).status is OrderStatus.PARTIALLY_SHIPPED
        await tell(house, shipment(2, placed, {"NW-A": 1, "NW-B": 1}))
        assert held(house) == [{"L1": 1}, {"L1": 1, "L2": 1}]
        assert len(house.us.notifications) == 2
        state = await house.api.get_order(placed.key)
        assert state.status is OrderStatus.SHIPPED
        assert [m.status for m in state.milestones][-2:] == [OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED]

    async def test_pieces_at_two_places_are_two_fulfilments_and_one_word(self, house: House) -> None:
        placed = order()
        await captured(house, placed, locations={"L1": "portland", "L2": "newark"})
        await tell(house, shipment(1, placed, {"NW-A": 2, "NW-B": 1}))
        assert sorted(held(house), key=str) == [{"L1": 2}, {"L2": 1}]
        assert len(house.us.notifications) == 1

    async def test_picked_and_packed_are_not_told(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        picked = shipment(1, placed, {"NW-A": 2}, status="picked")
        detail = await tell(house, picked)
        assert detail.result is not None
        assert b"not_shipped" in detail.result
        assert held(house) == []

    async def test_tracking_that_comes_later_is_an_update(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        await tell(house, shipment(1, placed, {"NW-A": 2}, tracking_numbers=()))
        await tell(house, shipment(1, placed, {"NW-A": 2}, version=2))
        [made] = house.us.fulfilments["5001"]
        assert made.tracking_numbers == ("1Z1",)
        assert len(house.us.notifications) == 1
        [parcel] = (await house.api.get_order(placed.key)).shipments
        assert parcel.tracking_numbers == ("1Z1",)

    async def test_a_new_version_without_news_changes_nothing(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        await tell(house, shipment(1, placed, {"NW-A": 2}))
        await tell(house, shipment(1, placed, {"NW-A": 2}, version=2))
        assert len(held(house)) == 1
        assert house.us.faults.count("update_tracking") == 0

    async def test_a_fulfilment_entered_by_hand_for_the_same_parcel_is_taken_as_it_is(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        by_hand = ChannelFulfilment("f-hand", "success", T0, {"L1": 2}, ("1Z1",))
        house.us.fulfilments["5001"].append(by_hand)
        await tell(house, shipment(1, placed, {"NW-A": 2}))
        assert [x.id for x in house.us.fulfilments["5001"]] == ["f-hand"]
        assert house.us.notifications == []


class TestUnknownOutcome:
    async def test_a_fulfilment_whose_answer_was_lost_is_recognised(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        house.us.faults.lose_answer("create")
        await tell(house, shipment(1, placed, {"NW-A": 1}))
        assert held(house) == [{"L1": 1}]
        assert len(house.us.notifications) == 1

    async def test_an_earlier_one_with_the_same_lines_is_not_taken_for_it(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        await tell(house, shipment(1, placed, {"NW-A": 1}, tracking_numbers=("SAME",)))
        house.us.faults.lose_answer("create")
        await tell(house, shipment(2, placed, {"NW-A": 1}, tracking_numbers=("SAME",)))
        assert held(house) == [{"L1": 1}, {"L1": 1}]

    async def test_one_of_two_places_is_told_once_although_both_look_alike(self, house: House) -> None:
        one_line = msgspec.structs.replace(order(), lines=(order().lines[0],), shipping_lines=())
        totals = msgspec.structs.replace(one_line.totals, total=one_line.lines[0].unit_price * 2)
        placed = msgspec.structs.replace(
            one_line, totals=totals, lines=(msgspec.structs.replace(one_line.lines[0], taxes=()),)
        )
        await captured(house, placed)
        house.us.open_lines["5001"] = [
            OpenLine("L1", "fo-1", "fol-1", 1, "NW-A", "portland"),
            OpenLine("L1", "fo-2", "fol-2", 1, "NW-A", "newark"),
        ]
        house.us.faults.lose_answer("create")
        await tell(house, shipment(1, placed, {"NW-A": 2}))
        assert held(house) == [{"L1": 1}, {"L1": 1}]


class TestWhatCannotBeTold:
    async def test_too_many_pieces_are_a_matter_for_a_person_who_mends_the_erp(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        detail = await tell(house, shipment(1, placed, {"NW-A": 3}), status=Status.DEAD)
        assert detail.item.failure_class == "V"
        assert "3 pieces" in (detail.item.reason or "")
        house.erp.shipments["1"] = shipment(1, placed, {"NW-A": 2})
        await house.retry(detail)
        await house.stands("fulfilment_back", "erp:fulfilment:1:v1", status=Status.DONE)
        assert held(house) == [{"L1": 2}]

    async def test_an_order_that_has_nothing_open_any_more_is_told_in_plain_words(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        house.us.open_lines["5001"] = []
        detail = await tell(house, shipment(1, placed, {"NW-A": 2}), status=Status.DEAD)
        assert "cancelled, closed or fulfilled by hand" in (detail.item.reason or "")

    async def test_an_article_that_was_not_ordered_is_told(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        wrong = msgspec.structs.replace(
            shipment(1, placed, {"NW-A": 1}),
            lines=(msgspec.structs.replace(shipment(1, placed, {"NW-A": 1}).lines[0], sku="NW-Z"),),
        )
        detail = await tell(house, wrong, status=Status.DEAD)
        assert "NW-Z" in (detail.item.reason or "")

    async def test_content_that_changed_after_it_was_told_is_a_conflict(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        await tell(house, shipment(1, placed, {"NW-A": 1}))
        detail = await tell(house, shipment(1, placed, {"NW-A": 2}, version=2), status=Status.DEAD)
        assert detail.item.failure_class == "X"

    async def test_a_shipment_that_is_taken_back_after_it_was_told_is_a_conflict(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        await tell(house, shipment(1, placed, {"NW-A": 1}))
        detail = await tell(house, shipment(1, placed, {"NW-A": 1}, version=2, status="packed"), status=Status.DEAD)
        assert detail.item.failure_class == "X"
        assert "packed again" in (detail.item.reason or "")
        house.erp.shipments["1"] = shipment(1, placed, {"NW-A": 1}, version=3)
        await house.retry(detail)
        await house.stands("fulfilment_back", "erp:fulfilment:1:v2", status=Status.DONE)
        assert held(house) == [{"L1": 1}]

    async def test_an_order_that_is_not_captured_yet_is_waited_for(self, house: House) -> None:
        placed = order()
        house.us.place(placed)
        detail = await tell(house, shipment(1, placed, {"NW-A": 2}), status=Status.WAITING)
        assert detail.item.failure_class == "D"
        await house.journal.discard(detail.item.id, by="test", why="the order comes first here")


class TestThePoll:
    async def test_each_version_starts_one_run_and_the_watermark_follows(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        now = await house.journal.now()
        for number in (1, 2):
            found = shipment(number, placed, {"NW-A": 1}, updated_at=now + timedelta(seconds=number))
            house.erp.shipments[str(number)] = found
        poll = house.schedule("fulfilment_poll:erp")
        await house.stands("fulfilment_poll", await house.start(poll, 1), status=Status.DONE)
        for number in (1, 2):
            await house.stands(
                "fulfilment_back",
                run_key(house, number),
                status=Status.DONE,
            )
        assert held(house) == [{"L1": 1}, {"L1": 1}]
        mark = await house.journal.watermark("fulfilments:erp")

        again = await house.stands("fulfilment_poll", await house.start(poll, 2), status=Status.DONE)
        assert again.result == b'{"seen":2,"started":0}'
        assert await house.journal.watermark("fulfilments:erp") == mark
        late = shipment(1, placed, {"NW-A": 1}, version=2, tracking_numbers=("NEW",))
        house.erp.shipments["1"] = msgspec.structs.replace(late, updated_at=now + timedelta(seconds=9))
        await house.stands("fulfilment_poll", await house.start(poll, 3), status=Status.DONE)
        await house.stands("fulfilment_back", run_key(house, 1), status=Status.DONE)
        assert house.us.fulfilments["5001"][0].tracking_numbers == ("NEW",)
        assert str(await house.journal.watermark("fulfilments:erp")) > str(mark)

    async def test_two_changes_within_one_second_are_two_versions(self, house: House) -> None:
        bare = shipment(1, order(), {"NW-A": 1}, tracking_numbers=())
        tracked = msgspec.structs.replace(bare, tracking_numbers=("1Z",))
        assert bare.ref.version == tracked.ref.version
        assert version_of(bare) != version_of(tracked)

    async def test_the_watermark_stays_when_a_page_fails(self, house: House) -> None:
        placed = order()
        await captured(house, placed)
        now = await house.journal.now()
        house.erp.shipments = {
            str(n): shipment(n, placed, {"NW-A": 1}, updated_at=now + timedelta(milliseconds=n)) for n in range(150)
        }
        poll = house.schedule("fulfilment_poll:erp")
        await house.journal.pause("northwind-us", by="test", why="only the poll matters here")
        house.erp.faults.before["list_fulfilments"] = [Poison("the second page cannot be read")]
        await house.stands("fulfilment_poll", await house.start(poll, 1), status=Status.DEAD)
        assert await house.journal.watermark("fulfilments:erp") is None
        await house.stands("fulfilment_poll", await house.start(poll, 2), status=Status.DONE)
        assert await house.journal.watermark("fulfilments:erp") is not None
        assert await house.runs("fulfilment_back") == 150

    async def test_shipments_of_shops_that_are_not_connected_start_nothing(self, house: House) -> None:
        foreign = order(shop="other-shop")
        moved = msgspec.structs.replace(shipment(1, foreign, {"NW-A": 1}), updated_at=await house.journal.now())
        house.erp.shipments["1"] = moved
        await house.stands(
            "fulfilment_poll", await house.start(house.schedule("fulfilment_poll:erp"), 1), status=Status.DONE
        )
        assert await house.runs("fulfilment_back") == 0
