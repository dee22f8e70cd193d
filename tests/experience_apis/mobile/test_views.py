"""The order card of a phone."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from experience_apis.mobile.views import TEXT, card
from strata.canonical.orders import OrderStatus
from strata.contracts.process.orders import StatusLine, StatusShipment
from tests.experience_apis.samples import T0, state, usd


class TestTheCard:
    def test_it_counts_pieces_and_links_the_newest_parcel(self) -> None:
        later = StatusShipment("32", T0 + timedelta(hours=5), {"NW-B": 1}, "UPS", ("1Z2",), ("https://ups.example/2",))
        shown = card(state(shipments=(later, *state().shipments)))
        assert (shown.items, shown.shipped, shown.tracking_url) == (3, 1, "https://ups.example/2")
        assert (shown.status, shown.text) == (OrderStatus.PARTIALLY_SHIPPED, "Partly on its way")

    def test_it_stays_small_however_big_the_order_is(self) -> None:
        lines = tuple(StatusLine(f"NW-{n}", "A long title " * 20, 9, 9, usd("1.00")) for n in range(500))
        url = "https://carrier.example/" + "x" * 5000
        parcels = tuple(
            StatusShipment(str(n), T0 + timedelta(minutes=n), {"NW-1": 1}, "UPS", (str(n),), (url,)) for n in range(50)
        )
        big = state(lines=lines, shipments=parcels, key=f"sh:{'s' * 60}:order:{'9' * 40}")
        assert len(msgspec.json.encode(card(big))) < 600

    @pytest.mark.parametrize("status", list(OrderStatus))
    def test_every_status_has_a_word(self, status: OrderStatus) -> None:
        assert 0 < len(TEXT[status]) <= 20
