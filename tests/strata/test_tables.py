"""Lookup tables: versions that never change, checked before they count, with who and why."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec import Struct

from strata import store
from strata.crossref import CrossRef
from strata.errors import Conflict, Invalid, NotFound
from strata.runtime import MIGRATIONS
from strata.tables import Table, Tables


class Row(Struct, frozen=True):
    shop: str
    entity: str
    rank: int = 0


ROUTING = Table("routing", Row, (Row("us", "2"),), "Where orders go")


@pytest.fixture
async def pool(postgres_url: str) -> AsyncIterator[asyncpg.Pool]:
    made = await store.connect(postgres_url, size=3)
    await store.migrate(made, "strata", MIGRATIONS)
    yield made
    await made.close()


@pytest.fixture
def tables(pool: asyncpg.Pool) -> Tables:
    made = Tables(pool)
    made.declare(ROUTING)
    return made


class TestVersions:
    async def test_before_anybody_changed_it_the_defaults_count_as_version_0(self, tables: Tables) -> None:
        rows = await tables.rows(ROUTING)
        assert (rows.version, rows.rows) == (0, ROUTING.defaults)

    async def test_a_new_version_counts_at_once_for_who_put_it(self, tables: Tables) -> None:
        await tables.rows(ROUTING)
        assert await tables.put("routing", [{"shop": "eu", "entity": "3"}], by="ann", why="new shop") == 1
        rows = await tables.rows(ROUTING)
        assert (rows.version, rows.rows) == (1, (Row("eu", "3"),))

    async def test_the_history_tells_who_and_why_newest_first(self, tables: Tables) -> None:
        await tables.put("routing", [], by="ann", why="cleared")
        await tables.put("routing", [{"shop": "eu", "entity": "3"}], by="bob", why="new shop")
        history = await tables.history("routing")
        assert [(h.version, h.by, h.why, h.rows) for h in history] == [
            (2, "bob", "new shop", 1),
            (1, "ann", "cleared", 0),
        ]

    @pytest.mark.parametrize(
        ("rows", "pointer"),
        [
            ([{"shop": "eu"}], "/0"),
            ([{"shop": "eu", "entity": 3}], "/0"),
            ([{"shop": "us", "entity": "2"}, {"shop": "eu", "entity": "3", "colour": "red"}], "/1/colour"),
        ],
    )
    async def test_rows_that_do_not_fit_change_nothing(self, tables: Tables, rows: object, pointer: str) -> None:
        with pytest.raises(Invalid) as failure:
            await tables.put("routing", rows, by="ann", why="oops")
        assert failure.value.errors[0].pointer == pointer
        assert (await tables.rows(ROUTING, fresh=True)).version == 0

    async def test_of_two_who_changed_the_same_version_the_second_is_told(self, tables: Tables) -> None:
        await tables.put("routing", [], by="ann", why="first", expected_version=0)
        with pytest.raises(Conflict):
            await tables.put("routing", [], by="bob", why="second", expected_version=0)

    async def test_an_unknown_table_is_not_found(self, tables: Tables) -> None:
        with pytest.raises(NotFound):
            await tables.put("rooting", [], by="ann", why="typo")


class TestCrossRef:
    async def test_the_first_link_stays(self, pool: asyncpg.Pool) -> None:
        links = CrossRef(pool)
        assert await links.get("customer:erp", "sh:us:customer:1") is None
        assert await links.put("customer:erp", "sh:us:customer:1", "107", by="test") == "107"
        assert await links.put("customer:erp", "sh:us:customer:1", "999", by="test") == "107"
        assert await links.get("customer:erp", "sh:us:customer:1") == "107"

    async def test_a_person_may_replace_a_link(self, pool: asyncpg.Pool) -> None:
        links = CrossRef(pool)
        await links.put("customer:erp", "a", "1", by="test")
        await links.replace("customer:erp", "a", "2", by="ann")
        assert await links.get("customer:erp", "a") == "2"


class TestMigrations:
    async def test_running_them_again_changes_nothing(self, pool: asyncpg.Pool) -> None:
        assert await store.migrate(pool, "strata", MIGRATIONS) == len(store.numbered(MIGRATIONS))
