"""One exchange with a backend: traced and counted, without a secret, and every break has its error."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from structlog.contextvars import bound_contextvars

from strata import telemetry
from strata.errors import StrataError, Transient, UnknownOutcome, Unreachable
from system_apis import exchange as exchanges
from system_apis.exchange import Effect, Exchange, Reply

SECRET = "shpat_very_secret"


def answering(answer: Any) -> Exchange:
    return Exchange("shopify", "acme", httpx.AsyncClient(transport=httpx.MockTransport(answer)))


async def send(over: Exchange, effect: Effect = "read") -> Reply:
    return await over.send(
        "POST",
        f"https://acme.example/graphql.json?key={SECRET}",
        operation="order",
        effect=effect,
        headers={"x-shopify-access-token": SECRET},
        content=b'{"email": "a@example.com"}',
    )


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(telemetry, "tracer", provider.get_tracer)
    return kept


class TestTrace:
    async def test_a_call_is_a_client_span_with_vendor_connection_operation_and_status(
        self, spans: InMemorySpanExporter
    ) -> None:
        await send(answering(lambda _: httpx.Response(429)))
        [span] = spans.get_finished_spans()
        assert span.kind is SpanKind.CLIENT
        assert dict(span.attributes or {}) == {
            "strata.vendor": "shopify",
            "strata.connection": "acme",
            "strata.operation": "order",
            "http.request.method": "POST",
            "http.response.status_code": 429,
        }

    async def test_the_correlation_id_of_the_work_is_on_it(self, spans: InMemorySpanExporter) -> None:
        with bound_contextvars(correlation_id="c0ffee"):
            await send(answering(lambda _: httpx.Response(200)))
        [span] = spans.get_finished_spans()
        assert (span.attributes or {})["strata.correlation_id"] == "c0ffee"

    async def test_neither_secrets_nor_data_are_in_it(self, spans: InMemorySpanExporter) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout(f"{SECRET} a@example.com", request=request)

        with pytest.raises(Transient) as caught:
            await send(answering(answer))
        [span] = spans.get_finished_spans()
        assert not leaks(span)
        assert SECRET not in caught.value.detail


def leaks(span: ReadableSpan) -> bool:
    text = span.to_json()
    return SECRET in text or "a@example.com" in text


class TestCount:
    async def test_calls_are_counted_by_outcome(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader = InMemoryMetricReader()
        meter = MeterProvider(metric_readers=[reader]).get_meter("test")
        monkeypatch.setattr(exchanges, "_calls", meter.create_counter("strata.backend.calls"))
        await send(answering(lambda _: httpx.Response(200)))
        await send(answering(lambda _: httpx.Response(503)))
        data: Any = reader.get_metrics_data()
        points = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
        assert {
            (p.attributes["vendor"], p.attributes["operation"], p.attributes["outcome"], p.value) for p in points
        } == {
            ("shopify", "order", "200", 1),
            ("shopify", "order", "503", 1),
        }


class TestBreaks:
    @pytest.mark.parametrize(
        ("trouble", "read", "write"),
        [
            (httpx.ConnectError, Unreachable, Unreachable),
            (httpx.ConnectTimeout, Unreachable, Unreachable),
            (httpx.PoolTimeout, Unreachable, Unreachable),
            (httpx.ReadTimeout, Transient, UnknownOutcome),
            (httpx.ReadError, Transient, UnknownOutcome),
            (httpx.WriteError, Transient, UnknownOutcome),
            (httpx.DecodingError, Transient, UnknownOutcome),
        ],
    )
    async def test_what_was_not_sent_did_not_happen_and_what_was_may_have(
        self, trouble: type[httpx.RequestError], read: type[StrataError], write: type[StrataError]
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            raise trouble("x", request=request)

        with pytest.raises(StrataError) as caught:
            await send(answering(answer), "read")
        assert type(caught.value) is read
        with pytest.raises(StrataError) as caught:
            await send(answering(answer), "write")
        assert type(caught.value) is write

    async def test_a_read_on_a_connection_that_was_just_closed_is_tried_once_more(self) -> None:
        tries: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            tries.append(request)
            if len(tries) == 1:
                raise httpx.ReadError("x", request=request)
            return httpx.Response(200)

        assert (await send(answering(answer))).status == 200

    async def test_a_write_is_never_sent_twice(self) -> None:
        tries: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            tries.append(request)
            raise httpx.ReadError("x", request=request)

        with pytest.raises(UnknownOutcome):
            await send(answering(answer), "write")
        assert len(tries) == 1


class TestRetryAfter:
    @pytest.mark.parametrize(("header", "seconds"), [("2", 2.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("", None)])
    def test_seconds_are_read_and_anything_else_is_not(self, header: str, seconds: float | None) -> None:
        assert Reply(429, {"retry-after": header}, b"").retry_after_s == seconds
