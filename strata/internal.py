"""Who of our own services calls: one signed token for each caller and audience, cached; and the caller's identity.

In process the caller travels in the ASGI scope. Over the network it is a token signed with a key derived from
`settings.secret_key`, and the identity of the outside caller travels beside it, trusted because the token is.
"""

from __future__ import annotations

import base64
import time
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from strata.errors import Unauthenticated
from strata.identity import Identity

TOKEN_HEADER = b"strata-service-token"
IDENTITY_HEADER = b"strata-identity"
TIMEOUT_HEADER = b"strata-timeout-ms"
CALLER_STATE = "strata.caller"
"""Key of the calling service's name in an ASGI scope's `state`, for calls within one process."""

_LIFE_S = 300
_LEEWAY_S = 30


def derived_key(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose, derived from the secret of the installation (RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"strata:{purpose}".encode()).derive(
        secret.encode()
    )


class ServiceTokens:
    """Signs and verifies internal tokens. Without a secret it signs nothing and refuses all."""

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(derived_key(secret, "internal-token")) if secret else None
        self._signed: dict[tuple[str, str], tuple[float, str]] = {}
        self._verified: dict[tuple[str, str], tuple[float, str]] = {}

    def sign(self, caller: str, audience: str) -> str:
        """A token that `caller` shows to `audience`; the same one for some minutes."""
        if self._key is None:
            raise Unauthenticated("No secret key is set, so internal calls over the network are not possible")
        now = time.time()
        kept = self._signed.get((caller, audience))
        if kept is not None and kept[0] > now + 60:
            return kept[1]
        claims = {"iss": caller, "aud": audience, "iat": int(now), "exp": int(now) + _LIFE_S}
        token = jwt.encode({"alg": "HS256", "typ": "strata-service+jwt"}, claims, self._key)
        self._signed[caller, audience] = (now + _LIFE_S, token)
        return token

    def verify(self, token: str, audience: str) -> str:
        """The caller that a token names. Raises Unauthenticated for anything but a good token for this audience."""
        now = time.time()
        kept = self._verified.get((token, audience))
        if kept is not None and kept[0] > now:
            return kept[1]
        if self._key is None:
            raise Unauthenticated("Internal calls over the network are not set up here")
        try:
            decoded = jwt.decode(token, self._key, algorithms=["HS256"])
        except (JoseError, ValueError) as error:
            raise Unauthenticated("The internal token is not good") from error
        claims: dict[str, Any] = decoded.claims
        expires = claims.get("exp")
        if (
            decoded.header.get("typ") != "strata-service+jwt"
            or claims.get("aud") != audience
            or not isinstance(expires, int)
            or expires + _LEEWAY_S < now
        ):
            raise Unauthenticated("The internal token is not for this service, or is too old")
        caller = str(claims.get("iss", ""))
        if len(self._verified) > 1000:
            self._verified.clear()
        self._verified[token, audience] = (min(expires, now + 60), caller)
        return caller


def pack_identity(identity: Identity) -> bytes:
    """The identity as a header value."""
    return base64.urlsafe_b64encode(msgspec.json.encode(identity))


def unpack_identity(value: bytes) -> Identity:
    """The identity of a header value. Raises Unauthenticated when it is not one."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(value), type=Identity)
    except (ValueError, msgspec.DecodeError) as error:
        raise Unauthenticated("The identity that came with the internal call cannot be read") from error
