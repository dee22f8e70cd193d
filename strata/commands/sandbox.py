"""`strata sandbox`: the sandboxes are another program; this passes on to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from strata.commands.options import as_json, data, not_running

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}


@click.group()
def sandbox() -> None:
    """The simulated vendors."""
    from strata import settings as configuration  # noqa: PLC0415

    if configuration.load().profile == "production":
        raise click.ClickException("The production profile has no sandbox, and shows no credentials.")


@sandbox.command()
@as_json
@data
def info(as_json: bool, data_dir: Path) -> None:
    """Show where the sandboxes are and their test credentials. Exit code 3 when none runs."""
    import msgspec  # noqa: PLC0415

    from strata.launch.folder import Folder  # noqa: PLC0415
    from strata.launch.info import sandboxes  # noqa: PLC0415

    folder = Folder(data_dir)
    running = folder.running()
    if running is not None and running.profile == "production":
        raise click.ClickException("This Strata runs in the production profile: it has no sandbox.")
    found = sandboxes(folder)
    if not found:
        not_running(data_dir)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    for name, part in found.items():
        click.echo(f"{name}\n  {part['base_url']}\n  {part['tls_url']}   (CA: {part['ca_file']})")
        click.echo(f"  control: {part['control_url']}   credentials: strata sandbox info --json")


@sandbox.command(context_settings=PASS_ON)
@click.argument("vendors", nargs=-1, required=True)
@click.option("--base-port", type=int, default=8091, show_default=True, help="First of their ports.")
@data
def run(vendors: tuple[str, ...], base_port: int, data_dir: Path) -> None:
    """Run the sandboxes of VENDORS alone, in the foreground."""
    arguments = ["run", *vendors, "--base-port", str(base_port), "--data", str(data_dir / "sandbox")]
    sys.exit(_pass_on(arguments))


@sandbox.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is out of date.")
def coverage(check: bool) -> None:
    """Write the coverage tables of the sandboxes."""
    sys.exit(_pass_on(["coverage", *(["--check"] if check else [])]))


def _pass_on(arguments: list[str]) -> int:
    try:
        return subprocess.run([sys.executable, "-P", "-m", "sandbox", *arguments], check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 0
