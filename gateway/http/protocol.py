"""uvicorn's httptools protocol made strict: framing, sizes, deadlines, and problem documents for parser errors.

What the parser alone lets through is in security-catalogue part 0 and listed again in decision record 0011. uvicorn
calls the class with (config, server_state, app_state, _loop) and asks nothing else of it; that contract is internal,
so the version is pinned and tests/gateway/http/test_canary.py notices a change.
"""

# pyright: reportOptionalMemberAccess=false, reportUnnecessaryComparison=false
# uvicorn declares attributes that are None for a while as if they never were, and the parser the other way round.

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import Counter
from email.utils import formatdate
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.core.address import Network, inside
from gateway.core.admit import LIMITS, WireLimits
from gateway.core.problem import DEFAULT_BASE, MEDIA_TYPE, ProblemError, render
from gateway.core.route import METHODS

_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?#]*)(/[^#]*)?")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CHUNK_FRAME: Final = 20  # size line of 16 digits and two line ends: what a chunk may cost without extensions
_FIELD_FRAME: Final = 4  # colon, space, line end
_LINE_FRAME: Final = 24  # method, version, spaces and line ends around the target
_HEAD_SLACK: Final = 1_024
_LINGER_S: Final = 2.0
_LINGER_BYTES: Final = 1_048_576
_TICK_S: Final = 1.0
_ALLOW: Final = ", ".join(METHODS).encode()


class RefusedError(Exception):
    """Raised inside a parser callback to stop the parser; the slug waits on the protocol."""


