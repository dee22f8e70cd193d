from __future__ import annotations

from gateway.asgi import ASGIApp, Receive, Scope, Send, respond
from gateway.publishing.compile import Configuration
from gateway.settings import GatewaySettings


def portal(settings: GatewaySettings, configuration: Configuration) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, 200, [(b"content-type", b"text/plain")], b"portal")

    return answer
