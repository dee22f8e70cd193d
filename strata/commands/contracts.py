"""`strata contracts`: openapi/ is generated from the contracts, committed, and never edited by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is out of date.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where the documents are. Default: openapi/ of the source tree.",
)
def contracts(check: bool, folder: Path | None) -> None:
    """Write the OpenAPI documents of all contracts."""
    from strata import openapi  # noqa: PLC0415
    from strata.settings import Settings  # noqa: PLC0415

    target = folder or Settings().openapi_dir
    if check:
        stale = openapi.drift(target)
        for name in stale:
            click.echo(f"out of date: {name} (run `make contracts`)", err=True)
        sys.exit(1 if stale else 0)
    for name in openapi.write(target):
        click.echo(f"written: {name}")
