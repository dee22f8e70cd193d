"""`strata run`, `stop` and `reset`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strata.commands.options import data

if TYPE_CHECKING:
    from strata.launch.run import Supervisor


@click.command()
@click.option("--port", type=int, default=None, help="Port of the gateway; the sandboxes use PORT+11 and following.")
@data
def run(port: int | None, data_dir: Path) -> None:
    """Start Strata in the foreground: gateway, layers, a process worker, PostgreSQL, and the sandboxes beside it.

    Ctrl-C stops it; the next start goes on where it was.
    """
    import uvloop  # noqa: PLC0415  # slow to import; `--help` must answer at once

    from strata import settings as configuration  # noqa: PLC0415
    from strata.launch import run as launch  # noqa: PLC0415

    settings = configuration.load(port=port, data_dir=data_dir)
    click.echo(f"Starting Strata on {settings.base_url}")
    uvloop.run(launch.run(settings, _say, _tell))


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


def _tell(supervisor: Supervisor) -> None:
    from strata.launch.tell import ready_text  # noqa: PLC0415

    _say(ready_text(supervisor.folder))


@click.command()
@data
def stop(data_dir: Path) -> None:
    """Stop the Strata that runs on the data folder, its sandboxes and its PostgreSQL. All state is kept."""
    from strata.launch import run as launch  # noqa: PLC0415
    from strata.launch.folder import Folder  # noqa: PLC0415

    if launch.stop(Folder(data_dir), _say):
        _say("Stopped.")
    else:
        _say(f"Nothing runs on {data_dir}.")


@click.command()
@data
def reset(data_dir: Path) -> None:
    """Stop what runs on the data folder, then remove the data of Strata and of the sandboxes together."""
    from strata.launch import run as launch  # noqa: PLC0415
    from strata.launch.folder import Folder  # noqa: PLC0415

    folder = Folder(data_dir)
    removed = launch.reset(folder, _say)
    if removed:
        _say(f"Removed from {folder.path}: {', '.join(removed)}")
    else:
        _say(f"There was nothing to remove in {folder.path}.")
