"""Makes the NetSuite system API: every contract it offers for every connection, all calls under one governor."""

from __future__ import annotations

from strata import http
from strata.calls import ASGIApp
from strata.connections import Connection
from strata.context import Context
from strata.governor import Governor
from strata.serve import Mount, service
from system_apis.exchange import Exchange
from system_apis.netsuite import mapping
from system_apis.netsuite.auth import auth_of
from system_apis.netsuite.backend import BACKEND, NetSuiteConnection
from system_apis.netsuite.client import NetSuiteClient
from system_apis.netsuite.currencies import Currencies
from system_apis.netsuite.customers import NetSuiteCustomers
from system_apis.netsuite.fulfilments import NetSuiteFulfilments
from system_apis.netsuite.health import NetSuiteHealth
from system_apis.netsuite.orders import NetSuiteOrders
from system_apis.netsuite.products import NetSuiteProducts


def create(context: Context) -> ASGIApp:
    """The app of `system-netsuite`. Raises Invalid when a connection is not configured rightly."""
    governor = Governor(context.database)
    context.on_shutdown(governor.close)
    mounts: list[Mount] = []
    for connection in context.of_vendor(BACKEND.vendor):
        client = open_client(context, connection, governor)
        currencies = Currencies(client)
        names = mapping.Names(connection.name, client.connection.account)
        capabilities = (
            NetSuiteOrders(client, currencies, names),
            NetSuiteCustomers(client, currencies, names),
            NetSuiteProducts(client, names),
            NetSuiteFulfilments(client, names),
            NetSuiteHealth(client),
        )
        mounts += [Mount(capability, connection.name) for capability in capabilities]
    return service(context, f"system-{BACKEND.vendor}", mounts)


def open_client(context: Context, connection: Connection, governor: Governor) -> NetSuiteClient:
    """The client of one account; at the end it sees its calls through before its connections close."""
    options = connection.decode(NetSuiteConnection)
    web = http.client(
        timeout_s=options.request_timeout_s,
        connect_timeout_s=options.connect_timeout_s,
        connections=options.concurrency + 2,
    )
    context.on_shutdown(web.aclose)
    exchange = Exchange(BACKEND.vendor, connection.name, web)
    client = NetSuiteClient(options, exchange, auth_of(exchange, options), governor)
    context.on_shutdown(client.aclose)
    return client
