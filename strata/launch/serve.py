"""Scaled out: one service, or the gateway, in a process of its own. Others do the same beside it."""

from __future__ import annotations

import asyncio
import signal

import uvicorn

from strata import telemetry
from strata.calls import ASGIApp, Receive, Scope, Send
from strata.context import Context
from strata.errors import NotFound
from strata.launch import front
from strata.launch.listen import Listener
from strata.runtime import open_context
from strata.serve import answer_json
from strata.settings import Settings

GATEWAY = "gateway"
_READY_S = 2.0


async def serve(service: str, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let requests in hand finish.

    service: `gateway`, or e.g. `system-shopify`, `process-orders`, `experience-web`. Raises NotFound for any other,
    Invalid for wrong settings, StoreUnavailable when the database does not answer at the start.
    """
    telemetry.setup(settings, settings.service_name)
    context = await open_context(settings)
    gateway: front.Gateway | None = None
    try:
        if service == GATEWAY:
            gateway = front.create(context)
            await gateway.startup()
            server = front.server(gateway, settings)
        else:
            server = _layer_server(_with_readiness(context, local(context, service)), settings)
        listener = Listener(server, settings.host, settings.port)
        await listener.start()
        await context.startup()
        telemetry.log.info("serving", what=service, host=settings.host, port=settings.port)
        await _until_signal(listener)
        await listener.stop()
    finally:
        if gateway is not None:
            await gateway.shutdown()
        await context.shutdown()
        telemetry.shutdown()


def local(context: Context, service: str) -> ASGIApp:
    """The app of a service that this process is to serve. Raises NotFound in words."""
    try:
        return context.topology.local(service)
    except (NotFound, ValueError) as error:
        raise NotFound(f"There is no service {service}: it is `gateway` or e.g. `system-shopify`") from error


def _with_readiness(context: Context, app: ASGIApp) -> ASGIApp:
    """`/readyz` of a layer: whether the database answers. Everything else goes to the service."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/readyz":
            await app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_READY_S):
                await context.database.fetchval("SELECT true")
        except (OSError, TimeoutError):
            await _unavailable(send)
        except Exception:  # whatever the driver raises, the answer is "not ready"
            telemetry.log.warning("not ready", exc_info=True)
            await _unavailable(send)
        else:
            await answer_json(send, b'{"status":"ready"}')

    return answer


async def _unavailable(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"status":"unavailable"}', "more_body": False})


def _layer_server(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]  # our ASGI types are wider than asgiref's
        host=settings.host,
        port=settings.port,
        http="httptools",
        ws="none",
        loop="uvloop",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


async def _until_signal(listener: Listener) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    halt = asyncio.create_task(stop.wait())
    served = asyncio.create_task(listener.wait())
    await asyncio.wait([halt, served], return_when=asyncio.FIRST_COMPLETED)
    halt.cancel()
    if served.done():
        served.result()
    served.cancel()
