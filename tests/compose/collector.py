"""A stand-in for the OpenTelemetry collector: takes OTLP over HTTP, keeps the spans and the sums of counters."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Use it as a context manager."""

    def __init__(self) -> None:
        self.services_of: dict[str, set[str]] = {}
        """Trace id -> services that sent spans of it."""
        self.counters: dict[tuple[str, str], float] = {}
        """(service, counter) -> its newest sum over all attributes."""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/metrics":
                    collector.count(ExportMetricsServiceRequest.FromString(body))
                else:
                    collector.keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def keep(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            name = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.services_of.setdefault(span.trace_id.hex(), set()).add(name)

    def count(self, request: ExportMetricsServiceRequest) -> None:
        for resource in request.resource_metrics:
            name = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.HasField("sum"):
                        total = sum(point.as_int or point.as_double for point in metric.sum.data_points)
                        self.counters[name, metric.name] = total

    def __enter__(self) -> Collector:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
