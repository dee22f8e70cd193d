"""Outermost: opens the exchange, lets one place write the answer's fields, and counts what happened."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import Struct

from gateway.analytics.access_log import AccessLog
from gateway.analytics.metrics import Metrics
from gateway.asgi import ASGIApp, Message, Receive, Scope, Send
from gateway.core.account import Ledger, RollupKey
from gateway.core.address import Network, client_address
from gateway.exchange import KEY, Exchange


class Observe(Struct, frozen=True):
    """Count every answered request in the ledger, the metrics and the access log, off the request's own time.

    `security` fields go on every answer. HEAD answers lose their body here, whoever wrote it.
    """

    ledger: Ledger
    metrics: Metrics
    access_log: AccessLog | None
    trusted_proxies: Sequence[Network]
    always: tuple[tuple[bytes, bytes], ...] = ()

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def observed(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = Exchange()
            peer = scope.get("client")
            exchange.address = peer[0] if peer else ""
            if self.trusted_proxies:
                chain = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
                exchange.address = client_address(exchange.address, chain, self.trusted_proxies)
            head = scope["method"] == "HEAD"

            async def counted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    exchange.status = message["status"]
                    exchange.answered = True
                    headers = [*message["headers"], *exchange.answer_headers, *self.always]
                    await send({"type": "http.response.start", "status": exchange.status, "headers": headers})
                    return
                body = message.get("body", b"")
                if head and body:
                    message = {**message, "body": b""}
                else:
                    exchange.sent_bytes += len(body)
                await send(message)

            try:
                await app({**scope, KEY: exchange}, receive, counted)
            finally:
                self._count(scope["method"], exchange)

        return observed

    def _count(self, method: str, exchange: Exchange) -> None:
        elapsed = time.perf_counter() - exchange.started
        route = exchange.match.route if exchange.match else None
        api = route.api if route else "gateway"
        operation = route.operation if route else "unrouted"
        status = exchange.status or 499  # the client left before an answer began
        client = exchange.identity.client_id if exchange.identity else "-"
        key = RollupKey(int(time.time() // 60), api, operation, client, status // 100)
        self.ledger.count(key, int(elapsed * 1_000_000))
        self.metrics.request(api, operation, status, elapsed)
        if self.access_log is not None:
            self.access_log.add(method, exchange, status, elapsed)
