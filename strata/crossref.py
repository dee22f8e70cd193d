"""Which record of one system is which of another (contract C14). The first link that is written stays."""

from __future__ import annotations

import asyncpg


class CrossRef:
    """Links from a source's record to a target's. `kind` says what and where, e.g. `customer:erp`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def get(self, kind: str, source: str) -> str | None:
        """The target linked to a source, or None."""
        target = await self._pool.fetchval(
            "SELECT target FROM strata.crossref WHERE kind = $1 AND source = $2", kind, source
        )
        return None if target is None else str(target)

    async def put(self, kind: str, source: str, target: str, *, by: str) -> str:
        """Link them, and answer the target that is linked now: an earlier link wins."""
        kept = await self._pool.fetchval(
            "INSERT INTO strata.crossref (kind, source, target, by_whom) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (kind, source) DO UPDATE SET target = strata.crossref.target RETURNING target",
            kind,
            source,
            target,
            by,
        )
        return str(kept)

    async def replace(self, kind: str, source: str, target: str, *, by: str) -> None:
        """Link them even where another link stands: for merges decided by a person, or a target that is gone."""
        await self._pool.execute(
            "INSERT INTO strata.crossref (kind, source, target, by_whom) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (kind, source) DO UPDATE SET target = excluded.target, by_whom = excluded.by_whom, at = now()",
            kind,
            source,
            target,
            by,
        )
