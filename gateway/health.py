"""`/healthz`: the process is alive. `/readyz`: what it depends on is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from gateway.asgi import ASGIApp, Receive, Scope, Send, respond

Check = Callable[[], Awaitable[bool]]
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_TIMEOUT_S = 2.0
_FRESH_S = 0.25  # anybody may ask: what is found holds for so long, so that asking costs the database nothing


def alive(digest: str) -> ASGIApp:
    """200 with the digest of the configuration that this node runs."""
    body = msgspec.json.encode({"status": "alive", "configuration": digest})

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await respond(send, 200, _HEADERS, body)

    return answer


def ready(digest: str, needed: Mapping[str, Check], wanted: Mapping[str, Check]) -> ASGIApp:
    """200 when all `needed` checks hold, else 503. `wanted` ones are shown but do not make the node unready."""

    checks = Checks({**needed, **wanted})

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        states = await checks.states()
        good = all(states[name] for name in needed)
        document = {
            "status": "ready" if good else "unavailable",
            "checks": {name: "up" if state else "down" for name, state in states.items()},
            "configuration": digest,
        }
        extra = [] if good else [(b"retry-after", b"1")]
        await respond(send, 200 if good else 503, [*_HEADERS, *extra], msgspec.json.encode(document))

    return answer


class Checks:
    """What holds, looked up at most once in a quarter of a second however many ask."""

    def __init__(self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic) -> None:
        self._checks = checks
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: dict[str, bool] | None = None
        self._until = 0.0

    async def states(self) -> Mapping[str, bool]:
        """Name -> does it hold; never raises."""
        async with self._lock:
            if self._known is None or self._clock() >= self._until:
                results = await asyncio.gather(*(_holds(check) for check in self._checks.values()))
                self._known = dict(zip(self._checks, results, strict=True))
                self._until = self._clock() + _FRESH_S
            return self._known


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await check()
    except Exception:  # whatever a check raises, the answer is "down"
        return False
