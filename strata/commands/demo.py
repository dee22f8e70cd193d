"""`strata demo`: orders that travel the whole house while you look."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from strata.commands.options import data, not_running


@click.command()
@click.option("--orders", type=click.IntRange(1, 500), default=5, show_default=True, help="How many orders.")
@click.option("--shop", default=None, help="Which shop, e.g. northwind-eu. Default: the first one.")
@click.option("--wait", "wait_s", type=float, default=60.0, show_default=True, help="Longest to wait, in seconds.")
@data
def demo(orders: int, shop: str | None, wait_s: float, data_dir: Path) -> None:
    """Place realistic orders in the sandbox's shop and show each travelling through the layers, live."""
    from rich.console import Console  # noqa: PLC0415  # slow to import

    from strata.commands.house import run  # noqa: PLC0415
    from strata.demo.run import demo as show  # noqa: PLC0415
    from strata.launch.folder import Folder  # noqa: PLC0415
    from strata.launch.info import describe  # noqa: PLC0415
    from strata.launch.tell import look_lines  # noqa: PLC0415

    folder = Folder(data_dir)
    running = folder.running()
    if running is None:
        not_running(data_dir)
    if running.profile == "production":
        raise click.ClickException("The production profile has no sandbox to place orders in.")
    arrived = run(show(data_dir, orders=orders, shop_name=shop, wait_s=wait_s, console=Console()))
    for line in look_lines(folder, describe(folder, running)):
        click.echo(line)
    sys.exit(0 if arrived else 1)
