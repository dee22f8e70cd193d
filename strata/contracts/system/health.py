"""Whether a backend can be used right now."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from strata.contracts.operation import Contract, Layer, declared, operation


class BackendHealth(Struct, frozen=True, omit_defaults=True):
    """The outcome of one cheap, authenticated call."""

    connection: str
    vendor: str
    state: Literal["ok", "auth_refused", "unreachable", "throttled"]
    detail: str = ""


class Health(Contract):
    """Every backend serves this one: a cheap authenticated call that tells whether the connection works."""

    name, layer, version, title = "health", Layer.SYSTEM, "v1", "Connection health"

    @operation("GET", "/health", scope="health:read")
    async def check(self) -> BackendHealth:
        """Test the connection. Never raises for a backend that is down: that is the answer."""
        declared()
