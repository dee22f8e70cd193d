"""A whole gateway for tests: real PostgreSQL, services that remember what they were asked."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from cryptography.fernet import Fernet

from gateway.app import Gateway, create
from gateway.settings import GatewaySettings

DATA = Path(__file__).parent / "data"
URL = "http://gateway.test"
KEY = Fernet.generate_key().decode()


class Service:
    """An upstream application: remembers scopes and bodies, answers what it is told to."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
        self.body = b'{"id":"sh:demo:order:1"}'
        self.before: Callable[[], Any] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if self.before is not None:
            await self.before()
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})

    @property
    def seen(self) -> dict[str, str]:
        """Fields of the last request."""
        return {name.decode(): value.decode("latin-1") for name, value in self.scopes[-1]["headers"]}


class House:
    """A started gateway with a client, its services and a registered caller."""

    def __init__(self, gateway: Gateway, http: httpx.AsyncClient, web: Service, shopify: Service) -> None:
        self.gateway, self.http, self.web, self.shopify = gateway, http, web, shopify
        self.client_id = self.client_secret = ""
        self._tokens: dict[str, str] = {}

    async def token(self, scope: str = "orders:read orders:write") -> str:
        if scope not in self._tokens:
            answer = await self.http.post(
                "/oauth/token",
                data={"grant_type": "client_credentials", "scope": scope},
                auth=(self.client_id, self.client_secret),
            )
            assert answer.status_code == 200, answer.text
            self._tokens[scope] = answer.json()["access_token"]
        return self._tokens[scope]

    async def get(self, path: str, *, scope: str = "orders:read orders:write", **options: Any) -> httpx.Response:
        return await self.call("GET", path, scope=scope, **options)

    async def call(
        self, method: str, path: str, *, scope: str = "orders:read orders:write", **options: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {await self.token(scope)}", **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)


@asynccontextmanager
async def a_house(postgres_url: str, *, redis_url: str | None = None, **changes: Any) -> AsyncIterator[House]:
    settings = GatewaySettings(
        **{"public_url": URL, "publications": DATA / "publications.toml", "secret_key": KEY, **changes}
    )
    web, shopify = Service(), Service()
    gateway = create(
        settings,
        postgres_url,
        {"experience-web": web, "system-shopify": shopify},
        redis_url=redis_url,
        openapi_dir=DATA / "openapi",
    )
    await gateway.startup()
    transport = httpx.ASGITransport(gateway, raise_app_exceptions=False)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as http:
        house = House(gateway, http, web, shopify)
        house.client_id, house.client_secret = await gateway.clients.register(
            "shop-web", ["orders:read", "orders:write"], "standard", None, ["demo"], development=True
        )
        yield house
    await gateway.shutdown()


@pytest.fixture(scope="session")
def shared_url(postgres_server: str) -> Iterator[str]:
    """One database for all tests of this process that only add to it."""
    name = f"strata_test_{secrets.token_hex(6)}"

    def run(statement: str) -> None:
        async def execute() -> None:
            admin = await asyncpg.connect(postgres_server)
            await admin.execute(statement)
            await admin.close()

        with ThreadPoolExecutor(1) as pool:  # a loop of its own, whatever this thread's is doing
            pool.submit(asyncio.run, execute()).result()

    run(f'CREATE DATABASE "{name}"')
    yield urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
    run(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def house(shared_url: str) -> AsyncIterator[House]:
    """A gateway on the shared database: do not change what others rely on."""
    async with a_house(shared_url) as started:
        yield started


@pytest.fixture
async def own_house(postgres_url: str) -> AsyncIterator[House]:
    """A gateway on the test's own database, `postgres_url`."""
    async with a_house(postgres_url) as started:
        yield started


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem document, after the checks that hold for every one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = json.loads(answer.content)
    assert document["status"] == answer.status_code
    assert document["type"].rsplit("/", 1)[-1].rsplit("#", 1)[-1] == document["code"]
    assert document["request_id"] == answer.headers["x-request-id"]
    assert len(document["trace_id"]) == 32
    return document
