"""Find the route before anything else is asked: an unknown path is 404 and a wrong method 405 for everybody."""

from __future__ import annotations

from msgspec import Struct

from gateway.asgi import ASGIApp, Receive, Scope, Send
from gateway.core.admit import check_query
from gateway.core.route import RouteTable
from gateway.exchange import exchange_of


class Routing(Struct, frozen=True):
    """Put the match into the exchange; refuse a query that the contract does not allow in that form."""

    table: RouteTable

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            exchange.match = match = self.table.find(scope["method"], exchange.segments)
            if match.route.kind == "operation":
                check_query(scope["query_string"], match.route.query_lists)
            await app(scope, receive, send)

        return routed
