"""The embedded PostgreSQL: started, adopted after a kill, safe, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from strata.launch.postgres import Postgres

STARTER = """
import sys
from pathlib import Path
from strata.launch.postgres import Postgres
print(Postgres(Path(sys.argv[1])).start(), flush=True)
import time; time.sleep(60)
"""


@pytest.fixture
def postgres(open_path: Path) -> Iterator[Postgres]:
    made = Postgres(open_path / "postgres")
    yield made
    made.stop()


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_starts_tuned_and_a_commit_is_on_disk_before_it_counts(postgres: Postgres) -> None:
    url = postgres.start()
    assert postgres.running
    assert await ask(url, "SELECT current_database()") == "strata"
    assert await ask(url, "SELECT current_setting('shared_buffers')") == "96MB"
    assert await ask(url, "SELECT current_setting('synchronous_commit')") == "on"
    assert await ask(url, "SELECT current_setting('fsync')") == "on"
    assert await ask(url, "SELECT current_setting('listen_addresses')") == ""


async def test_a_killed_starter_leaves_it_running_and_the_next_one_adopts_it(
    open_path: Path, postgres: Postgres
) -> None:
    command = [sys.executable, "-c", STARTER, open_path / "postgres"]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: ASYNC220  # nothing else runs in this loop
    assert starter.stdout is not None
    url = starter.stdout.readline().decode().strip()
    began = await ask(url, "SELECT pg_postmaster_start_time()")
    starter.kill()
    starter.wait()
    assert postgres.start() == url
    assert await ask(url, "SELECT pg_postmaster_start_time()") == began


@pytest.mark.parametrize("whole_tree", [True, False], ids=["the machine went off", "only the starter was killed"])
def test_a_start_that_is_killed_while_it_makes_the_cluster_is_made_good_by_the_next(
    open_path: Path, postgres: Postgres, whole_tree: bool
) -> None:
    command = [sys.executable, "-c", STARTER, open_path / "postgres"]
    starter = psutil.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not any(open_path.glob("*/PG_VERSION")):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    family = starter.children(recursive=True) if whole_tree else []
    for process in (starter, *family):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    starter.wait()
    assert not postgres.initialised
    assert asyncio.run(ask(postgres.start(), "SELECT 1")) == 1
    deadline = time.monotonic() + 20
    while [child.name for child in open_path.iterdir()] != ["postgres"]:  # the orphan's initdb may still be writing
        assert time.monotonic() < deadline
        time.sleep(0.2)
        postgres.start()


async def test_what_was_committed_is_there_after_stop_and_after_a_crash(open_path: Path, postgres: Postgres) -> None:
    url = postgres.start()
    await ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.stop()
    assert not postgres.running
    url = postgres.start()
    assert await ask(url, "SELECT answer FROM kept") == 42
    postmaster = int((open_path / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    url = postgres.start()
    assert await ask(url, "SELECT answer FROM kept") == 42


async def test_a_pid_file_that_names_somebody_else_is_not_believed(open_path: Path, postgres: Postgres) -> None:
    postgres.start()
    pid_file = open_path / "postgres" / "postmaster.pid"
    stale = pid_file.read_text().splitlines()
    postgres.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *stale[1:]]) + "\n")
    assert not postgres.running
    assert await ask(postgres.start(), "SELECT 1") == 1


def test_stopping_one_that_never_ran_is_nothing(open_path: Path) -> None:
    Postgres(open_path / "none").stop()
