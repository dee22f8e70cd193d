"""`strata clients`: who may ask the gateway for tokens."""

from __future__ import annotations

from pathlib import Path

import click

from strata.commands.options import as_json, data


@click.group()
def clients() -> None:
    """Clients of the gateway."""


@clients.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="A scope it may ask for; repeat for more.")
@click.option("--plan", default="standard", show_default=True, help="The plan whose limits apply to it.")
@click.option("--partner", default=None, help="The partner it belongs to. Default: an application of the house.")
@click.option("--shop", "shops", multiple=True, help="A shop it may see; repeat for more. Default: all.")
@as_json
@data
def add(
    name: str,
    scopes: tuple[str, ...],
    plan: str,
    partner: str | None,
    shops: tuple[str, ...],
    as_json: bool,
    data_dir: Path,
) -> None:
    """Register a client called NAME and show its id and secret, this once: only a hash of the secret is kept."""
    import msgspec  # noqa: PLC0415

    from strata.commands.house import run, settings_of  # noqa: PLC0415
    from strata.launch import front  # noqa: PLC0415

    settings = settings_of(data_dir)
    client_id, secret = run(front.register_client(settings, name, scopes, plan=plan, partner=partner, shops=shops))
    if as_json:
        made = {"name": name, "client_id": client_id, "client_secret": secret, "scopes": scopes, "plan": plan}
        click.echo(msgspec.json.encode(made).decode())
    else:
        click.echo(f"client_id      {client_id}\nclient_secret  {secret}   (shown this once)")
