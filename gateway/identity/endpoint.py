"""OAuth endpoints as ASGI applications: token, metadata, keys. Errors have the OAuth form (RFC 6749 section 5.2)."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import msgspec
import structlog
from msgspec import Struct

from gateway.asgi import ASGIApp, Headers, Receive, Scope, Send, header, respond
from gateway.core.admit import media_type
from gateway.edge_limit import Count
from gateway.identity.clients import ClientStore
from gateway.identity.keys import ALGORITHM, SigningKeys
from gateway.identity.server import AUTH_METHODS, TokenAnswer, TokenIssuer, TokenRequest
from gateway.store import DATABASE_ERRORS

_log = structlog.stdlib.get_logger("strata.gateway")
MAX_FORM_BYTES = 16_384
_MAX_FIELDS = 20
_NO_STORE: Headers = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
]
_RETRY_AFTER_S = 2
_DATABASE_S = 5.0


class TokenEndpoint(Struct, frozen=True):
    """`POST /oauth/token`: load, decide, commit, answer. 503 while the database is away.

    guesses: what an address may get wrong before even right credentials have to wait. slowapi counts a request before
    it is decided, so a refused authentication is counted afterwards and asked for before; those that are under way
    together are counted when they are decided.
    """

    clients: ClientStore
    issuer: TokenIssuer
    guesses: Count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait_s = self.guesses.peek(scope)
        if wait_s:
            await busy(send, wait_s)
            return
        answer = await self._answer(scope, receive)
        if answer.status == 401:
            self.guesses.hit(scope)
        await respond(send, answer.status, list(answer.headers), answer.body)

    async def _answer(self, scope: Scope, receive: Receive) -> TokenAnswer:
        request = await _read(scope, receive)
        if isinstance(request, str):
            return _error(400, "invalid_request", request)
        try:
            claimed = request.claimed_client_id()
            async with asyncio.timeout(_DATABASE_S):
                known = await self.clients.load(claimed) if "\x00" not in claimed else None
                answer = self.issuer.answer(request, known)
                if answer.client is not None and not await self.clients.commit_token(answer.client):
                    return _error(400, "invalid_grant", "The client changed meanwhile; ask again.")
        except DATABASE_ERRORS as error:
            _log.warning("token_endpoint_unavailable", error=type(error).__name__)
            return _error(
                503,
                "temporarily_unavailable",
                "Try again soon; tokens you hold stay valid.",
                [(b"retry-after", str(_RETRY_AFTER_S).encode())],
            )
        return answer


async def _read(scope: Scope, receive: Receive) -> TokenRequest | str:
    """The request, or why it is none. The query is not read: credentials in a URL end in logs."""
    headers: Headers = scope["headers"]
    if media_type(header(headers, b"content-type") or b"") != b"application/x-www-form-urlencoded":
        return "The body has to be application/x-www-form-urlencoded."
    if scope["query_string"]:
        return "Parameters belong in the body."
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return "The body was cut off."
        body += message.get("body", b"")  # bounded by the route's body limit
        if not message.get("more_body", False):
            break
    form: dict[str, list[str]] = {}
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return "The body is not a form."
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    authorization = header(headers, b"authorization")
    return TokenRequest(form, authorization.decode("latin-1") if authorization is not None else None)


def _error(status: int, error: str, description: str, extra: Headers | None = None) -> TokenAnswer:
    body = msgspec.json.encode({"error": error, "error_description": description})
    return TokenAnswer(status, body, (*_NO_STORE, *(extra or [])))


async def busy(send: Send, wait_s: int) -> None:
    """429 in the OAuth form: this address has to wait."""
    description = "Too many requests from this address."
    answer = _error(429, "temporarily_unavailable", description, [(b"retry-after", str(wait_s).encode())])
    await respond(send, answer.status, list(answer.headers), answer.body)


def fixed(document: object, content_type: bytes = b"application/json", max_age_s: int = 300) -> ASGIApp:
    """An application that answers one JSON document."""
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    headers = [(b"content-type", content_type), (b"cache-control", f"public, max-age={max_age_s}".encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await respond(send, 200, headers, body)

    return answer


def server_metadata(public_url: str, token_url: str, scopes: tuple[str, ...]) -> dict[str, object]:
    """RFC 8414: what this authorization server really has."""
    return {
        "issuer": public_url,
        "token_endpoint": token_url,
        "jwks_uri": f"{public_url}/.well-known/jwks.json",
        "scopes_supported": list(scopes),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "protected_resources": [public_url],
        "service_documentation": f"{public_url}/portal/",
    }


def resource_metadata(public_url: str, scopes: tuple[str, ...]) -> dict[str, object]:
    """RFC 9728: where a caller without a token learns how to get one."""
    return {
        "resource": public_url,
        "authorization_servers": [public_url],
        "jwks_uri": f"{public_url}/.well-known/jwks.json",
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header"],
        "resource_signing_alg_values_supported": [ALGORITHM],
        "resource_name": "Strata",
        "resource_documentation": f"{public_url}/portal/",
    }


def key_set(keys: SigningKeys) -> ASGIApp:
    """`/.well-known/jwks.json`, as the keys are at the time of the request."""
    headers = [(b"content-type", b"application/jwk-set+json"), (b"cache-control", b"public, max-age=300")]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await respond(send, 200, headers, keys.jwks())

    return answer
