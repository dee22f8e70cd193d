"""X-Request-Id and W3C trace context: one id for the person who reports, one trace for the one who looks."""

from __future__ import annotations

import random

from msgspec import Struct
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from gateway.asgi import ASGIApp, Receive, Scope, Send, header
from gateway.core.trace import TraceContext, parse, sane_request_id
from gateway.exchange import exchange_of

_ids = random.Random()  # noqa: S311  # seeded by the system; ids tell requests apart and guard nothing


class RequestId(Struct, frozen=True):
    """Take the caller's X-Request-Id when it is sane, else make one; answer with it."""

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def identified(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            exchange.request_id = (
                sane_request_id(header(scope["headers"], b"x-request-id")) or f"{_ids.getrandbits(128):032x}"
            )
            exchange.answer_headers.append((b"x-request-id", exchange.request_id.encode()))
            await app(scope, receive, send)

        return identified


class Trace(Struct, frozen=True):
    """Continue the caller's trace or start one, as an OpenTelemetry server span around everything inside.

    Without an SDK nothing is recorded, but ids are made and passed on all the same.
    """

    tracer: trace.Tracer

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            parents: list[bytes] = []
            states: list[bytes] = []
            for name, value in scope["headers"]:
                if name == b"traceparent":
                    parents.append(value)
                elif name == b"tracestate":
                    states.append(value)
            caller = parse(parents, states)
            span = self.tracer.start_span(
                scope["method"],
                context=trace.set_span_in_context(_remote(caller)) if caller else context.Context(),
                kind=SpanKind.SERVER,
            )
            own = span.get_span_context()
            if not span.is_recording():  # no SDK, or not sampled: a hop of ours all the same
                span = NonRecordingSpan(_fresh(caller, own.trace_flags if own.is_valid else TraceFlags.DEFAULT))
                own = span.get_span_context()
            exchange.trace_id = f"{own.trace_id:032x}"
            exchange.span_id = f"{own.span_id:016x}"
            exchange.trace_flags = int(own.trace_flags)
            exchange.tracestate = caller.state if caller else b""
            token = context.attach(trace.set_span_in_context(span))
            try:
                await app(scope, receive, send)
            finally:
                context.detach(token)
                if span.is_recording():
                    route = exchange.match.route if exchange.match else None
                    if route is not None:
                        span.update_name(f"{scope['method']} {route.path}")
                        span.set_attribute("http.route", route.path)
                    span.set_attribute("http.request.method", scope["method"])
                    span.set_attribute("http.response.status_code", exchange.status)
                    span.set_attribute("strata.request_id", exchange.request_id)
                    if exchange.status >= 500:
                        span.set_status(Status(StatusCode.ERROR, exchange.problem))
                span.end()

        return traced


def _remote(caller: TraceContext) -> NonRecordingSpan:
    return NonRecordingSpan(
        SpanContext(
            int(caller.trace_id, 16),
            int(caller.span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(caller.flags),
            trace_state=TraceState.from_header([caller.state.decode()]) if caller.state else TraceState(),
        )
    )


def _fresh(caller: TraceContext | None, flags: int) -> SpanContext:
    """Ids for a hop that nobody records: the caller's trace if there is one, a span id of our own."""
    return SpanContext(
        int(caller.trace_id, 16) if caller else _ids.getrandbits(128) or 1,
        _ids.getrandbits(64) or 1,
        is_remote=False,
        trace_flags=TraceFlags(flags),
        trace_state=TraceState.from_header([caller.state.decode()]) if caller and caller.state else TraceState(),
    )
