"""Who calls: access tokens, the client-credentials grant, and which shop is meant."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from sandbox.core.http import Request, Response, json_response
from sandbox.core.keep import Secrets
from sandbox.shopify.model import AccessToken, Shop
from sandbox.shopify.state import State

LIFE_S = 86_400
DOMAIN = ".myshopify.com"
# for clients that let the domain be set: *.localhost is this machine
DOMAINS = (DOMAIN, ".localhost")
UNKNOWN = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class Caller(msgspec.Struct, frozen=True):
    """scopes None: all."""

    shop: Shop
    scopes: frozenset[str] | None


class Auth:
    """Permanent tokens come from the data folder's secrets; tokens of the grant are kept in the store."""

    def __init__(self, state: State, kept: Secrets, shops: tuple[str, ...]) -> None:
        self._state = state
        self._shops = shops
        self.client_id = kept.token("client_id")
        self.client_secret = kept.token("client_secret", prefix="shpss_")
        self.tokens = {shop: kept.token(f"access_token.{shop}", prefix="shpat_") for shop in shops}

    def shop_of_host(self, host: str) -> str | None:
        """`{shop}.myshopify.com` or `{shop}.localhost`, with or without a port."""
        name = host.partition(":")[0].lower()
        return next((name.removesuffix(domain) for domain in DOMAINS if name.endswith(domain)), None)

    def caller(self, request: Request) -> Caller | None:
        """Whose token this is, if it is one of the shop that the host names (any shop on loopback)."""
        token = request.headers.get("x-shopify-access-token") or _basic_password(request)
        if not token:
            return None
        found = self._permanent(token) or self._granted(token)
        if found is None:
            return None
        wanted = self.shop_of_host(request.host)
        return None if wanted is not None and wanted != found.shop.subdomain else found

    def _permanent(self, token: str) -> Caller | None:
        for name, known in self.tokens.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                shop = self._state.shops.get(name)
                return None if shop is None else Caller(shop, None)
        return None

    def _granted(self, token: str) -> Caller | None:
        kept = self._state.access_tokens.get(_digest(token))
        if kept is None or kept.expires_at <= self._state.clock.now():
            return None
        shop = self._state.shops.get(kept.shop)
        return None if shop is None else Caller(shop, frozenset(kept.scopes) or None)

    def grant(self, request: Request, scopes: list[str]) -> Response:
        """`POST /admin/oauth/access_token` with grant_type=client_credentials, form or JSON.

        The shop is the host's; on loopback a member or query parameter `shop` may name it.
        """
        given = _form(request)
        if given is None:
            return _refused(400, "invalid_request", "The request body could not be read.")
        id_ok = hmac.compare_digest(given.get("client_id", "").encode(), self.client_id.encode())
        secret_ok = hmac.compare_digest(given.get("client_secret", "").encode(), self.client_secret.encode())
        if not id_ok:
            return _refused(400, "application_cannot_be_found", "Oauth error application_cannot_be_found")
        if not secret_ok:
            return _refused(400, "invalid_client", "Oauth error invalid_client")
        if given.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "Oauth error unsupported_grant_type")
        named = (given.get("shop") or request.query.get("shop") or "").removesuffix(DOMAIN)
        name = self.shop_of_host(request.host) or named or self._shops[0]
        if self._state.shops.get(name) is None:
            return _refused(400, "shop_not_permitted", "Oauth error shop_not_permitted")
        token = f"shpat_{secrets.token_hex(16)}"
        expires_at = self._state.clock.now() + timedelta(seconds=LIFE_S)
        self._state.access_tokens.put(AccessToken(_digest(token), name, [], expires_at))
        return json_response({"access_token": token, "scope": ",".join(scopes), "expires_in": LIFE_S - 1})


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _basic_password(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _form(request: Request) -> dict[str, str] | None:
    if "json" in request.headers.get("content-type", ""):
        try:
            body: dict[str, Any] = msgspec.json.decode(request.body, type=dict[str, Any])
        except msgspec.MsgspecError:
            return None
        return {k: v for k, v in body.items() if isinstance(v, str)}
    try:
        return dict(parse_qsl(request.body.decode()))
    except UnicodeDecodeError:
        return None


def _refused(status: int, error: str, description: str) -> Response:
    return json_response({"error": error, "error_description": description}, status)
