"""What an operator does to items and backends; each act is audited with who and why."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from strata.commands.options import data, why


@click.command()
@click.argument("item", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Every item that needs a person.")
@click.option("--class", "failure_class", default=None, help="With --all: only of this failure class, e.g. V.")
@why
@data
def retry(item: int | None, everything: bool, failure_class: str | None, by: str, why: str, data_dir: Path) -> None:
    """Try ITEM again from the step that failed; what was done is not repeated."""
    if (item is None) == (not everything):
        raise click.UsageError("Name an ITEM, or say --all.")
    from strata.commands.house import context_of, run  # noqa: PLC0415
    from strata.durable import ItemFilter  # noqa: PLC0415
    from strata.errors import FailureClass  # noqa: PLC0415

    async def work() -> int:
        async with context_of(data_dir) as context:
            if item is not None:
                await context.journal.retry(item, by=by, why=why)
                return 1
            only = FailureClass(failure_class.upper()) if failure_class else None
            return await context.journal.retry_many(ItemFilter(failure_class=only), by=by, why=why)

    try:
        count = run(work())
    except ValueError as error:
        raise click.UsageError(f"{failure_class} is no failure class") from error
    click.echo(f"Item {item} goes on." if item is not None else f"{count} items go on.")


@click.command()
@click.argument("item", type=int)
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="New input, JSON.",
)
@why
@data
def edit(item: int, file: Path, by: str, why: str, data_dir: Path) -> None:
    """Replace the input of ITEM by the content of a file (the old one is kept in the audit trail), and go on."""
    import msgspec  # noqa: PLC0415

    from strata.commands.house import context_of, run  # noqa: PLC0415

    content = file.read_bytes()
    try:
        msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from error

    async def work() -> None:
        async with context_of(data_dir) as context:
            await context.journal.edit(item, content, by=by, why=why)

    run(work())
    click.echo(f"Item {item} goes on with the new input.")


@click.command()
@click.argument("item", type=int)
@why
@data
def discard(item: int, by: str, why: str, data_dir: Path) -> None:
    """Give ITEM up for good; what waits behind it goes on. A reason (--why) is needed."""
    if not why:
        raise click.UsageError("Say why it is given up: --why '...'")
    from strata.commands.house import journal_of, run  # noqa: PLC0415

    async def work() -> None:
        async with journal_of(data_dir) as journal:
            await journal.discard(item, by=by, why=why)

    run(work())
    click.echo(f"Item {item} is given up.")


@click.command()
@click.argument("backend")
@why
@data
def pause(backend: str, by: str, why: str, data_dir: Path) -> None:
    """Leave BACKEND (the name of a connection) alone: what needs it waits; intake goes on."""
    _switch(data_dir, backend, by, why, paused=True)
    click.echo(f"{backend} is left alone. Go on with: strata resume {backend}")


@click.command()
@click.argument("backend")
@why
@data
def resume(backend: str, by: str, why: str, data_dir: Path) -> None:
    """Go on with BACKEND: what waits for it goes on, oldest first."""
    _switch(data_dir, backend, by, why, paused=False)
    click.echo(f"{backend} goes on.")


def _switch(data_dir: Path, backend: str, by: str, why: str, *, paused: bool) -> None:
    from strata.commands.house import journal_of, run, settings_of  # noqa: PLC0415
    from strata.connections import load_connections  # noqa: PLC0415

    known = load_connections(settings_of(data_dir))
    if known and backend not in known:
        click.echo(f"strata: there is no connection {backend}; there are: {', '.join(sorted(known))}", err=True)
        sys.exit(1)

    async def work() -> None:
        async with journal_of(data_dir) as journal:
            await (journal.pause if paused else journal.resume)(backend, by=by, why=why)

    run(work())
