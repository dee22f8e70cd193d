"""A NetSuite account in memory, and a caller that signs with oauthlib: not the code that verifies."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256
from oauthlib.oauth1 import Client as Signer

from sandbox.core.app import VendorApp
from sandbox.core.clock import Clock
from sandbox.core.faults import Faults
from sandbox.core.keep import Secrets
from sandbox.core.requests import RequestLog
from sandbox.core.server import load
from sandbox.core.store import Store
from sandbox.core.vendor import Context
from sandbox.netsuite.vendor import NetSuite, create

BASE = "http://127.0.0.1:8093"
RECORD = "/services/rest/record/v1"
DECIMALS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


class Account:
    """Calls the account as an integration does. `vendor` is the simulator behind it."""

    def __init__(self, vendor: NetSuite, client: httpx.AsyncClient) -> None:
        self.vendor = vendor
        self.client = client

    def signed(self, method: str, url: str, **overrides: str) -> dict[str, str]:
        """The Authorization header for a request, by oauthlib."""
        keys = self.vendor._credentials.tba
        now = int(self.vendor.context.clock.now().timestamp())
        signer = Signer(
            overrides.get("consumer_key", keys.consumer_key),
            client_secret=overrides.get("consumer_secret", keys.consumer_secret),
            resource_owner_key=keys.token_id,
            resource_owner_secret=overrides.get("token_secret", keys.token_secret),
            signature_method=SIGNATURE_HMAC_SHA256,
            realm=overrides.get("realm", keys.realm),
            timestamp=overrides.get("timestamp", str(now)),
            nonce=overrides.get("nonce"),
        )
        _, headers, _ = signer.sign(url, method)
        return {"Authorization": headers["Authorization"]}

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: dict[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """A signed call; a path below `record/v1` may be given without it."""
        url = httpx.URL(BASE + (path if path.startswith(("/services", "/app", "/rest")) else f"{RECORD}/{path}"))
        if params:
            url = url.copy_merge_params(params)
        content = None if body is None else msgspec.json.encode(body, enc_hook=str)
        given = {"Content-Type": "application/json", **self.signed(method, str(url)), **(headers or {})}
        return await self.client.request(method, url, content=content, headers=given)

    async def get(self, path: str, **params: str | int) -> Any:
        """A record or page, numbers as decimals."""
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return DECIMALS.decode(answer.content)

    async def create(self, kind: str, body: object) -> str:
        answer = await self.call("POST", kind, body)
        assert answer.status_code == 204, answer.text
        return answer.headers["location"].rsplit("/", 1)[1]

    async def refused(self, method: str, path: str, body: object = None, **params: str | int) -> dict[str, Any]:
        """The first error detail of a call that NetSuite refuses with 400."""
        answer = await self.call(method, path, body, params=params)
        assert answer.status_code == 400, answer.text
        return answer.json()["o:errorDetails"][0]

    async def query(self, text: str, **params: str | int) -> Any:
        answer = await self.suiteql(text, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def suiteql(self, text: str, **params: str | int) -> httpx.Response:
        path = "/services/rest/query/v1/suiteql"
        return await self.call("POST", path, {"q": text}, params=params, headers={"Prefer": "transient"})

    def id_of(self, kind: str, external_id: str) -> str:
        doc = self.vendor.records.by_external_id(kind, external_id)
        assert doc is not None, external_id
        return doc["id"]

    def seed(self, **options: object) -> Any:
        with self.vendor.context.store.transaction():
            return self.vendor.seed(msgspec.json.encode(options))


@pytest.fixture(scope="session")
def company() -> Iterator[sqlite3.Connection]:
    """The seeded account, made once."""
    vendor = load("netsuite", None)
    yield vendor.context.store.db
    vendor.context.store.close()


@pytest.fixture(scope="session")
def secrets() -> Secrets:
    """Credentials that all tests share: keys take a while to make."""
    return Secrets(None)


@pytest.fixture
async def account(company: sqlite3.Connection, secrets: Secrets) -> AsyncIterator[Account]:
    """A fresh copy of the company's account."""
    store, clock = Store(None), Clock()
    company.backup(store.db)
    context = Context("netsuite", Path(), store, clock, Faults(clock), RequestLog(), secrets)
    vendor = create(context)
    transport = httpx.ASGITransport(app=VendorApp(vendor))  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield Account(vendor, client)
    store.close()
