"""Counters of this process in the Prometheus text format (version 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final

from gateway.asgi import ASGIApp, Receive, Scope, Send, respond

_BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Requests by API, operation and status, latency by API; further numbers are asked for when they are read.

    Labels come from the contracts only, so their number is bounded and no caller can write into them.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int], int] = {}
        self._latency: dict[str, list[float]] = {}  # per API: one count per bound, +Inf, sum
        self._gauges: dict[str, tuple[str, str, Callable[[], float]]] = {}

    def request(self, api: str, operation: str, status: int, elapsed_s: float) -> None:
        """Count one answered request."""
        key = (api, operation, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        row = self._latency.get(api)
        if row is None:
            row = self._latency[api] = [0.0] * (len(_BOUNDS_S) + 2)
        row[bisect_left(_BOUNDS_S, elapsed_s)] += 1
        row[-1] += elapsed_s

    def watch(self, name: str, kind: str, help_text: str, read: Callable[[], float]) -> None:
        """Show a number that something else counts. kind: `counter` or `gauge`."""
        self._gauges[name] = (kind, help_text, read)

    def render(self) -> bytes:
        """The whole page."""
        lines = [
            "# HELP strata_gateway_requests_total Answered requests.",
            "# TYPE strata_gateway_requests_total counter",
        ]
        for (api, operation, status), count in sorted(self._requests.items()):
            labels = _labels({"api": api, "operation": operation, "status": str(status)})
            lines.append(f"strata_gateway_requests_total{labels} {count}")
        lines += [
            "# HELP strata_gateway_request_seconds Time from the first header byte read to the answer's end.",
            "# TYPE strata_gateway_request_seconds histogram",
        ]
        for api, row in sorted(self._latency.items()):
            total = 0.0
            for bound, count in zip((*map(str, _BOUNDS_S), "+Inf"), row, strict=False):
                total += count
                lines.append(f"strata_gateway_request_seconds_bucket{_labels({'api': api, 'le': bound})} {total:g}")
            lines.append(f"strata_gateway_request_seconds_sum{_labels({'api': api})} {row[-1]:.6f}")
            lines.append(f"strata_gateway_request_seconds_count{_labels({'api': api})} {total:g}")
        for name, (kind, help_text, read) in sorted(self._gauges.items()):
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", f"{name} {read():g}"]
        return ("\n".join(lines) + "\n").encode()


def _labels(values: Mapping[str, str]) -> str:
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in values.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"


def page(metrics: Metrics, may_read: Callable[[Scope], bool], refuse: Callable[[], Exception]) -> ASGIApp:
    """`/metrics`, for the networks that may read it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if not may_read(scope):
            raise refuse()
        await respond(send, 200, [(b"content-type", CONTENT_TYPE), (b"cache-control", b"no-store")], metrics.render())

    return answer
