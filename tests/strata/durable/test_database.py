"""The database dies, the connection is cut after the commit was sent, the disk is full (contract point 8)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg
import pytest
from msgspec import Struct

from strata.durable import At, InboundEvent, Journal, Run, Subscription
from strata.errors import Invalid, StoreUnavailable, Transient


class Order(Struct, frozen=True):
    number: int


class Proxy:
    """Stands before the database and, when told to, lets a statement through and drops the reply and the connection."""

    def __init__(self, url: str, rng: random.Random) -> None:
        parts = urlsplit(url)
        self._socket_folder = parse_qs(parts.query).get("host", [""])[0]  # the embedded server listens on a file
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._rng = rng
        self.share = 0.0
        self.cuts = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._socket_folder:
            path = f"{self._socket_folder}/.s.PGSQL.{self._target[1]}"
            up_reader, up_writer = await asyncio.open_unix_connection(path)
        else:
            up_reader, up_writer = await asyncio.open_connection(*self._target)
        cut = asyncio.Event()

        async def upward() -> None:
            while data := await reader.read(65536):
                if self._rng.random() < self.share:
                    cut.set()
                up_writer.write(data)
            up_writer.close()

        async def downward() -> None:
            while data := await up_reader.read(65536):
                if cut.is_set():  # the server answered: it has committed; nobody will hear of it
                    self.cuts += 1
                    break
                writer.write(data)
            writer.transport.abort()
            up_writer.close()

        tasks = [asyncio.create_task(upward()), asyncio.create_task(downward())]
        self._tasks.update(tasks)
        with suppress(ConnectionError):
            await asyncio.gather(*tasks)


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[tuple[Proxy, str]]:
    parts = urlsplit(postgres_url)
    made = Proxy(postgres_url, random.Random(7))
    port = await made.open()
    yield made, urlunsplit(parts._replace(netloc=f"{parts.username or 'postgres'}@127.0.0.1:{port}", query=""))
    await made.close()


class Backend:
    """Remembers every effect per key of (run, step)."""

    def __init__(self) -> None:
        self.effects: dict[str, int] = {}
        self.unannounced = 0

    async def work(self, at: At[Any], number: int) -> int:
        if at.key in self.effects and not at.repeated:
            self.unannounced += 1
        self.effects[at.key] = self.effects.get(at.key, 0) + 1
        await asyncio.sleep(0.002)
        if number % 9 == 0 and at.attempt == 1:
            raise Transient("503")
        return number


def flow(backend: Backend) -> Callable[..., Any]:
    async def work(run: Run[None], order: Order) -> list[int]:
        await run.step(backend.work, order.number, name="one")
        await run.skip("two", "not configured")
        return [await run.step(backend.work, order.number, name="three")]

    return work


async def feed(journal: Journal, runs: int, pause_s: float) -> tuple[list[int], int]:
    """Start runs by key as a careful client does: again when the answer was StoreUnavailable."""
    acknowledged, refused = [], 0
    for n in range(runs):
        while True:
            try:
                acknowledged.append((await journal.start("work", f"{n}", Order(n), order_key=f"o{n % 10}")).run_id)
                break
            except StoreUnavailable:
                refused += 1
                await asyncio.sleep(0.1)
        await asyncio.sleep(pause_s)
    return acknowledged, refused


class TestCrashes:
    async def test_two_crashes_of_the_database_under_load_lose_nothing(
        self, server: Any, working: Any, until: Any
    ) -> None:
        async with await Journal.open(server.url, patience_s=0.2) as journal:
            await journal.migrate()
            backend = Backend()
            async with working({"work": flow(backend)}, on=journal):
                feeding = asyncio.create_task(feed(journal, 150, 0.02))
                for _ in range(2):
                    await asyncio.sleep(1)
                    await asyncio.to_thread(server.crash)
                    await asyncio.sleep(0.3)
                    await asyncio.to_thread(server.restart)
                acknowledged, _ = await feeding
                assert len(set(acknowledged)) == 150

                async def done() -> bool:
                    return sum(c.n for c in await journal.counts() if c.status == "done") == 150

                await until(done, within_s=30)
            assert len(backend.effects) == 300
            assert backend.unannounced == 0

    async def test_while_it_is_away_callers_hear_so_at_once(self, server: Any) -> None:
        async with await Journal.open(server.url, patience_s=0.2) as journal:
            await journal.migrate()
            await journal.start("work", "before", Order(1))
            await asyncio.to_thread(server.crash)
            event = InboundEvent(source="s", delivery_id="1", type="t", subject="x", body=b"{}")
            began = asyncio.get_running_loop().time()
            with pytest.raises(StoreUnavailable):
                await journal.receive(event)
            assert asyncio.get_running_loop().time() - began < 2
            await asyncio.to_thread(server.restart)
            assert not (await journal.receive(event)).duplicate
            assert not (await journal.start("work", "before", Order(1))).created


class TestCutConnections:
    async def test_a_reply_lost_after_the_commit_changes_nothing(
        self, journal: Journal, proxy: tuple[Proxy, str], working: Any, until: Any
    ) -> None:
        cutting, url = proxy
        backend = Backend()
        await journal.set_clock(speed=10)
        async with await Journal.open(url, patience_s=20) as cut, working({"work": flow(backend)}, on=cut):
            cutting.share = 0.06
            acknowledged, _ = await feed(cut, 120, 0.005)

            async def done() -> bool:
                return sum(c.n for c in await journal.counts() if c.status == "done") == 120

            await until(done, within_s=40)
            cutting.share = 0.0
        assert cutting.cuts > 20
        assert len(set(acknowledged)) == 120
        assert len(backend.effects) == 240
        repeated = sum(n - 1 for n in backend.effects.values())
        failed = len([n for n in range(120) if n % 9 == 0]) * 2
        assert repeated == failed, "no step ran again because a reply was lost"
        assert backend.unannounced == 0
        assert await journal.value("SELECT max(attempt) FROM durable.step") == 2

    async def test_every_action_is_safe_to_repeat(
        self, journal: Journal, proxy: tuple[Proxy, str], working: Any, item: Any
    ) -> None:
        cutting, url = proxy

        async def refused(at: At[None], number: int) -> int:
            raise Invalid("bad")

        async def work(run: Run[None], order: Order) -> int:
            return await run.step(refused, order.number)

        runs = [(await journal.start("work", f"{n}", Order(n))).run_id for n in range(40)]
        async with working({"work": work}):
            for run in runs:
                await item(run, "dead")
        async with await Journal.open(url, patience_s=20) as cut:
            await cut.subscribe([Subscription(event="t", process="other", on_existing="again")])
            cutting.share = 0.12
            for run in runs[:10]:
                await cut.retry(run, by="ann", why="r")
            for run in runs[10:20]:
                await cut.edit(run, Order(1), by="ann", why="e")
            for run in runs[20:30]:
                await cut.skip_step(run, "refused", 7, by="ann", why="s")
            for run in runs[30:]:
                await cut.discard(run, by="ann", why="d")
            for n in range(10):
                await cut.receive(
                    InboundEvent(source="s", delivery_id=f"{n}", type="t", subject=f"x{n % 3}", body=b"{}")
                )
            await cut.pause("b", by="ann", why="p")
            cutting.share = 0.0
        assert cutting.cuts > 10
        details = [await journal.get_item(run) for run in runs]
        assert [d.item.status for d in details] == ["ready"] * 30 + ["discarded"] * 10
        assert [len(d.audit) for d in details] == [1] * 40, "each thing was done once"
        signals = await journal.value("SELECT count(*) FROM durable.signal")
        assert (signals, await journal.value("SELECT count(*) FROM durable.inbox")) == (7, 10)


class TestFullDisk:
    async def test_a_full_disk_refuses_and_recovers(self, journal: Journal, working: Any, until: Any) -> None:
        """The server answers 53100 (disk_full) to writes, as it does when a table cannot be extended."""
        backend = Backend()
        async with working({"work": flow(backend)}):
            for n in range(20):
                await journal.start("work", f"{n}", Order(n))
            async with journal.connection() as connection:
                await connection.execute(
                    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
                    " 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;"
                    "CREATE TRIGGER full_disk BEFORE INSERT ON durable.run FOR EACH ROW EXECUTE FUNCTION full_disk();"
                    "CREATE TRIGGER full_disk BEFORE INSERT ON durable.step FOR EACH ROW EXECUTE FUNCTION full_disk()"
                )
                with pytest.raises(StoreUnavailable):
                    await journal.start("work", "full", Order(99))
                await asyncio.sleep(0.5)
                await connection.execute("DROP FUNCTION full_disk() CASCADE")
            await journal.start("work", "full", Order(99))

            async def done() -> bool:
                return sum(c.n for c in await journal.counts() if c.status == "done") == 21

            await until(done)
        assert len(backend.effects) == 42
        assert backend.unannounced == 0


class TestPoisonedStatements:
    async def test_a_value_postgres_refuses_stops_its_own_run_only(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        """Each write is a transaction of its own, so there is nobody in the same boat."""

        async def poisons(at: At[None], number: int) -> str:
            return "\x00 \ud800" if number == 0 else "fine"

        async def work(run: Run[None], order: Order) -> str:
            run.note(label="a NUL \x00 in the label", lone="x")
            return await run.step(poisons, order.number)

        runs = [(await journal.start("work", f"{n}", Order(n))).run_id for n in range(10)]
        async with working({"work": work}):
            for run in runs[1:]:
                await item(run, "done")
            found = await item(runs[0], "dead")
        assert found.failure_class == "P"

    async def test_an_error_text_that_cannot_be_stored_is_kept_as_far_as_it_can(
        self, journal: Journal, working: Any, item: Any
    ) -> None:
        async def work(run: Run[None], order: Order) -> str:
            raise ValueError("a \x00 b \ud800 c") if order.number else Invalid("a \x00 b \ud800 c")

        runs = [(await journal.start("work", f"{n}", Order(n))).run_id for n in range(2)]
        async with working({"work": work}):
            for run in runs:
                assert "a  b ? c" in ((await item(run, "dead")).reason or "")


class TestUnreachable:
    async def test_a_worker_that_starts_before_its_database_waits_for_it(
        self, server: Any, working: Any, until: Any
    ) -> None:
        async with await Journal.open(server.url, patience_s=0.2) as journal:
            await journal.migrate()
            run = await journal.start("work", "1", Order(1))
            await asyncio.to_thread(server.crash)
            backend = Backend()

            async def done() -> bool:
                return bool(backend.effects) and (await journal.get_item(run.run_id)).item.status == "done"

            async def later() -> None:
                await asyncio.sleep(0.5)
                await asyncio.to_thread(server.restart)

            restarting = asyncio.create_task(later())
            async with working({"work": flow(backend)}, on=journal):
                await until(done)
            await restarting

    async def test_a_database_that_is_not_there_is_told_as_what_it_is(self, postgres_url: str) -> None:
        url = urlunsplit(urlsplit(postgres_url)._replace(path="/no_such_database"))
        async with await Journal.open(url, patience_s=0.1) as journal:
            with pytest.raises(asyncpg.InvalidCatalogNameError):
                await journal.start("work", "k", Order(1))
