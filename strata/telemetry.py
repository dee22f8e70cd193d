"""Traces, logs and the ids that tie them together. One trace runs from the caller to the backend call.

Logs are structured lines (structlog) with the trace id; secrets are never put into them. Traces and metrics go out over
OTLP when an endpoint is set; without one, spans and counters cost next to nothing.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import context, metrics, trace
from opentelemetry.propagate import set_global_textmap
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from strata.settings import Settings

_PROPAGATOR = TraceContextTextMapPropagator()
_METRICS_EVERY_S = 15.0
_EXPORT_TIMEOUT_S = 3.0  # a collector that is gone must not hold up the end of a process
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

log: structlog.stdlib.BoundLogger = structlog.get_logger("strata")


def _add_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
    return event


def setup(settings: Settings, service: str) -> None:
    """Set logging and tracing up for this process. Call it once, first."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _add_trace,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    set_global_textmap(_PROPAGATOR)
    if settings.otlp_endpoint:
        _export(settings.otlp_endpoint, service)


def _export(endpoint: str, service: str) -> None:
    # slow to import, and needed only where something is exported
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    base, resource = endpoint.rstrip("/"), Resource.create({"service.name": service})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{base}/v1/traces", timeout=_EXPORT_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
    trace.set_tracer_provider(provider)
    counters = OTLPMetricExporter(endpoint=f"{base}/v1/metrics", timeout=_EXPORT_TIMEOUT_S)
    reader = PeriodicExportingMetricReader(counters, export_interval_millis=_METRICS_EVERY_S * 1000)
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader]))


def shutdown() -> None:
    """Send what is still waiting to be exported."""
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        flush = getattr(provider, "shutdown", None)
        if flush is not None:
            flush()


def tracer(name: str) -> Tracer:
    """A tracer by the name of the part that makes the spans, e.g. `strata.durable`."""
    return trace.get_tracer(name)


def traceparent() -> str:
    """The W3C `traceparent` of the current span, or an empty text outside of any."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def continued(headers: Mapping[str, str]) -> Generator[None]:
    """Within this block spans are children of the trace that `headers` (`traceparent`, `tracestate`) tell of."""
    token = context.attach(_PROPAGATOR.extract(dict(headers)))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def span(
    name: str, attributes: Mapping[str, str | int | float | bool] | None = None, *, kind: SpanKind = SpanKind.INTERNAL
) -> Generator[Span]:
    """A span of ours; an exception that leaves it is told as its type only, since its text may hold data."""
    with tracer("strata").start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(trace.StatusCode.ERROR)
            raise
