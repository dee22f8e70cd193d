"""Run the gateway under uvicorn with the strict protocol, uvloop and httptools; nothing else is accepted."""

from __future__ import annotations

import importlib.util
import socket

import uvicorn

from gateway.app import Gateway
from gateway.asgi import ASGIApp
from gateway.core.address import networks
from gateway.settings import GatewaySettings


class UnsafeServerError(Exception):
    """A part on which the framing rules rest is missing. The message names the remedy."""


def make_server(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    settings: GatewaySettings | None = None,
    shutdown_s: int = 10,
    lifespan: bool = True,
) -> uvicorn.Server:
    """A uvicorn server for the gateway.

    settings: sizes and times on the wire, trusted proxies (their connections are not counted) and the problem base;
    those of the gateway itself unless given. lifespan: False when the caller awaits startup() and shutdown() itself.
    Raises UnsafeServerError without httptools or uvloop: h11 accepts Content-Length with Transfer-Encoding
    (security catalogue part 0).
    """
    for needed in ("httptools", "uvloop"):
        if importlib.util.find_spec(needed) is None:
            raise UnsafeServerError(f"{needed} is not installed: install uvicorn[standard] from the lock file")
    from gateway.http.protocol import protocol_class  # noqa: PLC0415  # imports httptools

    if settings is None:
        settings = app.settings if isinstance(app, Gateway) else GatewaySettings()
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]  # our Scope is wider than uvicorn's TypedDicts
        host=host,
        port=port,
        http=protocol_class(settings.wire, settings.problem_base, networks(settings.trusted_proxies)),
        ws="none",
        loop="uvloop",
        lifespan="on" if lifespan else "off",
        interface="asgi3",
        proxy_headers=False,  # the gateway walks X-Forwarded-For itself
        server_header=False,
        date_header=True,
        access_log=False,
        log_config=None,
        timeout_keep_alive=int(settings.wire.idle_s),
        timeout_graceful_shutdown=shutdown_s,
    )
    return uvicorn.Server(config)


async def serve(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    sockets: list[socket.socket] | None = None,
    settings: GatewaySettings | None = None,
    lifespan: bool = True,
) -> None:
    """Serve until a signal asks to stop. sockets: already bound ones instead of host and port."""
    await make_server(app, host, port, settings=settings, lifespan=lifespan).serve(sockets=sockets)
