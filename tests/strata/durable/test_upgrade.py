"""The journal's own schema changes under runs in flight, old and new workers side by side (contract point 14)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from strata.durable import At, Journal, Run, store

# What a later release may do: new columns, a new index, a new table, and a replaced function with the same arguments.
NEXT = """
ALTER TABLE durable.run ADD COLUMN tenant text NOT NULL DEFAULT 'main', ADD COLUMN cost numeric;
ALTER TABLE durable.step ADD COLUMN tenant text NOT NULL DEFAULT 'main';
ALTER TABLE durable.inbox ADD COLUMN tenant text NOT NULL DEFAULT 'main';
ALTER TABLE durable.backend ADD COLUMN weight int NOT NULL DEFAULT 1;
ALTER TABLE durable.worker ADD COLUMN release text;
CREATE INDEX run_tenant ON durable.run (tenant, id);
CREATE TABLE durable.tenant (name text PRIMARY KEY);
CREATE OR REPLACE FUNCTION durable.promote(p_order_key text) RETURNS void LANGUAGE sql AS $$
  UPDATE durable.run SET status = CASE WHEN next_at > durable.now() THEN 'sleeping' ELSE 'ready' END,
    updated_at = durable.now(), cost = 1
  WHERE id = (SELECT id FROM durable.run WHERE order_key = p_order_key AND status = 'queued' ORDER BY id LIMIT 1)
    AND status = 'queued'
$$;
"""


class Order(Struct, frozen=True):
    number: int


class TestUpgrade:
    async def test_runs_in_flight_outlive_a_migration(self, journal: Journal, working: Any, until: Any) -> None:
        done: list[int] = []

        async def one(at: At[None], number: int) -> int:
            await asyncio.sleep(0.02)
            return number

        async def work(run: Run[None], order: Order) -> None:
            for n in range(3):
                await run.step(one, order.number, name=f"step {n}")
            done.append(order.number)

        async def feed(first: int) -> None:
            for n in range(first, first + 60):
                await journal.start("work", f"{n}", Order(n), order_key=f"o{n % 4}")
                await asyncio.sleep(0.005)

        [*old, (last, _)] = store.migrations()
        async with working({"work": work}, capacity=8):
            feeding = asyncio.create_task(feed(0))
            await asyncio.sleep(0.15)
            assert await store.migrate(journal, [*old, (last + 1, NEXT)]) == last + 1
            await feeding
            async with working({"work": work}, capacity=8):  # the worker of the new release beside the old one
                await feed(60)
                await until(lambda: _equals(done, 120), within_s=20)
        assert sorted(done) == list(range(120))
        assert await journal.value("SELECT count(*) FROM durable.run WHERE status <> 'done'") == 0
        assert await journal.value("SELECT count(*) FROM durable.run WHERE cost = 1") > 0, "the new function was used"

    async def test_an_older_release_leaves_a_newer_schema_alone(self, journal: Journal) -> None:
        [*_, (last, _)] = store.migrations()
        await store.migrate(journal, [(last + 1, NEXT)])
        assert await journal.migrate() == last + 1
        assert (await journal.start("work", "k", Order(1))).created

    async def test_a_migration_that_fails_changes_nothing(self, journal: Journal) -> None:
        [*_, (last, _)] = store.migrations()
        with pytest.raises(Exception, match="no_such_table"):
            await store.migrate(journal, [(last + 1, "CREATE TABLE durable.half (n int); SELECT * FROM no_such_table")])
        assert await journal.value("SELECT to_regclass('durable.half')") is None
        assert await journal.migrate() == last

    def test_no_statement_depends_on_the_columns_a_later_release_adds(self) -> None:
        """A `SELECT *` outside a function breaks in a worker that is older than the schema."""
        for path in (Path(store.__file__).parent).glob("*.py"):
            assert not re.search(r"SELECT (\w\.)?\* FROM durable", path.read_text()), path.name

    def test_migrations_are_numbered_without_gap(self) -> None:
        assert [number for number, _ in store.migrations()] == list(range(1, len(store.migrations()) + 1))


async def _equals(done: list[int], wanted: int) -> bool:
    return len(done) >= wanted
