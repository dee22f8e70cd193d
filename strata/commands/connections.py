"""`strata connections`: which backends there are, and whether they let us in."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from strata.commands.options import as_json, data


@click.group()
def connections() -> None:
    """Connections to backends."""


@connections.command("list")
@data
def list_connections(data_dir: Path) -> None:
    """List the connections by name and vendor; credentials are never shown."""
    from strata.commands.house import settings_of  # noqa: PLC0415
    from strata.connections import load_connections  # noqa: PLC0415

    for connection in load_connections(settings_of(data_dir)).values():
        click.echo(f"{connection.name:<24} {connection.vendor}")


@connections.command()
@click.argument("names", nargs=-1)
@as_json
@data
def test(names: tuple[str, ...], as_json: bool, data_dir: Path) -> None:
    """Ask each backend (or those named) whether it lets us in. Exit code 1 when one does not."""
    import msgspec  # noqa: PLC0415

    from strata.commands.house import run  # noqa: PLC0415

    found = run(_test(data_dir, names))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        for one in found:
            word = f"works ({one['took_ms']} ms)" if one["works"] else f"does not work: {one['detail']}"
            click.echo(f"{one['name']:<24} {one['vendor']:<12} {word}")
    sys.exit(0 if found and all(one["works"] for one in found) else 1)


async def _test(data_dir: Path, names: tuple[str, ...]) -> list[dict[str, Any]]:
    from strata.commands.house import context_of  # noqa: PLC0415
    from strata.contracts.system.health import Health  # noqa: PLC0415
    from strata.errors import NotFound, StrataError  # noqa: PLC0415

    found: list[dict[str, Any]] = []
    async with context_of(data_dir) as context:
        for name in names or tuple(context.connections):
            if name not in context.connections:
                raise NotFound(f"There is no connection {name}; there are: {', '.join(context.connections)}")
            one: dict[str, Any] = {
                "name": name,
                "vendor": context.connections[name].vendor,
                "works": False,
                "detail": "",
            }
            began = time.monotonic()
            try:
                health = await context.topology.system(name, Health).check()
                one |= {"works": health.state == "ok", "detail": health.detail or health.state.replace("_", " ")}
            except StrataError as error:
                one["detail"] = error.detail
            found.append(one | {"took_ms": round((time.monotonic() - began) * 1000)})
    return found
