"""The token endpoint's core: Authlib's AuthorizationServer on requests in memory.

Authlib is synchronous. The shell loads the client with await, runs this core without any await inside, then commits
with a compare-and-swap and only then answers. State of one request lives on the request, never on the server.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportMissingParameterType=false, reportUnknownArgumentType=false, reportIncompatibleMethodOverride=false
# Authlib has no types; what enters and leaves this module is typed.

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import unquote_plus

import msgspec
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc.jwk import ECKey, KeySet
from msgspec import Struct

from gateway.identity.clients import Client
from gateway.identity.keys import ALGORITHM
from gateway.identity.secrets import hashed, matches
from gateway.identity.tokens import PARTNER_CLAIM, PLAN_CLAIM, SHOPS_CLAIM

_NOBODY: Final = hashed(secrets.token_hex(32))  # compared with when the client id is unknown: the same time
AUTH_METHODS: Final = ["client_secret_basic", "client_secret_post"]


class TokenRequest(Struct, frozen=True):
    """A token request as it came: form members (each at least once) and the Authorization field, or None."""

    form: Mapping[str, list[str]]
    authorization: str | None

    def claimed_client_id(self) -> str:
        """The client id that the request claims, from either method; empty when there is none."""
        return (self.basic() or ("", ""))[0] if self.authorization else self.form.get("client_id", [""])[0]

    def basic(self) -> tuple[str, str] | None:
        """Basic credentials, form-decoded as RFC 6749 section 2.3.1 wants; None when they cannot be read."""
        scheme, _, value = (self.authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return None
        name, colon, password = text.partition(":")
        return (unquote_plus(name), unquote_plus(password)) if colon else None


class TokenAnswer(Struct, frozen=True):
    """What the core decided; `client` is set when a token was issued and has to be committed."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    client: Client | None = None


class _Payload(OAuth2Payload):
    def __init__(self, form: Mapping[str, list[str]]) -> None:
        self._datalist = form
        self._data = {name: values[0] for name, values in form.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> Mapping[str, list[str]]:
        return self._datalist


class _Request(OAuth2Request):
    def __init__(self, request: TokenRequest, known: Client | None) -> None:
        # Authlib wants https; TLS ends in front of the gateway, and only the shape of this address is read.
        super().__init__("POST", "https://gateway.invalid/oauth/token", headers={})
        self.payload = _Payload(request.form)
        self.token_request = request
        self.known = known


class _Client(ClientMixin):
    """The client as Authlib asks about it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        return self.client.client_id

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method in AUTH_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == ClientCredentialsGrant.GRANT_TYPE

    def get_allowed_scope(self, scope: str | None) -> str:
        """Exactly what was asked for, or all that was granted when nothing was; never a silent part of it."""
        asked = frozenset(scope.split(" ")) if scope else self.client.scopes
        if not asked <= self.client.scopes:
            raise InvalidScopeError()
        return " ".join(sorted(asked))


class _Grant(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


class _Generator(JWTBearerTokenGenerator):
    def __init__(self, issuer: str, audience: str, key: Callable[[], ECKey], lifetime_s: int) -> None:
        super().__init__(issuer=issuer, alg=ALGORITHM, expires_generator=lifetime_s)
        self._audience = audience
        self._key = key

    def get_jwks(self) -> KeySet:
        return KeySet([self._key()])  # from a set, joserfc writes the kid into the token's header

    def get_audiences(self, client: _Client, user: object, scope: str) -> str:
        return self._audience

    def get_jti(self, client: _Client, grant_type: str, user: object, scope: str) -> str:
        return secrets.token_urlsafe(16)

    def get_extra_claims(self, client: _Client, grant_type: str, user: object, scope: str) -> dict[str, object]:
        claims: dict[str, object] = {PLAN_CLAIM: client.client.plan}
        if client.client.partner is not None:
            claims[PARTNER_CLAIM] = client.client.partner
        if client.client.shops:
            claims[SHOPS_CLAIM] = list(client.client.shops)
        return claims


class TokenIssuer(AuthorizationServer):
    """Answers token requests. issuer: our identifier. audience: what the tokens are for (the `aud` claim)."""

    def __init__(self, issuer: str, audience: str, key: Callable[[], ECKey], lifetime_s: int) -> None:
        super().__init__()
        self._audience = audience
        self.register_grant(_Grant)
        self.register_token_generator("default", _Generator(issuer, audience, key, lifetime_s))
        for method in AUTH_METHODS:
            self.register_client_auth_method(method, _authenticate(method))

    def answer(self, request: TokenRequest, known: Client | None) -> TokenAnswer:
        """Decide. known: the client that was loaded for request.claimed_client_id(), or None."""
        inner = _Request(request, known)
        try:
            self._check_form(request)
        except OAuth2Error as error:
            return cast("TokenAnswer", self.handle_error_response(inner, error))
        answer = cast("TokenAnswer", self.create_token_response(inner))
        return msgspec.structs.replace(answer, client=known) if answer.status == 200 else answer

    def _check_form(self, request: TokenRequest) -> None:
        for name, values in request.form.items():
            if len(values) > 1 and name != "resource":
                raise InvalidRequestError(f"The parameter {_printable(name)} was sent twice.")
        if not request.form.get("grant_type", [""])[0]:
            raise InvalidRequestError("The parameter grant_type is missing.")
        if request.authorization is not None and "client_secret" in request.form:
            raise InvalidRequestError("Use one way of client authentication.")
        if any(resource != self._audience for resource in request.form.get("resource", [])):
            raise OAuth2Error("This resource is not known here.", error="invalid_target")

    # What Authlib asks of a framework
    def query_client(self, client_id: str) -> None:
        """Never asked: the client was loaded before the core runs."""

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def save_token(self, token: dict[str, Any], request: _Request) -> None:
        """Nothing to keep: the token carries its claims; the shell commits the client."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """No signals."""

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> TokenAnswer:
        fields = [(name.lower().encode(), value.encode()) for name, value in headers]
        fields = [pair for pair in fields if pair[0] != b"www-authenticate"]
        if status == 401:
            fields.append((b"www-authenticate", b'Basic realm="strata", charset="UTF-8"'))
        return TokenAnswer(status, msgspec.json.encode(body), tuple(fields))


def _authenticate(method: str) -> Callable[[object, _Request], _Client | None]:
    """One way of client authentication: unknown id, wrong secret and missing secret differ in nothing outside."""

    def authenticate(query_client: object, request: _Request) -> _Client | None:
        del query_client
        sent = request.token_request
        if method == "client_secret_basic":
            credentials = sent.basic() if sent.authorization is not None else None
        elif sent.authorization is None:
            credentials = (sent.form.get("client_id", [""])[0], sent.form.get("client_secret", [""])[0])
        else:
            credentials = None
        if credentials is None:
            return None
        client_id, secret = credentials
        known = request.known
        right = matches(secret, known.secret_hash if known else _NOBODY)
        if known is None or not right or known.client_id != client_id:
            return None
        body_id = sent.form.get("client_id", [client_id])[0]
        return _Client(known) if body_id == client_id else None

    return authenticate


def _printable(text: str) -> str:
    return "".join(c for c in text[:40] if c.isalnum() or c in "_-.") or "?"