class StrictProtocol(HttpToolsProtocol):
    """One connection. States: idle, head (bytes of a header came), body (of the current request), deaf (refused).

    A refusal is answered as application/problem+json and ends the connection: bytes after it are never a request.
    """

    limits: WireLimits = LIMITS
    problem_base: str = DEFAULT_BASE
    per_address: Counter[str]  # open connections by client address, shared by the connections of one server
    uncapped: tuple[Network, ...] = ()  # of trusted proxies: they bring the connections of many

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # uvicorn turns a leniency on that we do not want: nothing may follow a request that asked to close.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=False)
        self._slug = ""
        self._detail = ""
        self._deaf = False
        self._deaf_bytes = 0
        self._in_head = False
        self._in_body = False
        self._began = 0  # messages that began in the bytes at hand
        self._fed = 0  # bytes given to the parser since it was last between two messages
        self._known = 0  # of them, those it told us about
        self._field_bytes = 0
        self._body_bytes = 0
        self._drained = 0
        self._waited_s = 0.0
        self.url = b""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for = ""  # "head", "body"
        self._write_timer: asyncio.TimerHandle | None = None
        self._counted = ""

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if address and not inside(address, self.uncapped):
            if self.per_address[address] >= self.limits.connections_per_address:
                transport.close()
                return
            self.per_address[address] += 1
            self._counted = address
        self.timeout_keep_alive_task = self.loop.call_later(self.limits.idle_s, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._counted:
            self.per_address[self._counted] -= 1
            if not self.per_address[self._counted]:
                del self.per_address[self._counted]
            self._counted = ""
        self._unset_keepalive_if_required()
        self._cancel_timer()
        self._cancel_write_timer()
        super().connection_lost(exc)

    # Bytes

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._deaf_bytes += len(data)
            if self._deaf_bytes > _LINGER_BYTES:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        self._began = 0
        self._fed += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request was handed on like any other, without upgrading; what follows it is not HTTP.
            self._go_deaf_after_answer()
        except httptools.HttpParserInvalidMethodError:
            if data.lstrip(b"\r\n")[:1].isalpha():
                self._refuse("method-not-allowed", f"Allowed: {_ALLOW.decode()}.")
            else:
                self._refuse("bad-framing")
        except httptools.HttpParserError:
            self._refuse(self._slug or "bad-framing", self._detail)
        else:
            self._account()
        self._arm()

    def _account(self) -> None:
        """Bound what the parser keeps to itself: a field that has not ended, white space, chunk extensions."""
        unexplained = self._fed - self._known
        limits = self.limits
        if self._in_head:
            if unexplained > limits.uri_bytes + limits.field_bytes + _HEAD_SLACK:
                self._refuse("header-too-large")
        elif unexplained > limits.chunk_overhead_bytes:
            self._refuse("bad-framing", "Chunk extensions are too large.")
        elif not self._in_body and self._began:
            self._fed = self._known = 0

    def eof_received(self) -> None:
        self._cancel_timer()

    # Parser callbacks; an exception in one stops the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._began += 1
        self._in_head, self._in_body = True, False
        self._field_bytes = self._body_bytes = self._drained = 0
        self._waited_s = 0.0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.limits.uri_bytes:
            self._stop("uri-too-long", f"The limit is {self.limits.uri_bytes} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            self._stop("bad-framing", "Trailer fields are not accepted.")
        size = len(name) + len(value)
        self._field_bytes += size
        self._known += size + _FIELD_FRAME
        limits = self.limits
        if size > limits.field_bytes or self._field_bytes > limits.header_bytes:
            self._stop("header-too-large", "A field, or all of them together, is too large.")
        if len(self.headers) >= limits.header_fields:
            self._stop("header-too-large", f"More than {limits.header_fields} fields.")
        if _CONTROL.search(value):
            self._stop("bad-framing", "A field has a control character.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._check_head()
        self._in_head, self._in_body = False, True
        self._known += len(self.url) + _LINE_FRAME
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._known += len(body)
        if self.cycle.response_complete:
            self._drained += len(body)
            if self._drained > self.limits.drain_bytes:
                self._stop("content-too-large", "")
        super().on_body(body)

    def on_chunk_header(self) -> None:
        self._known += _CHUNK_FRAME

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def _check_head(self) -> None:
        """What two readers of one header could understand differently (security catalogue D01, D17)."""
        version = self.parser.get_http_version()
        if version not in {"1.1", "1.0"}:
            self._stop("bad-framing", "HTTP/1.1 is needed.")
        hosts: list[bytes] = []
        codings: list[bytes] = []
        lengths = 0
        for name, value in self.headers:
            if name == b"host":
                hosts.append(value)
            elif name == b"transfer-encoding":
                codings.append(value)
            elif name == b"content-length":
                lengths += 1
                if not value.isdigit():
                    self._stop("bad-framing", "Content-Length is not a number.")
        if len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None:
            self._stop("bad-framing", "Exactly one valid Host field is needed.")
        if codings and (len(codings) > 1 or codings[0].lower() != b"chunked" or version == "1.0" or lengths):
            self._stop("bad-framing", "The only transfer coding is chunked, alone and without Content-Length.")
        if lengths > 1:
            self._stop("bad-framing", "Content-Length was sent twice.")
        method = self.parser.get_method()
        if method.decode() not in METHODS:
            self._stop("method-not-allowed", f"Allowed: {_ALLOW.decode()}.")
        if self.parser.should_upgrade() and (codings or lengths):
            self._stop("bad-framing", "A request that asks for an upgrade has no body.")
        self._check_target(hosts[0])

    def _check_target(self, host: bytes) -> None:
        if self.url.startswith(b"/"):
            if b"#" in self.url:
                self._stop("bad-framing", "A request target has no fragment.")
            return
        absolute = _ABSOLUTE.fullmatch(self.url)
        if absolute is None:
            self._stop("bad-framing", "The request target is neither a path nor an absolute URL.")
        elif absolute[1].lower() != host.lower():
            self._stop("bad-framing", "The request target and Host name different authorities.")
        elif absolute[2] is None:
            self.url += b"/"

    def _stop(self, slug: str, detail: str) -> None:
        self._slug, self._detail = slug, detail
        raise RefusedError(slug)

    # Refusals

    def _refuse(self, slug: str, detail: str = "") -> None:
        """Answer the request at hand with a problem, unless an answer is under way, and stop listening."""
        if self._deaf:
            return
        self._deaf = True
        self._cancel_timer()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not self._in_body:
            cycle.keep_alive = False  # an earlier request is still being answered: it is the last one
            return
        if cycle is not None and not cycle.response_complete:
            started, cycle.disconnected = cycle.response_started, True
            cycle.message_event.set()
            if started or self.pipeline:
                self.transport.abort()
                return
        elif cycle is not None and self._in_body:
            self._linger()  # this request was answered early; only its body went wrong
            return
        if not self.transport.is_closing():
            self.transport.write(self._answer(ProblemError(slug, detail)))
            self._linger()

    def _answer(self, problem: ProblemError) -> bytes:
        request_id = secrets.token_hex(16)
        instance = self.url.partition(b"?")[0][:1024].decode("ascii", "replace")
        body = render(problem, base=self.problem_base, instance=instance, request_id=request_id)
        fields = [
            (b"date", formatdate(time.time(), usegmt=True).encode()),
            (b"content-type", MEDIA_TYPE),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        if problem.status == 405:
            fields.append((b"allow", _ALLOW))
        lines = [STATUS_LINE[problem.status], *(b"%b: %b\r\n" % pair for pair in fields), b"\r\n", body]
        return b"".join(lines)

    def _linger(self) -> None:
        """Close so that the answer arrives: closing with unread bytes would reset the connection under it."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _go_deaf_after_answer(self) -> None:
        self._deaf = True
        if self.cycle is not None:
            self.cycle.keep_alive = False

    # Time

    def _arm(self) -> None:
        """One timer for what the client still owes: the rest of its header, or of its body."""
        owed = "" if self._deaf else "head" if self._in_head else "body" if self._in_body else ""
        if not owed and self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete):
            # empty lines between requests: they end no wait
            self.timeout_keep_alive_task = self.loop.call_later(self.limits.idle_s, self.timeout_keep_alive_handler)
        if owed == self._timer_for and not self._began:
            return
        self._cancel_timer()
        self._timer_for = owed
        if owed == "head":
            self._timer = self.loop.call_later(self.limits.header_deadline_s, self._late)
        elif owed == "body":
            self._timer = self.loop.call_later(_TICK_S, self._tick)

    def _late(self) -> None:
        self._refuse("request-timeout", f"The header took longer than {self.limits.header_deadline_s:g} s.")

    def _tick(self) -> None:
        """Is the body fast enough? Time in which we ourselves did not read does not count."""
        if not self.flow.read_paused:
            self._waited_s += _TICK_S
        limits = self.limits
        if self._body_bytes < limits.body_floor_bytes_s * (self._waited_s - limits.body_grace_s):
            self._refuse("request-timeout", f"The body came slower than {limits.body_floor_bytes_s} bytes a second.")
            return
        self._timer = self.loop.call_later(_TICK_S, self._tick)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_for = ""

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_write_timer()
        super().resume_writing()

    def _cancel_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _should_upgrade(self) -> bool:
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Ignoring an offer to upgrade is allowed (RFC 9110 section 7.8) and nothing to warn of."""


def protocol_class(limits: WireLimits, problem_base: str, uncapped: tuple[Network, ...]) -> type[StrictProtocol]:
    """The protocol class of one server, with its settings and its own count of connections."""
    return type(
        "GatewayProtocol",
        (StrictProtocol,),
        {"limits": limits, "problem_base": problem_base, "uncapped": uncapped, "per_address": Counter[str]()},
    )
