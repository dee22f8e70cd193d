"""The house with its system APIs on a database of its own, talking to the running sandbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from strata.connections import Connection
from strata.context import Context
from strata.contracts import Contract
from strata.runtime import open_context
from strata.settings import Settings

C = TypeVar("C", bound=Contract)


class House:
    """A context, and typed clients of what is behind its connections."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def system(self, connection: str, contract: type[C]) -> C:
        """The system API of a connection, called as the layer above calls it."""
        return self.context.topology.system(connection, contract)


@asynccontextmanager
async def housed(postgres_url: str, folder: Path, *connections: Connection) -> AsyncGenerator[House]:
    """The house with these connections, started and stopped around the block."""
    settings = Settings(data_dir=folder, database_url=postgres_url, secret_key="s" * 40, database_pool=6)
    context = await open_context(settings)
    context.connections = {connection.name: connection for connection in connections}
    for vendor in {connection.vendor for connection in connections}:
        context.topology.local(f"system-{vendor}")
    try:
        await context.startup()
        yield House(context)
    finally:
        await context.shutdown()
