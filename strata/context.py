"""What the factory of a service is given: settings, stores and the way to its neighbours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg

from strata.connections import Connection
from strata.crossref import CrossRef
from strata.durable import Journal, Schedule, Subscription
from strata.internal import ServiceTokens
from strata.settings import Settings
from strata.tables import Tables

if TYPE_CHECKING:
    from strata.topology import Topology

Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class WorkerParts:
    """What a family of processes brings to a worker: its process definitions, schedules and event subscriptions."""

    definitions: tuple[Any, ...]
    schedules: tuple[Schedule, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()


@dataclass
class Context:
    """One per process of the operating system, shared by all services that live in it."""

    settings: Settings
    connections: dict[str, Connection]
    database: asyncpg.Pool
    journal: Journal
    tables: Tables
    crossref: CrossRef
    tokens: ServiceTokens
    takes_webhooks: bool = True
    """Whether this process serves the ingress; a worker embeds system APIs only to call them."""
    topology: Topology = field(init=False)
    _startup: list[Hook] = field(default_factory=list[Hook])
    _shutdown: list[Hook] = field(default_factory=list[Hook])

    def of_vendor(self, vendor: str) -> tuple[Connection, ...]:
        """The connections to one vendor's backends."""
        return tuple(c for c in self.connections.values() if c.vendor == vendor)

    def on_startup(self, hook: Hook) -> None:
        """Run `hook` once the process is about to serve. It must not wait for a backend."""
        self._startup.append(hook)

    def on_shutdown(self, hook: Hook) -> None:
        """Run `hook` when the process stops, last registered first."""
        self._shutdown.append(hook)

    async def startup(self) -> None:
        """Run the start hooks."""
        for hook in self._startup:
            await hook()

    async def shutdown(self) -> None:
        """Run the stop hooks, then close the stores."""
        for hook in reversed(self._shutdown):
            await hook()
        await self.journal.close()
        await self.database.close()
