"""What `strata info` tells: a versioned document for scripts (docs/reference/info.md)."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from strata.launch.folder import Api, Client, Folder, Running
from strata.launch.sandbox import Sandbox

SANDBOX_MEMBERS = ("base_url", "tls_url", "ca_file", "control_url", "account", "shop", "webhook_secret", "auth")


class GatewayInfo(Struct, frozen=True):
    """Where the gateway answers."""

    base_url: str
    issuer: str
    token_url: str
    ready_url: str
    portal_url: str


class Info(Struct, frozen=True, kw_only=True):
    """The whole document. `schema` rises when a member changes its meaning or goes away."""

    schema: int = 1
    gateway: GatewayInfo
    clients: tuple[Client, ...]
    apis: tuple[Api, ...]
    webhooks: dict[str, str]
    data_dir: str
    log_file: str
    sandbox: dict[str, dict[str, Any]]


def gateway_info(base_url: str) -> GatewayInfo:
    """Where things are at a gateway."""
    return GatewayInfo(base_url, base_url, f"{base_url}/oauth/token", f"{base_url}/readyz", f"{base_url}/portal/")


def describe(folder: Folder, running: Running) -> Info:
    """The document for a running Strata. In production it holds no credential and no sandbox."""
    development = running.profile == "development"
    return Info(
        gateway=gateway_info(running.base_url),
        clients=folder.clients() if development else (),
        apis=running.apis,
        webhooks=running.webhooks,
        data_dir=str(folder.path),
        log_file=running.log_file,
        sandbox=sandboxes(folder) if development else {},
    )


def sandboxes(folder: Folder) -> dict[str, dict[str, Any]]:
    """The sandbox part, as the sandboxes tell it."""
    return Sandbox(folder, 0).info()


def is_ready(running: Running, *, timeout_s: float = 3.0) -> bool:
    """Whether the gateway says that it is ready."""
    if not running.ready:
        return False
    parts = urlsplit(gateway_info(running.base_url).ready_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
