"""The scaled-out form for contract tests: one process a service, real PostgreSQL and Redis, the sandbox beside."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from strata.identity import Identity
from strata.internal import IDENTITY_HEADER, TOKEN_HEADER, ServiceTokens, pack_identity
from tests.compose.plain import Plain
from tests.conftest import with_database
from tests.e2e.running import eventually

SCOPES = frozenset({"orders:read"})


class Scaled:
    """The services as processes, and the credentials of those who may call them."""

    def __init__(self, plain: Plain, secret: str) -> None:
        self._plain = plain
        self._tokens = ServiceTokens(secret)
        self._bearers: dict[str, str] = {}
        self.gateway = f"http://127.0.0.1:{plain.ports['gateway'][0]}"

    def url(self, service: str) -> str:
        """Where a service listens."""
        return f"http://127.0.0.1:{self._plain.ports[service][0]}"

    def internal(self, caller: str, audience: str) -> dict[str, str]:
        """Headers of a call from one of our services to another."""
        who = Identity("tests", "tests", SCOPES, "standard")
        return {
            TOKEN_HEADER.decode(): self._tokens.sign(caller, audience),
            IDENTITY_HEADER.decode(): pack_identity(who).decode(),
        }

    def bearer(self, client: str) -> dict[str, str]:
        """Headers of a call from outside, with a token of a client that is made for it."""
        if client not in self._bearers:
            made = json.loads(self._plain.run("gateway", "clients", "add", client, "--scope", "orders:read", "--json"))
            answer = httpx.post(
                f"{self.gateway}/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(made["client_id"], made["client_secret"]),
                timeout=30,
            )
            self._bearers[client] = answer.json()["access_token"]
        return {"Authorization": f"Bearer {self._bearers[client]}"}


async def _database(server: str, name: str, *, drop: bool = False) -> None:
    admin = await asyncpg.connect(server)
    verb = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)' if drop else f'CREATE DATABASE "{name}"'
    await admin.execute(verb)
    await admin.close()


@pytest.fixture(scope="session")
def scaled(postgres_server: str, redis_server: str) -> Iterator[Scaled]:
    secret, name = secrets.token_hex(32), f"strata_test_{secrets.token_hex(6)}"
    asyncio.run(_database(postgres_server, name))
    variables = {"STRATA_SECRET_KEY": secret, "POSTGRES_PASSWORD": "x"}
    plain = Plain(variables, {"redis:6379": urlsplit(redis_server).netloc}, with_database(postgres_server, name))
    try:
        plain.start("sandbox")
        eventually((plain.folder / "sandbox" / "sandbox.json").exists)
        plain.run("migrate")
        for service in plain.ports:
            if service not in {"sandbox", "migrate", "worker"}:
                plain.start(service)
        plain.wait_ready()
        yield Scaled(plain, secret)
    finally:
        plain.close()
        asyncio.run(_database(postgres_server, name, drop=True))
