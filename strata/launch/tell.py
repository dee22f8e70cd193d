"""What a person is told once Strata runs: where things are, and what to try first."""

from __future__ import annotations

import sys
from pathlib import Path

from strata.launch.folder import Client, Folder, Running
from strata.launch.info import Info, describe

GET_IT = """  TOKEN=$(curl -s -u '{id}:{secret}' -d grant_type=client_credentials {token_url} \\
    | sed 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/')"""


def command() -> str:
    """How this person calls the command line."""
    program = Path(sys.executable).with_name("strata")
    try:
        return str(program.relative_to(Path.cwd()))
    except ValueError:
        return str(program)


def ready_text(folder: Folder) -> str:
    """The closing words of `strata run`."""
    running = folder.running()
    if running is None:
        return "Ready."
    return "\n".join(["", "Ready.", *_places(folder, describe(folder, running)), "", "Ctrl-C stops it."])


def info_text(folder: Folder, running: Running) -> str:
    """The human form of `strata info`."""
    return "\n".join(_places(folder, describe(folder, running)))


def _places(folder: Folder, info: Info) -> list[str]:
    lines = [
        f"  gateway   {info.gateway.base_url}",
        f"  portal    {info.gateway.portal_url}",
        *(f"  sandbox   {name:<10} {part['base_url']}" for name, part in info.sandbox.items()),
        f"  data      {info.data_dir}",
        f"  log       {info.log_file}",
    ]
    client = next((c for c in info.clients if c.name == "web-app"), None)
    if client is not None:
        lines += ["", "Read an order (get a token, then ask):", *_curl(info, client)]
    if info.sandbox:
        lines += ["", f"Place orders and watch them travel:  {command()} demo{_data(folder)}"]
    return lines


def _curl(info: Info, client: Client) -> list[str]:
    path = next((api.base_path for api in info.apis if api.base_path.startswith("/web")), "/web/v1")
    shop = str(info.sandbox.get("shopify", {}).get("shop", "")).partition(".")[0]
    where = f"/orders/by_number/1001?shop={shop}" if shop else "/orders/by_number/1001"
    return [
        GET_IT.format(id=client.client_id, secret=client.client_secret, token_url=info.gateway.token_url),
        f"""  curl -s -H "Authorization: Bearer $TOKEN" '{info.gateway.base_url}{path}{where}'""",
    ]


def _data(folder: Folder) -> str:
    return "" if folder.path == Path(".strata").absolute() else f" --data {folder.path}"


def look_lines(folder: Folder, info: Info) -> list[str]:
    """Where to look at what the demonstration did."""
    erp = info.sandbox.get("netsuite", {}).get("control_url", "")
    return [
        "Look at it:",
        f"  {info.gateway.portal_url}   the APIs that tell an order's status",
        *([f"  {erp}/state/salesOrder   the orders as the ERP holds them"] if erp else []),
        f"  {command()} items --all{_data(folder)}   every order on its way, with ITEM numbers to show",
    ]
