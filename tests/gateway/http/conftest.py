"""A strict server on a free port, and raw bytes to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uvicorn.server import ServerState

from gateway.core.admit import WireLimits
from gateway.server import make_server
from gateway.settings import GatewaySettings

FAST = WireLimits(
    header_deadline_s=0.4,
    idle_s=1.0,
    write_s=0.5,
    body_grace_s=0.5,
    drain_bytes=500_000,
    connections_per_address=20,
)


class Echo:
    """An application that answers what it understood, so that a test can see how many requests there were."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.answer = b"ok"
        self.early = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests.append(scope)
        body = b""
        while not self.early:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        self.bodies.append(body)
        length = str(len(self.answer)).encode()
        status = 413 if self.early else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": self.answer})


class Wire:
    """Raw bytes to the server, parsed answers back."""

    def __init__(self, port: int, app: Echo) -> None:
        self.port, self.app = port, app

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def talk(self, raw: bytes | str, wait_s: float = 3.0) -> Answers:
        """Send and read until the server closes or nothing comes for wait_s."""
        reader, writer = await self.open()
        with contextlib.suppress(ConnectionError):
            writer.write(raw.encode("latin-1") if isinstance(raw, str) else raw)
            await writer.drain()
        answers = await read_all(reader, wait_s)
        writer.close()
        return answers


class Answers:
    """Everything that came back on one connection."""

    def __init__(self, raw: bytes, *, closed: bool) -> None:
        self.raw, self.closed = raw, closed
        self.statuses = [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", raw)]

    @property
    def problem(self) -> dict[str, Any]:
        head, _, body = self.raw.partition(b"\r\n\r\n")
        assert b"content-type: application/problem+json" in head.lower(), self.raw
        assert b"connection: close" in head.lower()
        return json.loads(body)


async def read_all(reader: asyncio.StreamReader, wait_s: float) -> Answers:
    raw = b""
    closed = False
    try:
        async with asyncio.timeout(wait_s):
            while True:
                got = await reader.read(65_536)
                if not got:
                    closed = True
                    break
                raw += got
    except TimeoutError:
        pass
    except ConnectionError:
        closed = True
    return Answers(raw, closed=closed)


@contextlib.asynccontextmanager
async def a_wire(app: Any, limits: WireLimits = FAST, proxies: tuple[str, ...] = ()) -> AsyncIterator[Wire]:
    config = make_server(app, settings=GatewaySettings(wire=limits, trusted_proxies=proxies), lifespan=False).config
    config.load()
    state = ServerState()
    protocol: Any = config.http_protocol_class
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    yield Wire(server.sockets[0].getsockname()[1], app)
    server.close()
    for connection in list(state.connections):
        connection.transport.abort()  # pyright: ignore
    await asyncio.gather(*state.tasks, return_exceptions=True)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with a_wire(Echo()) as started:
        yield started
