"""Clients of the running sandbox, as the factories make them, without the services around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from strata import governor as governors
from strata import http
from strata.connections import Connection
from strata.governor import Governor
from system_apis.exchange import Exchange
from system_apis.netsuite.auth import auth_of as netsuite_auth
from system_apis.netsuite.backend import NetSuiteConnection
from system_apis.netsuite.client import NetSuiteClient
from system_apis.shopify.auth import auth_of as shopify_auth
from system_apis.shopify.backend import ShopifyConnection
from system_apis.shopify.client import ShopifyClient

Closer = Callable[[], Awaitable[None]]


@pytest.fixture
async def closers() -> AsyncIterator[list[Closer]]:
    """What to close after the test, last first."""
    made: list[Closer] = []
    yield made
    for close in reversed(made):
        await close()


@pytest.fixture
async def governor(postgres_url: str) -> AsyncIterator[Governor]:
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=4) as pool:
        await governors.migrate(pool)
        made = Governor(pool, beat_s=0.2, dead_after_s=2.0)
        yield made
        await made.close()


@pytest.fixture
def open_shop(closers: list[Closer]) -> Callable[[Connection], ShopifyClient]:
    def make(connection: Connection) -> ShopifyClient:
        options = connection.decode(ShopifyConnection)
        web = http.client(timeout_s=options.request_timeout_s, connect_timeout_s=options.connect_timeout_s)
        closers.append(web.aclose)
        exchange = Exchange("shopify", connection.name, web)
        return ShopifyClient(options, exchange, shopify_auth(exchange, options))

    return make


@pytest.fixture
def open_erp(governor: Governor, closers: list[Closer]) -> Callable[[Connection], NetSuiteClient]:
    def make(connection: Connection) -> NetSuiteClient:
        options = connection.decode(NetSuiteConnection)
        web = http.client(timeout_s=options.request_timeout_s, connect_timeout_s=options.connect_timeout_s)
        closers.append(web.aclose)
        exchange = Exchange("netsuite", connection.name, web)
        client = NetSuiteClient(options, exchange, netsuite_auth(exchange, options), governor)
        closers.append(client.aclose)
        return client

    return make
