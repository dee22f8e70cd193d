"""The little HTTP a vendor needs: a whole request in, a whole answer out, over plain ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

# ASGI is untyped by nature (PEP 544 protocols of it are no tighter than this)
Scope = MutableMapping[str, Any]  # pyright: ignore[reportExplicitAny]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]  # pyright: ignore[reportExplicitAny]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]  # pyright: ignore[reportExplicitAny]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class ClientGone(Exception):
    """The caller closed the connection before its request had arrived whole."""


class Request:
    """A request that has arrived whole. `headers` has lower-case names; the last of several equal ones wins.

    path is decoded, raw_path as sent (without query); scratch holds what a vendor keeps between its hooks.
    """

    __slots__ = (
        "account",
        "body",
        "header_list",
        "headers",
        "method",
        "path",
        "query_string",
        "raw_path",
        "scheme",
        "scratch",
    )

    def __init__(
        self,
        method: str,
        path: str,
        *,
        raw_path: bytes = b"",
        query_string: bytes = b"",
        headers: list[tuple[bytes, bytes]] | None = None,
        body: bytes = b"",
        scheme: str = "http",
    ) -> None:
        self.method = method
        self.path = path
        self.raw_path = raw_path or path.encode()
        self.query_string = query_string
        self.header_list = headers or []
        self.headers: Mapping[str, str] = {
            k.decode("latin-1").lower(): v.decode("latin-1") for k, v in self.header_list
        }
        self.body = body
        self.scheme = scheme
        self.scratch: dict[str, object] = {}

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the last of several equal ones wins."""
        return dict(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True))

    @property
    def host(self) -> str:
        """The Host header as sent, port included."""
        return self.headers.get("host", "localhost")

    @property
    def base_url(self) -> str:
        """Scheme, host and port as the caller used them: what links in answers start with."""
        return f"{self.scheme}://{self.host}"


class Response(msgspec.Struct):
    """An answer. Content-Length is added on sending."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = []

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        status,
        msgspec.json.encode(value),
        [("content-type", "application/json; charset=utf-8"), *(headers or {}).items()],
    )


def problem(status: int, title: str, detail: str) -> Response:
    """An RFC 9457 problem, for the control API (vendors have error forms of their own)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(status, msgspec.json.encode(body), [("content-type", "application/problem+json")])


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Collect the request from ASGI. Raises ClientGone."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return Request(
        scope["method"],
        scope["path"],
        raw_path=scope.get("raw_path") or b"",
        query_string=scope.get("query_string", b""),
        headers=scope["headers"],
        body=b"".join(chunks) if len(chunks) > 1 else chunks[0],
        scheme=scope.get("scheme", "http"),
    )


def _raw_headers(response: Response) -> list[tuple[bytes, bytes]]:
    raw = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    if response.status != 204:
        raw.append((b"content-length", str(len(response.body)).encode()))
    return raw


async def send_response(send: Send, response: Response, *, head: bool = False) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": _raw_headers(response),
        }
    )
    await send({"type": "http.response.body", "body": b"" if head else response.body})


async def send_half(send: Send, response: Response) -> None:
    """Promise the whole body, send half of it; the caller cuts the connection afterwards."""
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": _raw_headers(response),
        }
    )
    half = response.body[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


def cut(scope: Scope) -> None:
    """Drop the connection without an answer. Raises ConnectionResetError where there is no socket (in-process use)."""
    transport = scope.get("extensions", {}).get("sandbox.transport")
    if transport is None:
        raise ConnectionResetError("the sandbox cut the connection")
    transport.abort()
