"""Run the gateway under uvicorn with the strict protocol, uvloop and httptools; nothing else is accepted."""

from __future__ import annotations

import importlib.util
import socket

import uvicorn

from gateway.asgi import ASGIApp
from gateway.core.admit import LIMITS, WireLimits
from gateway.core.problem import DEFAULT_BASE


class UnsafeServerError(Exception):
    """A part on which the framing rules rest is missing. The message names the remedy."""


def make_server(  # all but the first have defaults
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    limits: WireLimits = LIMITS,
    problem_base: str = DEFAULT_BASE,
    uncapped: frozenset[str] = frozenset(),
    shutdown_s: int = 10,
    lifespan: bool = True,
) -> uvicorn.Server:
    """A uvicorn server for the gateway.

    uncapped: addresses that may open any number of connections (trusted proxies). lifespan: False when the caller
    awaits the gateway's startup() and shutdown() itself. Raises UnsafeServerError without httptools or uvloop: h11
    accepts Content-Length with Transfer-Encoding (security catalogue part 0).
    """
    for needed in ("httptools", "uvloop"):
        if importlib.util.find_spec(needed) is None:
            raise UnsafeServerError(f"{needed} is not installed: install uvicorn[standard] from the lock file")
    from gateway.http.protocol import protocol_class  # noqa: PLC0415  # imports httptools

    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]  # our Scope is wider than uvicorn's TypedDicts
        host=host,
        port=port,
        http=protocol_class(limits, problem_base, uncapped),
        ws="none",
        loop="uvloop",
        lifespan="on" if lifespan else "off",
        interface="asgi3",
        proxy_headers=False,  # the gateway walks X-Forwarded-For itself
        server_header=False,
        date_header=True,
        access_log=False,
        log_config=None,
        timeout_keep_alive=int(limits.idle_s),
        timeout_graceful_shutdown=shutdown_s,
    )
    return uvicorn.Server(config)


async def serve(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    sockets: list[socket.socket] | None = None,
    limits: WireLimits = LIMITS,
    problem_base: str = DEFAULT_BASE,
    uncapped: frozenset[str] = frozenset(),
    lifespan: bool = True,
) -> None:
    """Serve until a signal asks to stop. sockets: already bound ones instead of host and port."""
    server = make_server(
        app, host, port, limits=limits, problem_base=problem_base, uncapped=uncapped, lifespan=lifespan
    )
    await server.serve(sockets=sockets)
