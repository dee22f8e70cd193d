"""The clients that a development house has: one for each kind of caller."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from strata.launch.folder import Client

PLAN = "standard"


class DevelopmentClient(Struct, frozen=True):
    """What is registered at the gateway. shops: the shops it may see; none named = all."""

    name: str
    scopes: tuple[str, ...]
    partner: str | None = None
    shops: tuple[str, ...] = ()


CLIENTS = (
    DevelopmentClient("web-app", ("orders:read",)),
    DevelopmentClient("mobile-app", ("orders:read",)),
    DevelopmentClient("partner-app", ("orders:read",), partner="northwind-partner", shops=("northwind-us",)),
)


class Store(Protocol):
    """The gateway's registration of clients."""

    async def register(
        self,
        name: str,
        scopes: tuple[str, ...],
        plan: str = "standard",
        partner: str | None = None,
        shops: tuple[str, ...] = (),
        *,
        development: bool = False,
    ) -> tuple[str, str]:
        """(client_id, client_secret), the same ones at each start."""
        ...


async def register(store: Store) -> tuple[Client, ...]:
    """Make sure that each development client is there, and answer their credentials."""
    made: list[Client] = []
    for client in CLIENTS:
        client_id, secret = await store.register(
            client.name, client.scopes, PLAN, client.partner, client.shops, development=True
        )
        made.append(Client(client.name, client_id, secret, client.scopes, PLAN))
    return tuple(made)
