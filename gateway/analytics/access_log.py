"""One structured line per request, written in small batches beside the requests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import UTC, datetime

import structlog

from gateway.core.address import shortened
from gateway.exchange import Exchange

_BATCH = 100  # 10,000 lines at once would hold the loop for 5 ms
_PAUSE_S = 0.2


class AccessLog:
    """Lines wait in a bounded queue; when the writer falls behind the oldest are dropped and counted.

    No query, field value, credential or body ever enters a line; the path is logged as its template.
    """

    def __init__(self, max_lines: int = 20_000) -> None:
        self._waiting: deque[tuple[float, str, Exchange, int, float]] = deque(maxlen=max_lines)
        self._log = structlog.stdlib.get_logger("strata.access")
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
        for _ in range(min(_BATCH, len(self._waiting))):
            self._log.info("request", **_line(*self._waiting.popleft()))
        return bool(self._waiting)


def _line(at: float, method: str, exchange: Exchange, status: int, elapsed_s: float) -> dict[str, object]:
    route = exchange.match.route if exchange.match else None
    return {
        "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        "request_id": exchange.request_id,
        "trace_id": exchange.trace_id,
        "method": method,
        "route": route.path if route else None,
        "operation": route.operation if route else None,
        "api": route.api if route else None,
        "client": exchange.identity.client_id if exchange.identity else None,
        "address": shortened(exchange.address),
        "status": status,
        "problem": exchange.problem or None,
        "ms": round(elapsed_s * 1000, 3),
        "received": exchange.received_bytes,
        "sent": exchange.sent_bytes,
    }
