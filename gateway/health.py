"""`/healthz`: the process is alive. `/readyz`: what it depends on is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from gateway.asgi import ASGIApp, Receive, Scope, Send, respond

Check = Callable[[], Awaitable[bool]]
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_TIMEOUT_S = 2.0


def alive(digest: str) -> ASGIApp:
    """200 with the digest of the configuration that this node runs."""
    body = msgspec.json.encode({"status": "alive", "configuration": digest})

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await respond(send, 200, _HEADERS, body)

    return answer


def ready(digest: str, needed: Mapping[str, Check], wanted: Mapping[str, Check]) -> ASGIApp:
    """200 when all `needed` checks hold, else 503. `wanted` ones are shown but do not make the node unready."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        names = [*needed, *wanted]
        results = await asyncio.gather(*(_holds(check) for check in [*needed.values(), *wanted.values()]))
        states = dict(zip(names, results, strict=True))
        good = all(states[name] for name in needed)
        document = {
            "status": "ready" if good else "unavailable",
            "checks": {name: "up" if state else "down" for name, state in states.items()},
            "configuration": digest,
        }
        extra = [] if good else [(b"retry-after", b"1")]
        await respond(send, 200 if good else 503, [*_HEADERS, *extra], msgspec.json.encode(document))

    return answer


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await check()
    except Exception:  # whatever a check raises, the answer is "down"
        return False
