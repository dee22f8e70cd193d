"""Makes the Shopify system API: every contract it offers for every connection, and the webhook ingress."""

from __future__ import annotations

from strata import http
from strata.calls import ASGIApp
from strata.connections import Connection
from strata.context import Context
from strata.serve import Mount, service
from system_apis.exchange import Exchange
from system_apis.shopify.auth import auth_of
from system_apis.shopify.backend import BACKEND, ShopifyConnection
from system_apis.shopify.channel_fulfilments import ShopifyChannelFulfilments
from system_apis.shopify.channel_orders import ShopifyChannelOrders
from system_apis.shopify.client import ShopifyClient
from system_apis.shopify.events import Ingress, Subscriber
from system_apis.shopify.health import ShopifyHealth


def create(context: Context) -> ASGIApp:
    """The app of `system-shopify`. Raises Invalid when a connection is not configured rightly."""
    mounts: list[Mount] = []
    shops: dict[str, ShopifyConnection] = {}
    for connection in context.of_vendor(BACKEND.vendor):
        client = open_client(context, connection)
        name = connection.name
        shops[name] = client.connection
        mounts += [
            Mount(ShopifyChannelOrders(name, client), name),
            Mount(ShopifyChannelFulfilments(client), name),
            Mount(ShopifyHealth(name, client), name),
        ]
        if client.connection.callback_base and context.takes_webhooks:
            subscriber = Subscriber(name, client)
            context.on_startup(subscriber.start)
            context.on_shutdown(subscriber.stop)
    return service(context, f"system-{BACKEND.vendor}", mounts, [Ingress(context, shops).route()])


def open_client(context: Context, connection: Connection) -> ShopifyClient:
    """The client of one shop, closed with the context."""
    options = connection.decode(ShopifyConnection)
    web = http.client(timeout_s=options.request_timeout_s, connect_timeout_s=options.connect_timeout_s)
    context.on_shutdown(web.aclose)
    exchange = Exchange(BACKEND.vendor, connection.name, web)
    return ShopifyClient(options, exchange, auth_of(exchange, options))
