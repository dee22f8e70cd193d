"""Puts the gateway before the layers. It is known by its names alone: the foundation imports no layer."""

from __future__ import annotations

import base64
import importlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import uvicorn

from strata import store
from strata.calls import ASGIApp, Receive, Scope, Send
from strata.context import Context
from strata.contracts.operation import Layer
from strata.errors import Conflict
from strata.internal import derived_key
from strata.launch.clients import Store
from strata.launch.folder import Api
from strata.settings import Settings
from strata.topology import services_of

Check = Callable[[], Awaitable[bool]]


class Published(Protocol):
    """A published API as the gateway describes it."""

    @property
    def name(self) -> str:
        """Name in the portal."""
        ...

    @property
    def layer(self) -> str:
        """Which layer it is of."""
        ...

    @property
    def version(self) -> str:
        """v1 and so on."""
        ...

    @property
    def base_path(self) -> str:
        """Where it is published."""
        ...


class Gateway(Protocol):
    """What the launcher knows of the gateway."""

    @property
    def apis(self) -> tuple[Published, ...]:
        """What is published."""
        ...

    @property
    def clients(self) -> Store:
        """Registration of clients, after startup."""
        ...

    async def startup(self) -> None:
        """Before the first request."""
        ...

    async def shutdown(self) -> None:
        """After the last one."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        ...


def upstreams(context: Context) -> dict[str, ASGIApp]:
    """Every service the gateway may forward to: those installed and those that run elsewhere."""
    names = [name for layer in (Layer.EXPERIENCE, Layer.SYSTEM) for name in services_of(layer)]
    return {name: context.topology.app(name) for name in dict.fromkeys([*names, *context.settings.service_urls])}


def embed(context: Context, *layers: Layer) -> None:
    """Make the apps of all services of these layers (default: all) that live in this process."""
    for layer in layers or tuple(Layer):
        for name in services_of(layer):
            if name not in context.settings.service_urls:
                context.topology.local(name)


def create(context: Context, *, checks: Mapping[str, Check] | None = None) -> Gateway:
    """The gateway for these settings. checks: more of what `/readyz` needs."""
    settings = context.settings
    kind = cast("Any", importlib.import_module("gateway.settings")).GatewaySettings
    app = cast("Any", importlib.import_module("gateway.app"))
    gateway = app.create(
        kind(**gateway_settings(settings)),
        context.database,
        upstreams(context),
        redis_url=settings.redis_url or None,
        openapi_dir=settings.openapi_dir,
        ready_checks=dict(checks or {}),
    )
    return cast("Gateway", gateway)


def server(app: Gateway, settings: Settings) -> uvicorn.Server:
    """The gateway's own strict HTTP server for it; startup() and shutdown() stay with the caller."""
    module = cast("Any", importlib.import_module("gateway.server"))
    return cast("uvicorn.Server", module.make_server(app, settings.host, settings.port, lifespan=False))


def gateway_settings(settings: Settings) -> dict[str, Any]:
    """Our settings in the gateway's words."""
    given: dict[str, Any] = {
        "public_url": settings.base_url,
        "secret_key": base64.urlsafe_b64encode(derived_key(settings.secret_key, "gateway")).decode(),
        "plan_quotas": {"standard": settings.plan_rate_per_min},
        "allowed_hosts": settings.allowed_hosts,
        "trusted_proxies": settings.trusted_proxies,
        "upstream_timeout_s": settings.call_timeout_s,
        "access_log": settings.log_level in {"debug", "info"},
    }
    if settings.publications_file:
        given["publications"] = Path(settings.publications_file)
    if settings.metrics_allowed:
        given["metrics_allowed"] = settings.metrics_allowed
    return given


def published(gateway: Gateway, base_url: str) -> tuple[Api, ...]:
    """The published APIs as `strata info` shows them."""
    return tuple(
        Api(a.name, a.layer, a.version, a.base_path, f"{base_url}/portal/apis/{a.name}/{a.version}/openapi.json")
        for a in gateway.apis
    )


async def register_client(
    settings: Settings, name: str, scopes: tuple[str, ...], *, plan: str, partner: str | None, shops: tuple[str, ...]
) -> tuple[str, str]:
    """Register a client of the gateway: (client_id, client_secret). Raises Conflict when the name is taken.

    The gateway's tables must be there: `strata migrate`, or any gateway that started.
    """
    clients = cast("Any", importlib.import_module("gateway.identity.clients"))
    pool = await store.connect(settings.database_url, size=1)
    try:
        registry = clients.ClientStore(pool, gateway_settings(settings)["secret_key"])
        return await registry.register(name, scopes, plan, partner, shops)
    except clients.ClientExistsError:
        raise Conflict(f"There is a client called {name} already, and its secret was shown once") from None
    finally:
        await pool.close()
