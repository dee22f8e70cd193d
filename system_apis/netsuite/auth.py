"""What lets us in: a signature on every request (TBA), or a bearer token fetched with a signed assertion (M2M).

Sources: Oracle help section_1534941295 (TBA, RFC 5849 with HMAC-SHA256), section_162755359851 and
section_162790605110 (OAuth 2.0 client credentials with a certificate).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlencode

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from msgspec import Struct
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from strata.errors import AuthRefused, Transient
from system_apis.exchange import Exchange
from system_apis.netsuite.backend import CertificateBased, NetSuiteConnection, TokenBased

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  # a path
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE_S = 300
_EARLY_S = 120.0
"""A token is renewed so long before its end."""


class Auth(Protocol):
    """Gives the Authorization header of a request."""

    async def header(self, method: str, url: str) -> str:
        """The header's value. Raises AuthRefused, Transient."""
        ...

    async def renew(self, refused: str) -> None:
        """Get something better than `refused`, a header that was answered 401."""
        ...


class Signed:
    """TBA. Every request is signed anew, so there is nothing to renew."""

    def __init__(self, account: str, options: TokenBased) -> None:
        self._client = Client(
            options.consumer_key,
            client_secret=options.consumer_secret,
            resource_owner_key=options.token_id,
            resource_owner_secret=options.token_secret,
            realm=options.realm or account,
            signature_method=SIGNATURE_HMAC_SHA256,
        )

    async def header(self, method: str, url: str) -> str:
        sign = cast("Callable[..., tuple[str, dict[str, str], object]]", self._client.sign)  # its stubs are partial
        return sign(url, http_method=method)[1]["Authorization"]

    async def renew(self, refused: str) -> None:
        """NetSuite answers 401 to good signatures too, when it is over its limit: the next one may do."""


class _Grant(Struct):
    access_token: str
    expires_in: float | str = 3600.0


class Certificate:
    """M2M. One token for all calls, kept for nearly its hour, fetched by one caller while the others wait."""

    def __init__(self, exchange: Exchange, connection: NetSuiteConnection, options: CertificateBased) -> None:
        self._exchange = exchange
        self._options = options
        self._url = options.token_url or f"{connection.url}{TOKEN_PATH}"
        self._lock = asyncio.Lock()
        self._header = ""
        self._renew_at = 0.0

    async def header(self, method: str, url: str) -> str:
        if time.monotonic() < self._renew_at:
            return self._header
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                await self._fetch()
            return self._header

    async def renew(self, refused: str) -> None:
        async with self._lock:
            if self._header == refused:
                await self._fetch()

    def assertion(self, now: float) -> str:
        """The signed assertion. now: seconds since 1970. Raises AuthRefused when the key cannot be used."""
        options = self._options
        claims = {
            "iss": options.client_id,
            "scope": options.scope.replace(",", " ").split(),
            "aud": self._url,
            "iat": int(now),
            "exp": int(now) + _ASSERTION_LIFE_S,
            "jti": uuid.uuid4().hex,
        }
        header = {"alg": options.algorithm, "typ": "JWT", "kid": options.certificate_id}
        kind = ECKey if options.algorithm.startswith("ES") else RSAKey
        try:
            key = kind.import_key(Path(options.private_key_file).read_text("utf-8"))
            return jwt.encode(header, claims, key, algorithms=[options.algorithm])
        except (OSError, ValueError, JoseError) as error:
            raise AuthRefused(f"The private key {options.private_key_file} cannot be used") from error

    async def _fetch(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self.assertion(time.time()),
        }
        reply = await self._exchange.send(
            "POST",
            self._url,
            operation="token",
            effect="read",
            headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
            content=urlencode(form).encode(),
        )
        if reply.status >= 500 or reply.status == 429:
            raise Transient(f"NetSuite gave no token: it answered {reply.status}", retry_after_s=reply.retry_after_s)
        if reply.status != 200:
            raise AuthRefused(f"NetSuite refuses the certificate of {self._exchange.connection} ({reply.status})")
        try:
            grant = msgspec.json.decode(reply.body, type=_Grant)
            life_s = float(grant.expires_in)
        except (msgspec.DecodeError, ValueError) as error:
            raise Transient("NetSuite's answer with the token cannot be read") from error
        self._header = f"Bearer {grant.access_token}"
        self._renew_at = time.monotonic() + max(0.0, life_s - _EARLY_S)


def auth_of(exchange: Exchange, connection: NetSuiteConnection) -> Auth:
    """How this connection logs in."""
    if isinstance(connection.auth, TokenBased):
        return Signed(connection.account, connection.auth)
    return Certificate(exchange, connection, connection.auth)
