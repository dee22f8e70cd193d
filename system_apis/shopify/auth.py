"""What lets us in: an access token that was given, or one that we fetch by the client credentials grant.

Source: shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import msgspec
from msgspec import Struct

from strata.errors import AuthRefused, Transient
from system_apis.exchange import Exchange
from system_apis.shopify.backend import ShopifyConnection

_EARLY_S = 300.0
"""A token is renewed so long before its end."""


class Auth(Protocol):
    """Gives the access token for a call."""

    async def token(self) -> str:
        """The token to send. Raises AuthRefused, Transient."""
        ...

    async def renew(self, refused: str) -> bool:
        """Whether it is worth trying again after `refused` was answered 401."""
        ...


class GivenToken:
    """A token of a custom app: it is good or it is not."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    async def renew(self, refused: str) -> bool:
        return False


class _Grant(Struct):
    access_token: str
    expires_in: float = 86399.0


class ClientCredentials:
    """Tokens by the client credentials grant: kept for their 24 h, fetched by one caller while the others wait."""

    def __init__(self, exchange: Exchange, connection: ShopifyConnection) -> None:
        self._exchange = exchange
        self._connection = connection
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0

    async def token(self) -> str:
        if time.monotonic() < self._renew_at:
            return self._token
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                await self._fetch()
            return self._token

    async def renew(self, refused: str) -> bool:
        async with self._lock:
            if self._token == refused:
                await self._fetch()
            return True

    async def _fetch(self) -> None:
        reply = await self._exchange.send(
            "POST",
            f"{self._connection.url}/admin/oauth/access_token",
            operation="access_token",
            effect="read",
            headers={"content-type": "application/json", "accept": "application/json"},
            content=msgspec.json.encode(
                {
                    "grant_type": "client_credentials",
                    "client_id": self._connection.client_id,
                    "client_secret": self._connection.client_secret,
                }
            ),
        )
        if reply.status >= 500 or reply.status == 429:
            raise Transient(f"Shopify gave no token: it answered {reply.status}", retry_after_s=reply.retry_after_s)
        if reply.status != 200:
            raise AuthRefused(f"Shopify refuses the app credentials of {self._connection.shop} ({reply.status})")
        try:
            grant = msgspec.json.decode(reply.body, type=_Grant)
        except msgspec.DecodeError as error:
            raise Transient("Shopify's answer with the token cannot be read") from error
        self._token = grant.access_token
        self._renew_at = time.monotonic() + max(0.0, grant.expires_in - _EARLY_S)


def auth_of(exchange: Exchange, connection: ShopifyConnection) -> Auth:
    """How this connection logs in."""
    if connection.access_token:
        return GivenToken(connection.access_token)
    return ClientCredentials(exchange, connection)
