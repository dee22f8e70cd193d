"""Innermost: hand the request to the service of its route and bring the answer back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import structlog
from msgspec import Struct

from gateway.asgi import ASGIApp, Headers, Message, Receive, Scope, Send, header
from gateway.core.admit import answer_headers, forwarded, media_type
from gateway.core.problem import BY_STATUS, MEDIA_TYPE, ProblemError, complete
from gateway.core.route import Match, fill
from gateway.core.trace import traceparent
from gateway.exchange import Exchange, exchange_of
from strata.identity import STATE_KEY

_log = structlog.stdlib.get_logger("strata.gateway")
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}
_MAX_PROBLEM_BYTES: Final = 65_536
_ERROR: Final = 400
_KEPT_ON_ERROR: Final = frozenset((b"retry-after", b"www-authenticate", b"allow", b"link", b"accept"))


class Forward(Struct, frozen=True):
    """Call the route's service with a scope that holds only what it may see.

    upstreams: service -> application. own: the gateway's own applications, which see the request as it came.
    timeout_s: until the answer starts; then 504. Errors that a service answers in another form become problems.
    """

    upstreams: Mapping[str, ASGIApp]
    own: Mapping[str, ASGIApp]
    timeout_s: float
    base: str

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """app: never called, a match is always there; kept so that Forward stacks like every policy."""
        del app

        async def forward(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            match = exchange.match
            if match is None:
                raise ProblemError("not-found")
            if match.route.kind == "own":
                await self.own[match.route.service](scope, receive, send)
                return
            service = fill(match.route.service, match.parameters)
            upstream = self.upstreams.get(service)
            if upstream is None:
                raise ProblemError("not-found")
            answer = Answer(exchange, send, self.base, ingress=match.route.kind == "ingress")
            try:
                async with asyncio.timeout(self.timeout_s) as deadline:
                    answer.on_start = lambda: deadline.reschedule(None)
                    await upstream(_inner_scope(scope, exchange, match), receive, answer)
            except ProblemError:
                raise
            except TimeoutError:
                raise ProblemError("upstream-timeout") from None
            except ConnectionError as error:
                _log.warning("upstream_unreachable", service=service, error=type(error).__name__)
                raise ProblemError("upstream-error") from None
            except Exception as error:
                _log.exception("upstream_failed", service=service, error=type(error).__name__)
                raise ProblemError("upstream-error") from None
            await answer.finish()

        return forward


def _inner_scope(scope: Scope, exchange: Exchange, match: Match) -> Scope:
    """A new scope: canonical path, cleaned fields, our trace and request id, and who is calling."""
    route = match.route
    headers = forwarded(scope["headers"], keep_authorization=route.kind == "ingress")
    headers.append((b"x-request-id", exchange.request_id.encode()))
    headers.append((b"traceparent", traceparent(exchange.trace_id, exchange.span_id, exchange.trace_flags)))
    if exchange.tracestate:
        headers.append((b"tracestate", exchange.tracestate))
    path, raw_path = exchange.path, exchange.raw_path
    if route.upstream_path is not None:
        path = fill(route.upstream_path, match.parameters)
        raw_path = quote(path, safe="/~:@!$&'()*+,=-._").encode()
    state = {"strata.request_id": exchange.request_id, "strata.trace_id": exchange.trace_id}
    if exchange.identity is not None:
        state[STATE_KEY] = exchange.identity  # pyright: ignore[reportArgumentType]  # state holds any value
    return {
        "type": "http",
        "asgi": scope.get("asgi", _ASGI),
        "http_version": scope.get("http_version", "1.1"),
        "scheme": scope.get("scheme", "http"),
        "server": scope.get("server"),
        "client": scope.get("client"),
        "method": "GET" if scope["method"] == "HEAD" else scope["method"],
        "path": path,
        "raw_path": raw_path,
        "root_path": "",
        "query_string": scope["query_string"],
        "headers": headers,
        "state": state,
    }


class Answer:
    """The `send` that a service gets: cleans its fields, and turns errors in another form into problems."""

    def __init__(self, exchange: Exchange, send: Send, base: str, *, ingress: bool) -> None:
        self._exchange = exchange
        self._send = send
        self._base = base
        self._ingress = ingress
        self._problem: tuple[int, Headers] | None = None  # an error answer that waits for its body
        self._body = bytearray()
        self._complete = False
        self._started = False
        self.on_start = _nothing

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == "http.response.body":
            await self._continue(message)

    async def _start(self, message: Message) -> None:
        if self._started:
            raise UpstreamProtocolError("a second answer was started")
        self._started = True
        self.on_start()
        status: int = message["status"]
        headers, dropped = answer_headers(message.get("headers", []))
        if dropped:
            _log.warning("answer_field_dropped", request_id=self._exchange.request_id, count=dropped)
        if status >= _ERROR and not (self._ingress and status not in BY_STATUS):
            self._problem = (status, headers)
            return
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _continue(self, message: Message) -> None:
        more = message.get("more_body", False)
        if self._problem is None:
            self._complete = not more
            await self._send(message)
            return
        body = message.get("body", b"")
        if len(self._body) + len(body) <= _MAX_PROBLEM_BYTES:
            self._body += body
        if not more:
            self._complete = True
            await self._send_problem(*self._problem)

    async def _send_problem(self, status: int, headers: Headers) -> None:
        exchange = self._exchange
        if status == 401 and not self._ingress:
            raise ProblemError("upstream-auth")
        document = None
        if media_type(header(headers, b"content-type") or b"") == MEDIA_TYPE:
            document = complete(
                bytes(self._body),
                status,
                base=self._base,
                instance=exchange.sent_path,
                request_id=exchange.request_id,
                trace_id=exchange.trace_id,
            )
        kept = [pair for pair in headers if pair[0] in _KEPT_ON_ERROR or pair[0].startswith(b"x-")]
        if document is None:
            slug = BY_STATUS.get(status, "upstream-error" if status >= 500 else "invalid-parameter")
            raise ProblemError(slug, headers=kept)
        exchange.problem = "upstream"
        fields = [
            (b"content-type", MEDIA_TYPE),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(document)).encode()),
            *kept,
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        await self._send({"type": "http.response.body", "body": document, "more_body": False})

    async def finish(self) -> None:
        """The service returned. Raises ProblemError upstream-error when it did not answer in full."""
        if not self._complete and self._exchange.refused is None:
            raise ProblemError("upstream-error", "The answer of the service was not complete.")


class UpstreamProtocolError(Exception):
    """A service broke the ASGI protocol."""


def _nothing() -> None:
    """Before the deadline is known there is nothing to reschedule."""
