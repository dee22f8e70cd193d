"""One exchange with a backend over HTTP: traced, counted, and every way it can break turned into a typed error.

What is common to all vendors ends here; what an answer means is the vendor's own business (its `client.py`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

import httpx
from msgspec import Struct
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind
from structlog.contextvars import get_contextvars

from strata import telemetry
from strata.errors import StrataError, Transient, UnknownOutcome, Unreachable

Effect = Literal["read", "write"]

_meter = metrics.get_meter("strata.system_apis")
_calls = _meter.create_counter("strata.backend.calls", unit="1", description="calls to backends by outcome")
_duration = _meter.create_histogram("strata.backend.duration", unit="s", description="time that calls to backends take")


class Reply(Struct, frozen=True):
    """A complete answer of a backend."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """The pause that the backend asks for in `Retry-After`, in seconds; None when it names none."""
        text = self.headers.get("retry-after", "")
        try:
            return max(0.0, float(text))
        except ValueError:
            return None


class Exchange:
    """Speaks HTTP for one connection. `http` comes from strata.http, or is a stand-in at the edge in tests."""

    def __init__(self, vendor: str, connection: str, http: httpx.AsyncClient) -> None:
        self.vendor = vendor
        self.connection = connection
        self._http = http

    async def send(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        effect: Effect,
        headers: Mapping[str, str],
        content: bytes = b"",
    ) -> Reply:
        """Send a request and read the whole answer, whatever its status.

        operation: the vendor's name of what is asked, for traces and counters. effect: whether it may change anything
        there. Raises Unreachable when nothing was sent; when no whole answer came, Transient for a read and
        UnknownOutcome for a write.
        """
        started = time.perf_counter()
        outcome = "failed"
        attributes: dict[str, str | int | float | bool] = {
            "strata.vendor": self.vendor,
            "strata.connection": self.connection,
            "strata.operation": operation,
            "http.request.method": method,
        }
        correlation_id = get_contextvars().get("correlation_id")
        if correlation_id:
            attributes["strata.correlation_id"] = str(correlation_id)
        with telemetry.span(f"{self.vendor} {operation}", attributes, kind=SpanKind.CLIENT) as span:
            try:
                response = await self._request(method, url, headers, content, effect)
                outcome = str(response.status_code)
                span.set_attribute("http.response.status_code", response.status_code)
                return Reply(response.status_code, response.headers, response.content)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                outcome = "unreachable"
                raise Unreachable(f"{self.vendor} ({self.connection}) was not reached") from error
            except httpx.RequestError as error:
                outcome = "no_answer"
                raise self.lost(operation, effect, error) from error
            finally:
                self._count(operation, outcome, time.perf_counter() - started)

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, effect: Effect
    ) -> httpx.Response:
        try:
            return await self._http.request(method, url, headers=dict(headers), content=content)
        except httpx.ReadError:
            if effect == "write":
                raise
        # most likely the backend closed an idle connection just then: for a read, one more try costs nothing
        return await self._http.request(method, url, headers=dict(headers), content=content)

    def lost(self, operation: str, effect: Effect, error: Exception) -> StrataError:
        """The error of a request that was sent and not answered whole."""
        why = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "broke off before the answer"
        if effect == "read":
            return Transient(f"{self.vendor} ({self.connection}) {why} ({operation})")
        return UnknownOutcome(f"{self.vendor} ({self.connection}) {why} ({operation}); it may have done it")

    def _count(self, operation: str, outcome: str, seconds: float) -> None:
        labels = {
            "vendor": self.vendor,
            "connection": self.connection,
            "operation": operation,
            "outcome": outcome,
        }
        _calls.add(1, labels)
        _duration.record(seconds, labels)

    @staticmethod
    def note(**facts: str | int | float) -> None:
        """Put facts about the answer on the current span, e.g. the cost of a query. Never personal data or secrets."""
        span = trace.get_current_span()
        for name, value in facts.items():
            span.set_attribute(f"strata.{name}", value)
