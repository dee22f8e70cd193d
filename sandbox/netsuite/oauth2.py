"""OAuth 2.0 client credentials with a certificate-signed JWT (Oracle sections 162755359851 and 162790605110).

The assertion is checked as NetSuite documents it: RSA-PSS or ECDSA only, `kid` a mapped certificate, `iss` the client
id, `aud` the token endpoint, a life of at most 60 minutes. Access tokens are JWTs that live 60 minutes.
"""

from __future__ import annotations

import base64
import secrets as random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

from sandbox.core.http import Request, Response
from sandbox.netsuite.account import ACCOUNT, ROLE_ID, TOKEN, USER_ID
from sandbox.netsuite.credentials import M2M, Credentials
from sandbox.netsuite.oauth1 import form_pairs
from sandbox.netsuite.records import is_array, is_object

ALGORITHMS = {
    "rsa": ("PS256", "PS384", "PS512"),
    "ec": ("ES256", "ES384", "ES512"),
}
SCOPES = ("restlets", "rest_webservices", "suite_analytics")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_LIFE_S = 3600
CLOCK_SKEW_S = 60


class Refused(Exception):
    """An OAuth 2.0 error: status and `error` code; the text is for the sandbox's log."""

    def __init__(self, status: int, code: str, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.code = code


class Grant(msgspec.Struct, frozen=True):
    """What an access token allows, until a moment in Unix seconds."""

    scopes: frozenset[str]
    expires: float


class TokenService:
    """Issues and checks access tokens."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._secret = OctKey.import_key(credentials.signing_secret)
        self._checked: dict[str, Grant] = {}

    def answer(self, request: Request, now: datetime) -> Response:
        """The token endpoint."""
        try:
            body = self._grant(request, now)
        except Refused as refused:
            error = msgspec.json.encode({"error": refused.code})
            return Response(refused.status, error, [("content-type", "application/json")])
        headers = [
            ("content-type", "application/json;charset=utf-8"),
            ("cache-control", "no-store"),
            ("pragma", "no-cache"),
        ]
        return Response(200, msgspec.json.encode(body), headers)

    def _grant(self, request: Request, now: datetime) -> dict[str, str]:
        if request.method != "POST":
            raise Refused(405, "invalid_request", "the token endpoint takes POST")
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refused(400, "invalid_request", "not form-encoded")
        pairs = form_pairs(request.body.decode("latin-1"))
        form = dict(pairs)
        if len(form) != len(pairs):
            raise Refused(400, "invalid_request", "a parameter is sent twice")
        if form.get("grant_type") != "client_credentials":
            raise Refused(400, "unsupported_grant_type", f"grant type {form.get('grant_type')!r}")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            raise Refused(400, "invalid_request", "without client assertion")
        scopes = self._check_assertion(form["client_assertion"], request, now)
        claims: dict[str, Any] = {
            "sub": f"{ROLE_ID};{USER_ID}",
            "aud": [f"{ACCOUNT};{request.base_url}", self._credentials.client_id],
            "scope": sorted(scopes),
            "iss": "https://system.netsuite.com",
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + TOKEN_LIFE_S,
            "jti": random.token_hex(8),
        }
        token = jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, self._secret)
        return {"access_token": token, "expires_in": str(TOKEN_LIFE_S), "token_type": "bearer"}

    def _check_assertion(self, assertion: str, request: Request, now: datetime) -> frozenset[str]:
        claims = self._verified_claims(assertion)
        if claims.get("iss") != self._credentials.client_id:
            raise Refused(401, "invalid_client", "iss is not this client")
        audiences = claims.get("aud")
        own = {f"{request.base_url}{TOKEN}", f"https://{host_of(ACCOUNT)}.suitetalk.api.netsuite.com{TOKEN}"}
        named: Sequence[Any] = audiences if is_array(audiences) else [audiences]
        if not own & {str(audience) for audience in named}:
            raise Refused(400, "invalid_grant", f"aud {audiences!r} is not the token endpoint")
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            raise Refused(400, "invalid_grant", "without iat or exp")
        seconds = now.timestamp()
        if expires <= seconds or issued > seconds + CLOCK_SKEW_S or expires - issued > TOKEN_LIFE_S:
            raise Refused(400, "invalid_grant", "expired, from the future, or for more than 60 minutes")
        scope = claims.get("scope")
        wanted = scope if is_array(scope) else str(scope or "").replace(",", " ").split()
        scopes = frozenset(str(item) for item in wanted)
        if not scopes or not scopes <= set(SCOPES):
            raise Refused(400, "invalid_scope", f"scope {scope!r}")
        return scopes

    def _verified_claims(self, assertion: str) -> dict[str, Any]:
        try:
            header = msgspec.json.decode(_decode_part(assertion.partition(".")[0]))
        except ValueError as error:
            raise Refused(400, "invalid_grant", "the assertion is not a JWT") from error
        known = {c.certificate_id: (kind, c) for kind, c in self._credentials.certificates.items()}
        mapped = known.get(str(header.get("kid"))) if is_object(header) else None
        if mapped is None:
            raise Refused(400, "invalid_grant", "kid is no mapped certificate")
        kind, certificate = mapped
        try:
            token = jwt.decode(assertion, _public_key(kind, certificate), algorithms=ALGORITHMS[kind])
        except (JoseError, ValueError) as error:
            raise Refused(400, "invalid_grant", f"signature: {error}") from error
        return token.claims

    def check(self, token: str, now: datetime) -> Grant | None:
        """What this access token allows; None if it is unknown, forged or expired."""
        grant = self._checked.get(token)
        if grant is None:
            try:
                claims = jwt.decode(token, self._secret, algorithms=["HS256"]).claims
            except (JoseError, ValueError):
                return None
            grant = Grant(frozenset(claims["scope"]), float(claims["exp"]))
            if len(self._checked) > 1000:
                self._checked.clear()
            self._checked[token] = grant
        return grant if grant.expires > now.timestamp() else None


def host_of(account: str) -> str:
    """The account as it stands in host names."""
    return account.lower().replace("_", "-")


def _decode_part(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _public_key(kind: str, certificate: M2M) -> RSAKey | ECKey:
    public = x509.load_pem_x509_certificate(certificate.certificate_pem.encode()).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return RSAKey.import_key(pem) if kind == "rsa" else ECKey.import_key(pem)
