"""One reading of the request for everybody inside: host, fields, canonical path."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from gateway.asgi import ASGIApp, Receive, Scope, Send
from gateway.core.admit import WireLimits, canonical_path, check_header
from gateway.core.problem import ProblemError
from gateway.exchange import exchange_of

_HOST: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?")
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "[::1]"))


class Hygiene(Struct, frozen=True):
    """Refuse what two readers could understand differently (security catalogue D04, D15, D17, D19).

    hosts: host names, in lower case and without port, for which the gateway answers besides loopback; empty = any.
    """

    hosts: frozenset[str]
    limits: WireLimits

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def clean(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
            raw = raw.partition(b"?")[0]
            exchange.sent_path = raw[:1024].decode("ascii", "replace")
            check_header(scope["headers"], self.limits)
            self._check_host([value for name, value in scope["headers"] if name == b"host"])
            if len(raw) + len(scope["query_string"]) > self.limits.uri_bytes:
                raise ProblemError("uri-too-long", f"The limit is {self.limits.uri_bytes} bytes.")
            if not scope["query_string"].isascii():
                raise ProblemError("invalid-parameter", "Percent-encode what is not ASCII.")
            exchange.path, exchange.raw_path, exchange.segments = canonical_path(raw, self.limits)
            await app(scope, receive, send)

        return clean

    def _check_host(self, values: list[bytes]) -> None:
        match = _HOST.fullmatch(values[0].decode("latin-1")) if len(values) == 1 else None
        if match is None:
            raise ProblemError("bad-framing", "Exactly one valid Host field is needed.")
        host = match[1].lower().rstrip(".")
        if self.hosts and host not in self.hosts and host not in _LOOPBACK:
            raise ProblemError("misdirected-request")
