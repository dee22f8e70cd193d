"""Request ids and W3C trace context, through the whole chain."""

from __future__ import annotations

import re

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.gateway.conftest import House, a_house

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


class TestRequestId:
    async def test_a_sane_one_is_kept_to_the_service_and_back(self, house: House) -> None:
        answer = await house.get("/web/v1/orders", headers={"x-request-id": "order-4711-a"})
        assert answer.headers["x-request-id"] == house.web.seen["x-request-id"] == "order-4711-a"

    @pytest.mark.parametrize("value", ["x", "a b c d e f g h", "x" * 200])
    async def test_an_odd_one_is_replaced(self, house: House, value: str) -> None:
        answer = await house.get("/web/v1/orders", headers={"x-request-id": value})
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


class TestTraceContext:
    async def test_a_valid_one_is_continued_with_a_span_of_ours(self, house: House) -> None:
        await house.get("/web/v1/orders", headers={"traceparent": PARENT, "tracestate": "a=1, b=2"})
        version, trace_id, span_id, flags = house.web.seen["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", TRACE, "01")
        assert span_id != SPAN
        assert house.web.seen["tracestate"] == "a=1,b=2"

    @pytest.mark.parametrize("value", ["nonsense", PARENT.replace(TRACE, "0" * 32), "ü" * 20])
    async def test_an_invalid_one_starts_anew_and_takes_no_state(self, house: House, value: str) -> None:
        headers = {"traceparent": value.encode(), "tracestate": b"a=1", "baggage": b"user=1"}
        await house.get("/web/v1/orders", headers=headers)  # type: ignore[arg-type]
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]", house.web.seen["traceparent"])
        assert TRACE not in house.web.seen["traceparent"]
        assert "tracestate" not in house.web.seen
        assert "baggage" not in house.web.seen

    async def test_a_problem_names_the_trace(self, house: House) -> None:
        answer = await house.http.get("/web/v1/orders", headers={"traceparent": PARENT})
        assert answer.json()["trace_id"] == TRACE

    async def test_exported_spans_have_the_caller_as_parent(
        self, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
        async with a_house(postgres_url) as house:
            await house.token()
            exporter.clear()
            await house.get("/web/v1/orders/a", headers={"traceparent": PARENT})
            (span,) = exporter.get_finished_spans()
            assert span.name == "GET /web/v1/orders/{id}"
            assert span.parent is not None
            assert f"{span.parent.span_id:016x}" == SPAN
            assert span.context is not None
            assert house.web.seen["traceparent"] == f"00-{TRACE}-{span.context.span_id:016x}-01"
            assert span.attributes is not None
            assert span.attributes["http.response.status_code"] == 200
