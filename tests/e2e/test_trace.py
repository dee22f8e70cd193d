"""One trace over OTLP from the gateway to the call of the backend, unbroken through the durable hop."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e import orders
from tests.e2e.running import House, eventually
from tests.e2e.test_one_order import sellable


class Collector:
    """Takes OTLP/HTTP traces and keeps the spans: (trace id, span id, parent id, name, attributes)."""

    def __init__(self) -> None:
        self.spans: list[tuple[bytes, bytes, bytes, str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    outer.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {a.key: a.value.string_value for a in span.attributes}
                    self.spans.append((span.trace_id, span.span_id, span.parent_span_id, span.name, attributes))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture
def traced(collector: Collector) -> Iterator[House]:
    with House(STRATA_OTLP_ENDPOINT=collector.url, STRATA_SWEEP_S="300") as made:
        made.start()
        yield made


def test_a_webhook_and_the_order_in_the_erp_are_one_trace(traced: House, collector: Collector) -> None:
    shop = traced.shopify()
    made = shop.place(orders.plain(sellable(traced), 1))
    eventually(lambda: shop.order(made["id"])["erpNumber"])

    def unbroken() -> bool:
        by_id = {span[1]: span for span in collector.spans}
        writes = [s for s in collector.spans if "salesOrder" in str(s[4]) + s[3] and "PUT" in str(s[4]) + s[3]]
        for write in writes:
            chain = [write]
            while chain[-1][2] in by_id:
                chain.append(by_id[chain[-1][2]])
            names = " ".join(s[3] for s in chain) + " ".join(str(s[4]) for s in chain)
            same = {s[0] for s in chain} == {write[0]}
            if same and "webhooks" in names and len(chain) >= 4:
                return True
        return False

    eventually(unbroken, within_s=20)
