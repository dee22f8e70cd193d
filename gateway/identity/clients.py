"""Who may ask for tokens: OAuth clients in PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import asyncpg
from msgspec import Struct

from gateway.identity.secrets import derived, hashed, new_secret
from gateway.store import Pool


class Client(Struct, frozen=True):
    """A registered client. shops: shop subdomains it may see, empty = all."""

    client_id: str
    name: str
    secret_hash: bytes
    scopes: frozenset[str]
    plan: str
    partner: str | None
    shops: tuple[str, ...]


class ClientExistsError(Exception):
    """A client of this name is there already, and its secret was shown once."""


class ClientStore:
    """Registration and look-up. Only hashes of secrets are stored."""

    def __init__(self, pool: Pool, key: str) -> None:
        self._pool = pool
        self._key = key

    async def register(
        self,
        name: str,
        scopes: Iterable[str],
        plan: str = "standard",
        partner: str | None = None,
        shops: Iterable[str] = (),
        *,
        development: bool = False,
    ) -> tuple[str, str]:
        """Register a client; returns (client_id, client_secret).

        development: id and secret are derived from the secret key and the name, so that every start gives the same
        ones, and scopes, plan, partner and shops are brought up to date. Otherwise the secret is drawn, shown this
        once, and a second call raises ClientExistsError.
        """
        if development:
            client_id = f"dev_{name}"
            secret = new_secret(derived(self._key, "development client", name))
        else:
            client_id, secret = f"client_{secrets.token_hex(12)}", new_secret()
        values = (client_id, name, hashed(secret), sorted(scopes), plan, partner, list(shops), development)
        try:
            await self._pool.execute(_UPSERT if development else _INSERT, *values)
        except asyncpg.UniqueViolationError:
            raise ClientExistsError(name) from None
        return client_id, secret

    async def load(self, client_id: str) -> Client | None:
        """The active client of that id. Raises asyncpg and OS errors when the database is away."""
        row = await self._pool.fetchrow(
            "SELECT client_id, name, secret_hash, scopes, plan, partner, shops"
            " FROM gateway.oauth_clients WHERE client_id = $1 AND active",
            client_id,
        )
        if row is None:
            return None
        return Client(
            client_id=row["client_id"],
            name=row["name"],
            secret_hash=bytes(row["secret_hash"]),
            scopes=frozenset(row["scopes"]),
            plan=row["plan"],
            partner=row["partner"],
            shops=tuple(row["shops"]),
        )

    async def commit_token(self, client: Client) -> bool:
        """Note that a token is about to be handed out; False when the client changed since it was loaded."""
        status = await self._pool.execute(
            "UPDATE gateway.oauth_clients SET last_token_at = now()"
            " WHERE client_id = $1 AND active AND secret_hash = $2 AND scopes @> $3 AND scopes <@ $3"
            " AND plan = $4 AND partner IS NOT DISTINCT FROM $5 AND shops = $6",
            client.client_id,
            client.secret_hash,
            sorted(client.scopes),
            client.plan,
            client.partner,
            list(client.shops),
        )
        return status == "UPDATE 1"


_INSERT = (
    "INSERT INTO gateway.oauth_clients (client_id, name, secret_hash, scopes, plan, partner, shops, development)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_UPSERT = (
    _INSERT + " ON CONFLICT (client_id) DO UPDATE SET secret_hash = excluded.secret_hash, scopes = excluded.scopes,"
    " plan = excluded.plan, partner = excluded.partner, shops = excluded.shops, active = true"
)
