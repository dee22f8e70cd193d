"""Which backends we are connected to, under which names. Its vendor decodes a connection's options."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from strata.errors import FieldError, Invalid
from strata.settings import Settings

T = TypeVar("T")


class Connection(Struct, frozen=True):
    """One backend account. `name` is what routing tables, URLs and operators call it."""

    name: str
    vendor: str
    options: dict[str, Any]

    def decode(self, kind: type[T]) -> T:
        """The options as the vendor's own Struct. Raises Invalid naming the option that is wrong."""
        try:
            return msgspec.convert(self.options, kind, strict=True)
        except msgspec.ValidationError as error:
            raise Invalid(
                f"Connection {self.name} ({self.vendor}) is not configured rightly",
                errors=(FieldError(str(error), f"/connections/{self.name}"),),
            ) from error

    def __repr__(self) -> str:
        return f"Connection(name={self.name!r}, vendor={self.vendor!r})"  # options hold secrets


class _Entry(Struct, frozen=True):
    vendor: str


class _Auth(Struct, frozen=True):
    tba: dict[str, str] | None = None
    oauth2_m2m: dict[str, str] | None = None
    access_token: dict[str, str] | None = None


class _Limits(Struct, frozen=True):
    concurrency: int = 5
    request_timeout_s: float = 30.0


class _Shop(Struct, frozen=True):
    shop: str
    access_token: str
    base_url: str = ""


class _SandboxBackend(Struct, frozen=True):
    base_url: str
    control_url: str
    webhook_secret: str = ""
    account: str = ""
    shop: str = ""
    auth: _Auth = _Auth()
    shops: tuple[_Shop, ...] = ()
    limits: _Limits = _Limits()


def load_connections(settings: Settings) -> dict[str, Connection]:
    """All connections by name: from the connections file, or in development from the running sandbox.

    Raises Invalid when the file cannot be read or a connection has no vendor.
    """
    if settings.connections_file:
        return from_toml(Path(settings.connections_file))
    if settings.profile == "production":
        return {}
    return from_sandbox(settings)


def from_toml(path: Path) -> dict[str, Connection]:
    """Connections of a TOML file: `[connections.NAME]` with `vendor` and the vendor's own options."""
    try:
        entries: dict[str, dict[str, Any]] = tomllib.loads(path.read_text("utf-8")).get("connections", {})
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"The connections file {path} cannot be read", errors=(FieldError(str(error)),)) from error
    found: dict[str, Connection] = {}
    for name, options in entries.items():
        try:
            vendor = msgspec.convert(options, _Entry).vendor
        except msgspec.ValidationError as error:
            raise Invalid(f"Connection {name} names no vendor", errors=(FieldError(str(error)),)) from error
        found[name] = Connection(name, vendor, {key: value for key, value in options.items() if key != "vendor"})
    return found


def sandbox_file(settings: Settings) -> Path:
    """Where the running sandbox tells its addresses and credentials (mode 0600)."""
    return settings.data_dir / "sandbox" / "sandbox.json"


def from_sandbox(settings: Settings) -> dict[str, Connection]:
    """One connection for each shop of the sandbox, and `erp` for its NetSuite account. None when it does not run."""
    path = sandbox_file(settings)
    if not path.exists():
        return {}
    backends: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])["vendors"]
    found: dict[str, Connection] = {}
    if "shopify" in backends:
        shopify = msgspec.convert(backends["shopify"], _SandboxBackend)
        for shop in shopify.shops:
            subdomain = shop.shop.partition(".")[0]
            options = {
                "shop": subdomain,
                "base_url": shop.base_url or shopify.base_url,
                "access_token": shop.access_token,
                "webhook_secret": shopify.webhook_secret,
                "callback_base": settings.base_url,
            }
            found[subdomain] = Connection(subdomain, "shopify", options)
    if "netsuite" in backends:
        netsuite = msgspec.convert(backends["netsuite"], _SandboxBackend)
        found["erp"] = Connection(
            "erp",
            "netsuite",
            {
                "account": netsuite.account,
                "base_url": netsuite.base_url,
                "auth": {"kind": "tba", **(netsuite.auth.tba or {})},
                "concurrency": netsuite.limits.concurrency,
                "request_timeout_s": min(10.0, netsuite.limits.request_timeout_s),
                "server_limit_s": netsuite.limits.request_timeout_s,
            },
        )
    return found
