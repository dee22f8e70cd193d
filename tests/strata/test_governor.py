"""The governor: never more leases than the limit, oldest first, and none lost for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from strata import governor as governors
from strata.errors import StoreUnavailable, Throttled
from strata.governor import Governor

ACCOUNT = "netsuite:TEST"


@pytest.fixture
async def pool(postgres_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=8) as made:
        await governors.migrate(made)
        yield made


@pytest.fixture
async def governor(pool: asyncpg.Pool) -> AsyncIterator[Governor]:
    made = Governor(pool, beat_s=0.1, dead_after_s=1.0)
    yield made
    await made.close()


@pytest.fixture
async def other(pool: asyncpg.Pool) -> AsyncIterator[Governor]:
    made = Governor(pool, beat_s=0.1, dead_after_s=1.0)
    yield made
    await made.close()


@pytest.fixture
async def wakes_later(pool: asyncpg.Pool) -> AsyncIterator[Governor]:
    made = Governor(pool, beat_s=0.7, dead_after_s=1.0)
    yield made
    await made.close()


async def queued(governor: Governor, tickets: int) -> None:
    """Wait until so many tickets wait in the database."""
    async with asyncio.timeout(10):
        while (await governor.usage())[ACCOUNT][1] != tickets:  # noqa: ASYNC110  # the database is asked
            await asyncio.sleep(0.005)


class TestLimit:
    async def test_no_more_than_the_limit_are_held_at_once_over_two_processes(
        self, governor: Governor, other: Governor
    ) -> None:
        held = highest = 0

        async def call(mine: Governor) -> None:
            nonlocal held, highest
            async with mine.lease(ACCOUNT, limit=3, wait_s=10):
                held += 1
                highest = max(highest, held)
                await asyncio.sleep(0.003)
                held -= 1

        await asyncio.gather(*(call(mine) for _ in range(40) for mine in (governor, other)))
        assert highest == 3

    async def test_accounts_do_not_share_their_places(self, governor: Governor) -> None:
        async with governor.lease("a", limit=1, wait_s=1), governor.lease("b", limit=1, wait_s=1):
            assert await governor.usage() == {"a": (1, 0), "b": (1, 0)}

    async def test_a_lease_is_given_back_when_the_block_fails(self, governor: Governor) -> None:
        with pytest.raises(ValueError, match="boom"):
            async with governor.lease(ACCOUNT, limit=1, wait_s=1):
                raise ValueError("boom")
        async with governor.lease(ACCOUNT, limit=1, wait_s=1):
            pass


class TestWaiting:
    async def test_the_oldest_ticket_is_served_first_whichever_process_it_is_of(
        self, governor: Governor, other: Governor
    ) -> None:
        served: list[int] = []

        async def call(mine: Governor, number: int) -> None:
            async with mine.lease(ACCOUNT, limit=1, wait_s=10):
                served.append(number)

        async with governor.lease(ACCOUNT, limit=1, wait_s=1):
            tasks: list[asyncio.Task[None]] = []
            for number in range(8):
                tasks.append(asyncio.create_task(call((governor, other)[number % 2], number)))
                await queued(governor, number + 1)
        await asyncio.gather(*tasks)
        assert served == list(range(8))

    async def test_waiting_too_long_is_throttled_with_a_hint_and_leaves_no_ticket(self, governor: Governor) -> None:
        async with governor.lease(ACCOUNT, limit=1, wait_s=1):
            with pytest.raises(Throttled) as caught:
                async with governor.lease(ACCOUNT, limit=1, wait_s=0.05):
                    pytest.fail("two leases under a limit of one")
            assert caught.value.retry_after_s is not None
            await asyncio.sleep(0.05)
            assert await governor.usage() == {ACCOUNT: (1, 0)}

    async def test_a_cancelled_waiter_leaves_its_place_in_the_queue_to_the_next(self, governor: Governor) -> None:
        async def call() -> str:
            async with governor.lease(ACCOUNT, limit=1, wait_s=5):
                return "served"

        async with governor.lease(ACCOUNT, limit=1, wait_s=1):
            first, second = asyncio.create_task(call()), asyncio.create_task(call())
            await asyncio.sleep(0.05)
            first.cancel()
        assert await second == "served"

    async def test_more_waiters_than_tickets_in_the_database_are_all_served_in_order(self, governor: Governor) -> None:
        served: list[int] = []

        async def call(number: int) -> None:
            async with governor.lease(ACCOUNT, limit=2, wait_s=10):
                served.append(number)

        await asyncio.gather(*(call(number) for number in range(100)))
        assert served == sorted(served)
        assert len(served) == 100


class TestUnknownOutcome:
    async def test_a_kept_lease_stays_taken_until_the_server_limit(self, governor: Governor, other: Governor) -> None:
        start = time.monotonic()
        async with governor.lease(ACCOUNT, limit=1, server_limit_s=0.8, wait_s=1) as lease:
            await lease.keep_until_limit()
        async with other.lease(ACCOUNT, limit=1, wait_s=5):
            assert 0.75 < time.monotonic() - start < 2.0

    async def test_it_stays_taken_when_its_process_ends(self, governor: Governor, other: Governor) -> None:
        start = time.monotonic()
        async with governor.lease(ACCOUNT, limit=1, server_limit_s=0.8, wait_s=1) as lease:
            await lease.keep_until_limit()
        await governor.close()
        async with other.lease(ACCOUNT, limit=1, wait_s=5):
            assert time.monotonic() - start > 0.75


class TestDeath:
    async def test_leases_of_a_silent_process_are_free_within_seconds(
        self, governor: Governor, pool: asyncpg.Pool
    ) -> None:
        dead = "11111111-1111-1111-1111-111111111111"
        await pool.execute("SELECT governor.beat($1, interval '1 s')", dead)
        await pool.execute(
            "INSERT INTO governor.lease (id, account, process, cap, queued_at, granted_at) "
            "SELECT gen_random_uuid(), $1, $2, 2, now(), now() FROM generate_series(1, 2)",
            ACCOUNT,
            dead,
        )
        start = time.monotonic()
        async with governor.lease(ACCOUNT, limit=2, wait_s=10):
            assert 0.5 < time.monotonic() - start < 3.0

    async def test_a_clean_end_gives_everything_back_at_once(self, governor: Governor, other: Governor) -> None:
        taken = governor.lease(ACCOUNT, limit=1, wait_s=1)
        await taken.__aenter__()
        await governor.close()
        async with other.lease(ACCOUNT, limit=1, wait_s=0.5):
            pass


class TestStandstill:
    async def test_after_everything_stood_still_who_wakes_first_takes_nobody_for_dead(
        self, other: Governor, wakes_later: Governor, pool: asyncpg.Pool
    ) -> None:
        async with other.lease("warm", limit=1, wait_s=1):
            await asyncio.sleep(0.8)
        async with wakes_later.lease(ACCOUNT, limit=1, wait_s=1):
            await pool.execute("UPDATE governor.process SET alive_until = clock_timestamp() - interval '5 s'")
            with pytest.raises(Throttled):
                async with other.lease(ACCOUNT, limit=1, wait_s=0.4):
                    pytest.fail("two leases under a limit of one")


class TestDatabaseTrouble:
    async def test_a_cut_connection_is_mended_and_held_leases_still_count(
        self, governor: Governor, other: Governor, pool: asyncpg.Pool
    ) -> None:
        async with governor.lease(ACCOUNT, limit=1, wait_s=1):
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE '%governor.%' "
                "AND pid <> pg_backend_pid() AND datname = current_database()"
            )
            with pytest.raises(Throttled):
                async with other.lease(ACCOUNT, limit=1, wait_s=0.5):
                    pytest.fail("two leases under a limit of one")
        async with other.lease(ACCOUNT, limit=1, wait_s=5):
            pass

    async def test_a_lease_that_the_database_lost_is_put_back(
        self, governor: Governor, other: Governor, pool: asyncpg.Pool
    ) -> None:
        async with governor.lease(ACCOUNT, limit=1, wait_s=1):
            await pool.execute("TRUNCATE governor.lease, governor.process")
            await asyncio.sleep(0.3)
            with pytest.raises(Throttled):
                async with other.lease(ACCOUNT, limit=1, wait_s=0.3):
                    pytest.fail("two leases under a limit of one")

    async def test_without_a_database_it_says_that_the_store_does_not_answer(self) -> None:
        pool = await asyncpg.create_pool("postgresql://postgres@127.0.0.1:1/none", min_size=0)
        governor = Governor(pool)
        with pytest.raises(StoreUnavailable):
            async with governor.lease(ACCOUNT, wait_s=5):
                pytest.fail("a lease without a database")
        await governor.close()

    async def test_tables_that_are_not_there_are_told_at_once(self, postgres_url: str) -> None:
        async with asyncpg.create_pool(postgres_url, min_size=1, max_size=2) as pool:
            governor = Governor(pool)
            with pytest.raises(StoreUnavailable):
                async with governor.lease(ACCOUNT, wait_s=5):
                    pytest.fail("a lease without tables")
            await governor.close()

    async def test_who_waits_when_the_governor_is_closed_is_told(self, governor: Governor) -> None:
        async def wait() -> None:
            async with governor.lease(ACCOUNT, limit=1, wait_s=30):
                pytest.fail("a lease from a closed governor")

        async with governor.lease(ACCOUNT, limit=1, wait_s=1):
            waiting = asyncio.create_task(wait())
            await queued(governor, 1)
            await governor.close()
            with pytest.raises(StoreUnavailable):
                await waiting
