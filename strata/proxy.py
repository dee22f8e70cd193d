"""A remote service as an ASGI app, for the gateway of the scaled-out form."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from strata import http, telemetry
from strata.calls import Receive, Scope, Send, identity_var
from strata.errors import Problem, StrataError, Transient, Unreachable, to_problem
from strata.identity import STATE_KEY, Identity
from strata.internal import IDENTITY_HEADER, TOKEN_HEADER, ServiceTokens, pack_identity

_HOP = frozenset(
    {b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"host", b"content-length"}
)


class NetworkApp:
    """Forwards one ASGI request to a service at a URL, with the internal token and the caller's identity."""

    def __init__(self, service: str, url: str, tokens: ServiceTokens, caller: str, timeout_s: float = 60.0) -> None:
        self._service = service
        self._client = http.client(url, timeout_s=timeout_s, connections=200)
        self._tokens = tokens
        self._caller = caller

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request; the body was limited by the gateway, so it is small enough to hold."""
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers: list[tuple[bytes, bytes]] = [
            (k, v) for k, v in scope["headers"] if k not in _HOP and not k.startswith(b"strata-")
        ]
        headers.append((TOKEN_HEADER, self._tokens.sign(self._caller, self._service).encode()))
        state: dict[str, Any] = scope.get("state") or {}
        identity: Identity | None = state.get(STATE_KEY) or identity_var.get()
        if identity is not None:
            headers.append((IDENTITY_HEADER, pack_identity(identity)))
        parent = telemetry.traceparent()
        if parent:
            headers = [(k, v) for k, v in headers if k != b"traceparent"] + [(b"traceparent", parent.encode())]
        raw = scope.get("raw_path") or scope["path"].encode()
        target = raw.decode("ascii") + (f"?{scope['query_string'].decode('ascii')}" if scope["query_string"] else "")
        try:
            response = await self._client.request(scope["method"], target, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            await _answer_problem(send, Unreachable(f"{self._service} was not reached"))
            return
        except httpx.RequestError:
            await _answer_problem(send, Transient(f"{self._service} did not answer"))
            return
        kept = [(k.lower(), v) for k, v in response.headers.raw if k.lower() not in _HOP and k.lower() != b"date"]
        kept.append((b"content-length", str(len(response.content)).encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": kept})
        await send({"type": "http.response.body", "body": response.content, "more_body": False})


async def _answer_problem(send: Send, error: StrataError) -> None:
    await answer_problem(send, to_problem(error, internal=True))


async def answer_problem(send: Send, problem: Problem) -> None:
    """Answer with a problem document."""
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
