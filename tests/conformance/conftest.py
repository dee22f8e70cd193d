"""The house over one connection at a time, real sandbox behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from strata.connections import Connection
from tests.house import House, housed

OpenHouse = Callable[[Connection], Awaitable[House]]


@pytest.fixture
async def open_house(postgres_url: str, tmp_path: Path) -> AsyncIterator[OpenHouse]:
    async with AsyncExitStack() as stack:

        async def make(connection: Connection) -> House:
            return await stack.enter_async_context(housed(postgres_url, tmp_path, connection))

        yield make
