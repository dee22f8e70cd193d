"""Access tokens (RFC 9068): verified strictly, once, then remembered for a while."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NoReturn, cast

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from msgspec import Struct

from gateway.identity.keys import ALGORITHM, SigningKeys
from strata.identity import Identity

PLAN_CLAIM: Final = "strata_plan"
PARTNER_CLAIM: Final = "strata_partner"
SHOPS_CLAIM: Final = "strata_shops"

# 86 characters hold 64 bytes and four bits that have to be zero: one token has one spelling
_COMPACT: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]")
_TYPES: Final = ("at+jwt", "application/at+jwt")  # a tuple: what is compared may be unhashable
_HEADER: Final = frozenset(("alg", "typ", "kid"))
_MAX_BYTES: Final = 8_192
_MAX_DEPTH: Final = 8


class InvalidTokenError(Exception):
    """The token is refused. The reason is for the log, never for the caller (security catalogue B)."""


class _Claims(Struct, frozen=True):
    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: int
    iat: int
    jti: str
    client_id: str
    scope: str = ""
    nbf: int | None = None
    strata_plan: str = ""
    strata_partner: str | None = None
    strata_shops: tuple[str, ...] = ()


class TokenVerifier:
    """Bytes of a token -> Identity.

    Verified tokens are remembered under their SHA-256, at most `cache_size` of them (the least recently used goes
    first) and each for min(exp, cache_s); no refused token is remembered.
    """

    def __init__(
        self,
        keys: SigningKeys,
        issuer: str,
        audience: str,
        *,
        max_lifetime_s: int,
        skew_s: int,
        cache_size: int,
        cache_s: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._max_lifetime_s = max_lifetime_s
        self._skew_s = skew_s
        self._cache: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()
        self._cache_size = cache_size
        self._cache_s = cache_s
        self._now = now
        self.hits = 0
        self.misses = 0

    async def identity(self, token: bytes) -> Identity:
        """Who the token names. Raises InvalidTokenError."""
        fingerprint = hashlib.sha256(token).digest()
        known = self._cache.get(fingerprint)
        if known is not None:
            if self._now() < known[1]:
                self._cache.move_to_end(fingerprint)
                self.hits += 1
                return known[0]
            del self._cache[fingerprint]
        self.misses += 1
        claims = await self._verify(token)
        identity = Identity(
            subject=claims.sub,
            client_id=claims.client_id,
            scopes=frozenset(claims.scope.split(" ")) - {""},
            plan=claims.strata_plan,
            partner=claims.strata_partner,
            shops=claims.strata_shops,
        )
        self._cache[fingerprint] = (identity, min(claims.exp, self._now() + self._cache_s))
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
        return identity

    async def _verify(self, token: bytes) -> _Claims:
        if len(token) > _MAX_BYTES or _COMPACT.fullmatch(token) is None:
            _refuse("form")
        header = _object(token.partition(b".")[0])
        if header.get("alg") != ALGORITHM or header.get("typ") not in _TYPES or not header.keys() <= _HEADER:
            _refuse("header")
        kid = header.get("kid")
        if not isinstance(kid, str):
            _refuse("kid")
        key = await self._keys.find(kid)
        if key is None:
            _refuse("unknown kid")
        try:
            verified = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError):
            _refuse("signature")
        _strict(verified.payload)
        try:
            claims = _DECODER.decode(verified.payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            _refuse("claims")
        self._check(claims)
        return claims

    def _check(self, claims: _Claims) -> None:
        now = self._now()
        if claims.iss != self._issuer:
            _refuse("iss")
        if claims.aud not in (self._audience, (self._audience,)):
            _refuse("aud")
        if claims.exp <= now:
            _refuse("expired")
        if claims.iat > now + self._skew_s or (claims.nbf or 0) > now + self._skew_s:
            _refuse("not yet valid")
        if not 0 < claims.exp - claims.iat <= self._max_lifetime_s:
            _refuse("lifetime")


_DECODER: Final = msgspec.json.Decoder(_Claims, strict=True)


def _refuse(reason: str) -> NoReturn:
    raise InvalidTokenError(reason)


def _object(segment: bytes) -> dict[str, object]:
    """A base64url segment as a JSON object; refused unless it is the canonical spelling of its bytes."""
    text = segment + b"=" * (-len(segment) % 4)
    try:
        raw = base64.urlsafe_b64decode(text)
    except ValueError:
        _refuse("base64url")
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != segment:
        _refuse("base64url")
    return _strict(raw)


def _strict(raw: bytes) -> dict[str, object]:
    """A JSON object without duplicate members, NaN or depth."""
    if raw.count(b"[") + raw.count(b"{") > _MAX_DEPTH:
        _refuse("depth")
    try:
        value: object = json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        _refuse("JSON")
    if not isinstance(value, dict):
        _refuse("JSON")
    return cast("dict[str, object]", value)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("duplicate member")
    return found
