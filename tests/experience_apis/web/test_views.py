"""The order page of a web shop."""

from __future__ import annotations

import msgspec
import pytest

from experience_apis.web.views import STATUS_TEXT, country_name, order_page
from strata.canonical.orders import OrderStatus
from strata.contracts.process.orders import Milestone, OrderProblem
from tests.experience_apis.samples import T0, state


class TestTheOrderPage:
    def test_it_shows_lines_totals_parcels_and_the_erp_number(self) -> None:
        page = order_page(state())
        assert [(x.sku, x.quantity, x.shipped) for x in page.lines] == [("NW-A", 2, 1), ("NW-B", 1, 0)]
        assert page.totals is not None
        assert str(page.totals.total) == "230.59 USD"
        assert page.shipments[0].tracking_urls == ("https://ups.example/1Z1",)
        assert page.erp_number == "SO-1000"
        assert page.ship_to == "Los Angeles, United States"

    def test_the_progress_bar_tells_when_each_step_was_reached(self) -> None:
        steps = order_page(state()).progress
        assert [(s.label, s.reached_at is not None) for s in steps] == [
            ("Received", True),
            ("Confirmed", True),
            ("On its way", True),
            ("Shipped completely", False),
        ]

    def test_a_step_that_was_jumped_over_counts_as_reached(self) -> None:
        jumped = state(milestones=(Milestone(OrderStatus.RECEIVED, T0), Milestone(OrderStatus.SHIPPED, T0)))
        assert all(step.reached_at for step in order_page(jumped).progress)

    def test_a_cancelled_order_ends_with_that(self) -> None:
        gone = state(
            status=OrderStatus.CANCELLED,
            milestones=(Milestone(OrderStatus.RECEIVED, T0), Milestone(OrderStatus.CANCELLED, T0)),
        )
        assert [s.label for s in order_page(gone).progress] == ["Received", "Cancelled"]

    def test_it_tells_nothing_of_the_person_or_of_our_troubles(self) -> None:
        held = state(
            status=OrderStatus.ON_HOLD, held_because="The shop rates the risk of fraud as high.",
            problem=OrderProblem("article NW-X is not in the ERP"),
        )  # fmt: skip
        text = msgspec.json.encode(order_page(held)).decode()
        assert not [word for word in ("fraud", "NW-X", "Ada", "lovelace", "PO-77") if word in text]

    @pytest.mark.parametrize("status", list(OrderStatus))
    def test_every_status_has_a_sentence(self, status: OrderStatus) -> None:
        assert STATUS_TEXT[status].endswith(".")

    def test_an_order_just_heard_of_can_be_shown(self) -> None:
        young = state(status=OrderStatus.RECEIVED, total=None, lines=(), shipments=(), links=(), milestones=())
        assert order_page(young).totals is None

    def test_a_country_that_nobody_knows_stays_as_it_is(self) -> None:
        assert (country_name("DE"), country_name("ZZ")) == ("Germany", "ZZ")
