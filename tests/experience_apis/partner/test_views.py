"""What a trading partner's system takes."""

from __future__ import annotations

import msgspec

from experience_apis.partner.views import document
from strata.contracts.process.orders import StatusLine
from tests.experience_apis.samples import state, usd


class TestTheDocument:
    def test_it_speaks_of_order_and_despatch_by_article(self) -> None:
        made = document(state())
        assert (made.order_number, made.purchase_order, made.sales_order_number) == ("#1001", "PO-77", "SO-1000")
        assert [(x.sku, x.ordered, x.shipped) for x in made.lines] == [("NW-A", 2, 1), ("NW-B", 1, 0)]
        [despatch] = made.despatches
        assert (despatch.despatch_number, despatch.tracking_numbers) == ("31", ("1Z1",))
        assert [(x.sku, x.ordered, x.shipped) for x in despatch.lines] == [("NW-A", 2, 1)]

    def test_an_article_on_two_lines_is_one(self) -> None:
        lines = (StatusLine("NW-A", "Jacket", 2, 1, usd("1")), StatusLine("NW-A", "Jacket", 1, 1, usd("1")))
        assert [(x.sku, x.ordered, x.shipped) for x in document(state(lines=lines)).lines] == [("NW-A", 3, 2)]

    def test_it_holds_no_personal_data(self) -> None:
        text = msgspec.json.encode(document(state())).decode()
        assert not [word for word in ("Ada", "Lovelace", "lovelace", "Los Angeles", "ups.example") if word in text]
