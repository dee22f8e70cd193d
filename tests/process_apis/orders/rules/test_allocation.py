"""Which open lines a shipment fulfils (O2C-04)."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from process_apis.orders.rules.allocation import (
    SoldLine,
    allocate,
    channel_quantities,
    parcels,
    recognise,
    sold_lines,
)
from process_apis.orders.rules.causes import Causes
from strata.canonical.orders import SalesOrderLine, ShipmentLine
from strata.contracts.system.channel_fulfilments import ChannelFulfilment, FulfilmentState, OpenLine, Tracking
from tests.process_apis.fakes import T0
from tests.process_apis.orders.samples import order, shipment, usd

TRACKING = Tracking("UPS", ("1Z",))


def shipped(*lines: tuple[str, int, str]) -> dict[str, int]:
    sold = (SoldLine("1", "L1", "A"), SoldLine("3", "L2", "A"), SoldLine("4", "L3", "B"))
    made = msgspec.structs.replace(
        shipment(1, order(), {"NW-A": 1}), lines=tuple(ShipmentLine(sku, n, number) for sku, n, number in lines)
    )
    return channel_quantities(made, sold, Causes())


class TestLines:
    def test_goods_are_numbered_as_they_were_sent(self) -> None:
        kinds = ("item", "discount", "item", "shipping")
        lines = [SalesOrderLine(kind, "9", 1, usd("1"), f"L{n}", "A") for n, kind in enumerate(kinds)]  # pyright: ignore[reportArgumentType]  # literals above
        assert [x.number for x in sold_lines(lines)] == ["1", "3"]

    def test_the_same_article_on_two_lines_is_told_apart_by_number(self) -> None:
        assert shipped(("A", 2, "3")) == {"L2": 2}
        assert shipped(("A", 1, "1"), ("A", 2, "3"), ("B", 1, "4")) == {"L1": 1, "L2": 2, "L3": 1}

    def test_other_numbers_are_followed_by_rank(self) -> None:
        assert shipped(("A", 1, "101"), ("A", 2, "102"), ("B", 1, "103")) == {"L1": 1, "L2": 2, "L3": 1}


@st.composite
def openings(draw: st.DrawFn) -> list[OpenLine]:
    count = draw(st.integers(1, 6))
    return [
        OpenLine(draw(st.sampled_from(("L1", "L2", "L3"))), f"fo{n}", f"fol{n}", draw(st.integers(0, 5)), "A",
                 draw(st.sampled_from(("here", "there"))))
        for n in range(count)
    ]  # fmt: skip


class TestAllocation:
    @given(lines=openings(), wanted=st.dictionaries(st.sampled_from(("L1", "L2", "L3")), st.integers(1, 12)))
    def test_nothing_is_taken_twice_and_all_or_a_cause(self, lines: list[OpenLine], wanted: dict[str, int]) -> None:
        causes = Causes()
        made = parcels(allocate(wanted, lines, causes), TRACKING)
        remaining = {x.fulfilment_order_line_id: x.remaining for x in lines}
        for parcel in made:
            for line in parcel.body.lines:
                remaining[line.fulfilment_order_line_id] -= line.quantity
        assert all(left >= 0 for left in remaining.values())
        for line, pieces in wanted.items():
            told = sum(parcel.lines.get(line, 0) for parcel in made)
            possible = sum(x.remaining for x in lines if x.order_line_id == line)
            assert told == min(pieces, possible)
        assert len(causes.found) == sum(
            pieces > sum(x.remaining for x in lines if x.order_line_id == line) for line, pieces in wanted.items()
        )

    @given(lines=openings())
    def test_one_parcel_for_each_place_and_one_word_to_the_customer(self, lines: list[OpenLine]) -> None:
        wanted = {x.order_line_id: 99 for x in lines if x.remaining}
        made = parcels(allocate(wanted, lines, Causes()), TRACKING)
        places = {x.fulfilment_order_id: x.location_id for x in lines}
        for parcel in made:
            assert len({places[line.fulfilment_order_id] for line in parcel.body.lines}) == 1
        assert sum(parcel.body.notify_customer for parcel in made) == (1 if made else 0)


class TestRecognition:
    STATE = FulfilmentState(
        (),
        (
            ChannelFulfilment("f1", "success", T0, {"L1": 1}, ("1Z",)),
            ChannelFulfilment("f2", "cancelled", T0, {"L1": 1}, ("1Z",)),
            ChannelFulfilment("f3", "success", T0, {"L1": 1}, ("other",)),
        ),
    )

    def test_a_new_one_with_the_same_lines_and_tracking_is_ours(self) -> None:
        [parcel] = parcels({"here": [(OpenLine("L1", "fo", "fol", 1), 1)]}, TRACKING)
        assert recognise(self.STATE, parcel, ()) == "f1"

    def test_what_was_there_before_what_was_cancelled_and_what_differs_is_not(self) -> None:
        [parcel] = parcels({"here": [(OpenLine("L1", "fo", "fol", 1), 1)]}, TRACKING)
        assert recognise(self.STATE, parcel, ("f1",)) == ""
        two = msgspec.structs.replace(parcel, lines={"L1": 2})
        assert recognise(self.STATE, two, ()) == ""
