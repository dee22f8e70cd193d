"""Brings every part's tables up to date. Each part keeps its own numbered SQL; this only calls them."""

from __future__ import annotations

from strata.contracts.operation import Layer
from strata.launch import front
from strata.runtime import open_context
from strata.settings import Settings
from strata.topology import services_of


async def migrate_all(settings: Settings) -> tuple[str, ...]:
    """Migrate the foundation, the layers and the gateway; answers the parts. Safe beside running services.

    Raises StoreUnavailable when the database does not answer.
    """
    context = await open_context(settings)
    try:
        front.embed(context)
        gateway = front.create(context)
        await context.startup()
        await gateway.startup()
        await gateway.shutdown()
    finally:
        await context.shutdown()
    return ("strata", "durable", *(name for layer in Layer for name in services_of(layer)), "gateway")
