"""How commands reach the house that runs on a data folder: its journal, or a whole context of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from strata import settings as configuration
from strata.commands.options import not_running
from strata.contracts.operation import Layer
from strata.durable import Journal
from strata.launch.folder import Folder
from strata.settings import Settings

if TYPE_CHECKING:
    from strata.context import Context

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work in an event loop; Ctrl-C ends it quietly."""
    import uvloop  # noqa: PLC0415  # only commands that talk to the house pay for it

    try:
        return uvloop.run(work)
    except KeyboardInterrupt:
        raise click.Abort from None


def settings_of(data_dir: Path) -> Settings:
    """Settings of the Strata that runs on the folder, or those of the environment when they name a database.

    Ends the program with exit code 3 when neither is there.
    """
    settings = configuration.load(data_dir=data_dir)
    if settings.database_url:
        return settings
    folder = Folder(data_dir)
    running = folder.running()
    if running is None:
        not_running(data_dir)
    return msgspec.structs.replace(
        settings,
        profile=running.profile,
        public_url=running.base_url,
        database_url=running.database_url,
        secret_key=settings.secret_key or folder.secret(),
    )


@asynccontextmanager
async def journal_of(data_dir: Path) -> AsyncGenerator[Journal]:
    """The journal of the Strata that runs on the folder."""
    journal = await Journal.open(settings_of(data_dir).database_url, max_connections=2)
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def context_of(data_dir: Path) -> AsyncGenerator[Context]:
    """A context beside the running Strata, with what its layers declare: tables, and how events are read."""
    from strata.runtime import open_context  # noqa: PLC0415  # loads what only some commands need
    from strata.topology import services_of  # noqa: PLC0415

    settings = msgspec.structs.replace(settings_of(data_dir), database_pool=3, service_name="strata-cli")
    context = await open_context(settings, migrate=False)
    try:
        context.topology.worker_parts()
        for service in services_of(Layer.SYSTEM):
            context.topology.local(service)
        yield context
    finally:
        await context.shutdown()
