"""`python -m sandbox`: run the simulated vendors, show where they are, write their coverage tables."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click
import msgspec

from sandbox.core.keep import AlreadyRunning, NotRunning, read_info

NOT_RUNNING = 3


@click.group()
def main() -> None:
    """Simulated vendors for development and tests."""


DATA = click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".strata/sandbox"),
    show_default=True,
    help="The sandbox's data folder.",
)


@main.command()
@click.argument("vendors", nargs=-1, required=True)
@DATA
@click.option(
    "--base-port", default=8091, show_default=True, help="Vendor i: base+2*i plain, base+2*i+1 TLS; 0: free ports."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address or name to bind to; loopback unless needed."
)
def run(vendors: tuple[str, ...], folder: Path, base_port: int, host: str) -> None:
    """Serve VENDORS until SIGTERM or Ctrl-C."""
    import logging  # noqa: PLC0415

    import uvloop  # noqa: PLC0415  # slow to import; `info` must answer at once

    from sandbox.core import server  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        uvloop.run(server.run(vendors, folder, base_port, host))
    except (AlreadyRunning, server.UnknownVendor, server.PortTaken) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@DATA
def info(folder: Path) -> None:
    """Print where the running sandbox is and its credentials, as JSON. Exit code 3 when none runs."""
    try:
        vendors = read_info(folder)
    except NotRunning as error:
        click.echo(str(error), err=True)
        sys.exit(NOT_RUNNING)
    click.echo(msgspec.json.format(msgspec.json.encode(vendors)).decode())


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is out of date.")
def coverage(check: bool) -> None:
    """Write COVERAGE.md of every vendor that is there."""
    from sandbox.core.server import VENDORS, UnknownVendor, load  # noqa: PLC0415

    stale: list[str] = []
    for name in VENDORS:
        try:
            vendor = load(name, None)
        except UnknownVendor:
            continue
        package = import_module(f"sandbox.{name}")
        path = Path(package.__path__[0]) / "COVERAGE.md"
        text = vendor.coverage()
        if not path.exists() or path.read_text() != text:
            stale.append(str(path))
            if not check:
                path.write_text(text)
    for path in stale:
        click.echo(f"{'out of date' if check else 'written'}: {path}")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
