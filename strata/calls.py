"""Calls between our services: straight into the other app when it lives here, over HTTP when it lives elsewhere.

Both ways enforce the same deadline, carry the same identity and trace, and raise the same typed errors.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import httpx
from msgspec import Struct

from strata import telemetry
from strata.errors import Transient, UnknownOutcome, Unreachable
from strata.identity import STATE_KEY, Identity
from strata.internal import CALLER_STATE, IDENTITY_HEADER, TIMEOUT_HEADER, TOKEN_HEADER, ServiceTokens, pack_identity

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

identity_var: ContextVar[Identity | None] = ContextVar("strata_identity", default=None)
deadline_var: ContextVar[float | None] = ContextVar("strata_deadline", default=None)
"""When the current request must be over, in seconds of time.monotonic()."""


class Request(Struct, frozen=True):
    """One internal request. `path` is already quoted; `query` is already encoded, without `?`."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""


class Answer(Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes


class Upstream(Protocol):
    """A service that can be called."""

    async def call(self, request: Request, timeout_s: float) -> Answer:
        """Call it. Raises Transient or UnknownOutcome when no answer came."""
        ...


def remaining_s(limit_s: float) -> float:
    """The time that is left for a call: its own limit, or what the request it serves has left if that is less."""
    deadline = deadline_var.get()
    return limit_s if deadline is None else max(0.0, min(limit_s, deadline - time.monotonic()))


@asynccontextmanager
async def within(timeout_s: float) -> AsyncGenerator[None]:
    """Within this block everything must be over in `timeout_s`, calls further down included."""
    token = deadline_var.set(time.monotonic() + timeout_s)
    try:
        yield
    finally:
        deadline_var.reset(token)


def _failed(request: Request, service: str, why: str) -> Exception:
    if request.method == "GET":
        return Transient(f"{service} {why}")
    return UnknownOutcome(f"{service} {why}; whether it did its work is not known")


class InProcess:
    """A service whose app lives in this process: called as ASGI, without a socket or an HTTP client between."""

    def __init__(self, service: str, app: ASGIApp, caller: str) -> None:
        self._service = service
        self._app = app
        self._caller = caller

    async def call(self, request: Request, timeout_s: float) -> Answer:
        """Call the app. Raises Transient or UnknownOutcome when it is not done in time."""
        state: dict[str, Any] = {CALLER_STATE: self._caller, STATE_KEY: identity_var.get()}
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": httpx.URL(request.path).path,
            "raw_path": request.path.encode(),
            "query_string": request.query,
            "root_path": "",
            "headers": [
                (b"host", b"internal"),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(request.body)).encode()),
            ],
            "client": None,
            "server": ("internal", 0),
            "state": state,
        }
        answer: list[Any] = [500, []]
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await asyncio.get_running_loop().create_future()  # the caller stays until it has its answer
            sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer[0] = message["status"]
            elif message["type"] == "http.response.body":
                answer[1].append(message.get("body", b""))

        try:
            async with asyncio.timeout(timeout_s), within(timeout_s):
                await self._app(scope, receive, send)
        except TimeoutError as error:
            raise _failed(request, self._service, f"was not done in {timeout_s:g} s") from error
        return Answer(int(answer[0]), b"".join(answer[1]))


class OverNetwork:
    """A service that lives elsewhere, called with the internal token of this process."""

    def __init__(self, service: str, client: httpx.AsyncClient, tokens: ServiceTokens, caller: str) -> None:
        self._service = service
        self._client = client
        self._tokens = tokens
        self._caller = caller

    async def call(self, request: Request, timeout_s: float) -> Answer:
        """Call it. Raises Unreachable when nothing was sent, Transient or UnknownOutcome when no answer came."""
        headers: dict[bytes, bytes] = {
            b"content-type": b"application/json",
            TOKEN_HEADER: self._tokens.sign(self._caller, self._service).encode(),
            TIMEOUT_HEADER: str(int(timeout_s * 1000)).encode(),
        }
        identity = identity_var.get()
        if identity is not None:
            headers[IDENTITY_HEADER] = pack_identity(identity)
        parent = telemetry.traceparent()
        if parent:
            headers[b"traceparent"] = parent.encode()
        target = request.path + (f"?{request.query.decode()}" if request.query else "")
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._client.request(request.method, target, content=request.body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(f"{self._service} was not reached") from error
        except (httpx.RequestError, TimeoutError) as error:
            raise _failed(request, self._service, "did not answer") from error
        return Answer(response.status_code, response.content)
