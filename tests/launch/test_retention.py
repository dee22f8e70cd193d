"""What ended long ago is deleted by itself, each kind after its own time."""

from __future__ import annotations

import asyncio

import pytest

from strata.durable import InboundEvent, Journal, Subscription
from strata.errors import Invalid
from strata.launch.retention import retain
from strata.settings import Settings, load

DAY_S = 86_400
EVENT = InboundEvent(source="s", delivery_id="1", type="t", subject="order:1", body=b"{}")


async def rows(journal: Journal) -> tuple[int, int]:
    [row] = await journal.call("SELECT (SELECT count(*) FROM durable.inbox), (SELECT count(*) FROM durable.run)")
    return row[0], row[1]


async def reaches(journal: Journal, wanted: tuple[int, int]) -> None:
    async with asyncio.timeout(10):
        while await rows(journal) != wanted:  # noqa: ASYNC110  # the state is in the database
            await asyncio.sleep(0.02)


async def test_events_go_after_their_time_and_runs_after_theirs(postgres_url: str) -> None:
    async with await Journal.open(postgres_url) as journal:
        await journal.migrate()
        await journal.subscribe([Subscription(event="t", process="p")])
        received = await journal.receive(EVENT)
        await journal.discard(received.runs[0], by="ann", why="a test")
        retaining = asyncio.create_task(retain(journal, Settings(), every_s=0.02))
        await journal.advance_clock(6 * DAY_S)
        await asyncio.sleep(0.2)
        assert await rows(journal) == (1, 1)
        await journal.advance_clock(2 * DAY_S)
        await reaches(journal, (0, 1))
        await journal.advance_clock(23 * DAY_S)
        await reaches(journal, (0, 0))
        retaining.cancel()


async def test_a_database_that_is_away_does_not_end_it() -> None:
    async with await Journal.open("postgresql://postgres@127.0.0.1:1/none", patience_s=0) as journal:
        retaining = asyncio.create_task(retain(journal, Settings(), every_s=0.01))
        await asyncio.sleep(0.2)
        assert not retaining.done()
        retaining.cancel()


@pytest.mark.parametrize("name", ["STRATA_KEEP_RUNS_DAYS", "STRATA_KEEP_EVENTS_DAYS"])
def test_a_time_so_short_that_redeliveries_would_count_twice_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match=name):
        load({name: "0.5"})
