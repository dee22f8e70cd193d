"""One JSON line per request on standard error, written in small batches beside the requests."""

from __future__ import annotations

import asyncio
import select
import sys
import time
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
import structlog
from msgspec import Struct

from gateway.core.address import shortened
from gateway.exchange import Exchange

_BATCH = 100  # 10,000 lines at once would hold the loop for 5 ms
_PAUSE_S = 0.2
_WHOLE = select.PIPE_BUF  # a write of at most this stays in one piece among other writers of the same pipe

_short = lru_cache(4_096)(shortened)  # parsing an address costs more than the rest of its line


class Line(Struct):
    """What is known of one request. Members as in the lines of the product's log; at: when the answer ended."""

    at: str
    request_id: str
    trace_id: str
    method: str
    route: str | None
    operation: str | None
    api: str | None
    client: str | None
    address: str
    status: int
    problem: str | None
    ms: float
    received: int
    sent: int
    service: str
    event: str = "request"
    level: str = "info"


class AccessLog:
    """Lines wait in a bounded queue; when the writer falls behind the oldest are dropped and counted.

    No query, field value, credential or body ever enters a line; the path is logged as its template. Lines go past
    structlog: rendering and flushing each by itself cost more than all policies together.
    """

    def __init__(self, max_lines: int = 20_000) -> None:
        self._waiting: deque[tuple[float, str, Exchange, int, float]] = deque(maxlen=max_lines)
        self._encoder = msgspec.json.Encoder()
        self._service = str(structlog.contextvars.get_contextvars().get("service", "gateway"))
        self.dropped = 0

    def add(self, method: str, exchange: Exchange, status: int, elapsed_s: float) -> None:
        """Note one request; its line is built when it is written."""
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append((time.time(), method, exchange, status, elapsed_s))

    async def run(self) -> None:
        """Write until cancelled; what still waits then is written by flush()."""
        while True:
            await asyncio.sleep(_PAUSE_S)
            while self._write_batch():  # noqa: ASYNC110  # gives the loop back between batches, waits for nothing
                await asyncio.sleep(0)

    def flush(self) -> None:
        """Write everything that waits."""
        while self._write_batch():
            pass

    def _write_batch(self) -> bool:
        piece, lines = bytearray(), 0
        for _ in range(min(_BATCH, len(self._waiting))):
            line = self._encoder.encode(self._line(*self._waiting.popleft())) + b"\n"
            if piece and len(piece) + len(line) > _WHOLE:
                self._write(piece, lines)
                piece, lines = bytearray(), 0
            piece += line
            lines += 1
        if piece:
            self._write(piece, lines)
        return bool(self._waiting)

    def _write(self, piece: bytearray, lines: int) -> None:
        try:
            sys.stderr.write(piece.decode())
            sys.stderr.flush()
        except (OSError, ValueError):  # full, gone or closed: requests go on without their lines
            self.dropped += lines

    def _line(self, at: float, method: str, exchange: Exchange, status: int, elapsed_s: float) -> Line:
        route = exchange.match.route if exchange.match else None
        return Line(
            at=datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            request_id=exchange.request_id,
            trace_id=exchange.trace_id,
            method=method,
            route=route.path if route else None,
            operation=route.operation if route else None,
            api=route.api if route else None,
            client=exchange.identity.client_id if exchange.identity else None,
            address=_short(exchange.address),
            status=status,
            problem=exchange.problem or None,
            ms=round(elapsed_s * 1000, 3),
            received=exchange.received_bytes,
            sent=exchange.sent_bytes,
            service=self._service,
        )
