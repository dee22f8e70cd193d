"""`strata info`: where things are, for people and for scripts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from strata.commands.options import as_json, data, not_running


@click.command()
@as_json
@data
def info(as_json: bool, data_dir: Path) -> None:
    """Show where things are. Exit code 0 only when Strata is ready, 3 when it does not run, 1 while it starts."""
    import msgspec  # noqa: PLC0415

    from strata.launch.folder import Folder  # noqa: PLC0415
    from strata.launch.info import describe, is_ready  # noqa: PLC0415
    from strata.launch.tell import info_text  # noqa: PLC0415

    folder = Folder(data_dir)
    running = folder.running()
    if running is None:
        not_running(data_dir)
    if not is_ready(running):
        click.echo(f"strata: Strata (process {running.process.pid}) runs but is not ready.", err=True)
        sys.exit(1)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(describe(folder, running))).decode())
    else:
        click.echo(info_text(folder, running))
