"""`strata tables`: mapping tables are versioned data; a change needs no deployment and keeps its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from strata.commands.options import as_json, data, why


@click.group()
def tables() -> None:
    """Mapping tables: what they hold, who changed them and why."""


@tables.command("list")
@as_json
@data
def list_tables(as_json: bool, data_dir: Path) -> None:
    """List the tables, their version and number of rows."""
    from strata.commands.house import context_of, run  # noqa: PLC0415

    async def work() -> list[dict[str, Any]]:
        async with context_of(data_dir) as context:
            found: list[dict[str, Any]] = []
            for name in context.tables.names():
                table = context.tables.table(name)
                rows = await context.tables.rows(table)
                found.append({"name": name, "version": rows.version, "rows": len(rows.rows), "doc": table.doc})
            return found

    found = run(work())
    if as_json:
        _json(found)
    for one in [] if as_json else found:
        click.echo(f"{one['name']:<24} version {one['version']:<4} {one['rows']:>4} rows  {one['doc']}")


@tables.command()
@click.argument("name")
@data
def show(name: str, data_dir: Path) -> None:
    """Print the rows of table NAME as JSON, ready to be edited and given to `set`."""
    from strata.commands.house import context_of, run  # noqa: PLC0415

    async def work() -> Any:
        async with context_of(data_dir) as context:
            return (await context.tables.rows(context.tables.table(name))).rows

    _json(run(work()))


@tables.command("set")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--expected-version", type=int, default=None, help="Refuse when the table has another version by now.")
@why
@data
def set_rows(name: str, file: Path, expected_version: int | None, by: str, why: str, data_dir: Path) -> None:
    """Store the rows in FILE (a JSON list) as the new version of table NAME. A reason (--why) is needed."""
    if not why:
        raise click.UsageError("Say why it is changed: --why '...'")
    import msgspec  # noqa: PLC0415

    from strata.commands.house import context_of, run  # noqa: PLC0415

    try:
        rows = msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from error

    async def work() -> int:
        async with context_of(data_dir) as context:
            return await context.tables.put(name, rows, by=by, why=why, expected_version=expected_version)

    click.echo(f"{name} is at version {run(work())}.")


@tables.command()
@click.argument("name")
@as_json
@data
def history(name: str, as_json: bool, data_dir: Path) -> None:
    """Show who changed table NAME, when and why."""
    from strata.commands.house import context_of, run  # noqa: PLC0415

    async def work() -> Any:
        async with context_of(data_dir) as context:
            return await context.tables.history(name)

    entries = run(work())
    if as_json:
        _json(entries)
        return
    if not entries:
        click.echo(f"{name} was never changed: it holds what came with the product.")
    for entry in entries:
        click.echo(f"version {entry.version:<4} {entry.at:%Y-%m-%d %H:%M} {entry.by}: {entry.why} ({entry.rows} rows)")


def _json(value: Any) -> None:
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
