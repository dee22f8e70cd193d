"""What the family of order processes brings to a worker."""

from __future__ import annotations

from process_apis.orders.steps.sweep import SweepInput
from tests.process_apis.orders.conftest import House


class TestWorkerParts:
    def test_each_backend_is_asked_for_what_it_offers(self, house: House) -> None:
        asked = {
            (s.name, s.process, s.input.watermark) for s in house.parts.schedules if isinstance(s.input, SweepInput)
        }
        assert asked == {
            ("fulfilment_poll:erp", "fulfilment_poll", "fulfilments:erp"),
            ("order_sweep:northwind-us", "order_sweep", "orders:northwind-us"),
            ("order_sweep:northwind-eu", "order_sweep", "orders:northwind-eu"),
        }

    def test_events_of_an_order_start_its_capture_or_are_heard_by_it(self, house: House) -> None:
        assert {s.event for s in house.parts.subscriptions} == {
            "channel_order.created", "channel_order.paid", "channel_order.updated", "channel_order.cancelled",
        }  # fmt: skip
        assert {(s.process, s.on_existing, s.key, s.order_key) for s in house.parts.subscriptions} == {
            ("order_capture", "channel_order.changed", "{subject}", "{subject}")
        }

    def test_all_processes_are_defined(self, house: House) -> None:
        assert {d.name for d in house.parts.definitions} == {
            "order_capture", "fulfilment_back", "fulfilment_poll", "order_sweep",
        }  # fmt: skip

    def test_all_tables_are_declared(self, house: House) -> None:
        assert set(house.context.tables.names()) >= {
            "order_routing", "order_filter", "tax_codes", "discount_items", "shipping_methods", "special_items",
            "email_domains",
        }  # fmt: skip
