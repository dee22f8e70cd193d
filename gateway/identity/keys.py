"""Signing keys: in PostgreSQL, shared by all gateways, private halves encrypted; public halves cached in memory."""

from __future__ import annotations

import time
from typing import cast

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from joserfc.jwk import ECKey, KeySet

from gateway.core.route import ConfigurationError
from gateway.store import DATABASE_ERRORS, Pool

ALGORITHM = "ES256"
_LOCK = 0x5354_5241_5441_4B59  # "STRATAKY": one gateway makes the first key
_REFRESH_S = 30.0


class SigningKeys:
    """The key set of this installation.

    Verification keeps working while the database is away: the keys stay in memory. An unknown `kid` asks the
    database again, at most once in 30 s whatever the callers send (security catalogue B04).
    """

    def __init__(self, pool: Pool, secret_key: str) -> None:
        self._pool = pool
        self._fernet = Fernet(secret_key)
        self._public: dict[str, ECKey] = {}
        self._signing: ECKey | None = None
        self._next_refresh = 0.0

    async def start(self) -> None:
        """Load the keys, making the first one if there is none. Raises ConfigurationError for a wrong secret key."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM gateway.signing_keys)"):
                key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)
                private = msgspec.json.encode(key.as_dict(private=True))
                await connection.execute(
                    "INSERT INTO gateway.signing_keys (kid, algorithm, public_jwk, private) VALUES ($1, $2, $3, $4)",
                    key.kid,
                    ALGORITHM,
                    msgspec.json.encode(key.as_dict(private=False)).decode(),
                    self._fernet.encrypt(private),
                )
        await self._load()

    async def _load(self) -> None:
        rows = await self._pool.fetch("SELECT kid, private FROM gateway.signing_keys ORDER BY created_at, kid")
        public: dict[str, ECKey] = {}
        signing: ECKey | None = None
        for row in rows:
            try:
                private = self._fernet.decrypt(bytes(row["private"]))
            except InvalidToken:
                raise ConfigurationError(
                    "STRATA_SECRET_KEY: does not open the signing keys of this database; use the key that made them"
                ) from None
            signing = ECKey.import_key(msgspec.json.decode(private, type=dict[str, str | list[str]]))
            public[cast("str", row["kid"])] = ECKey.import_key(signing.as_dict(private=False))
        self._public, self._signing = public, signing
        self._next_refresh = time.monotonic() + _REFRESH_S

    @property
    def signing(self) -> ECKey:
        """The key that new tokens are signed with."""
        if self._signing is None:
            raise LookupError("SigningKeys.start() was not awaited")
        return self._signing

    async def find(self, kid: str) -> ECKey | None:
        """The public key of a `kid`, or None. Never raises: an absent database means that the kid stays unknown."""
        key = self._public.get(kid)
        if key is not None or time.monotonic() < self._next_refresh:
            return key
        self._next_refresh = time.monotonic() + _REFRESH_S
        try:
            await self._load()
        except (*DATABASE_ERRORS, ConfigurationError):
            return None
        return self._public.get(kid)

    def jwks(self) -> bytes:
        """The public key set (RFC 7517), without private members."""
        return msgspec.json.encode(KeySet(list(self._public.values())).as_dict(private=False))
