"""A small house for tests of the foundation: one contract, its implementation, and the context they need."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, cast

from msgspec import Meta, Struct

from strata.canonical.common import Timestamp
from strata.canonical.money import Money
from strata.context import Context
from strata.contracts import Contract, Layer, operation
from strata.contracts.operation import declared
from strata.errors import FieldError, Invalid, NotFound, Throttled
from strata.internal import ServiceTokens
from strata.settings import Settings
from strata.topology import Topology


class Tea(Struct, frozen=True):
    """A pot of tea."""

    name: str
    price: Money
    cups: Annotated[int, Meta(gt=0)] = 1


class Teas(Contract):
    """Pots of tea."""

    name, layer, version, title = "teas", Layer.PROCESS, "v1", "Teas"
    service = "tea-house"

    @operation("GET", "/teas/{tea_id}", scope="teas:read", errors=(NotFound,))
    async def get_tea(self, tea_id: str, *, since: Timestamp | None = None, hot: bool = True) -> Tea:
        """Read one pot."""
        declared()

    @operation("PUT", "/teas/{tea_id}", scope="teas:write", errors=(Invalid, Throttled))
    async def put_tea(self, tea_id: str, *, body: Tea) -> Tea:
        """Make one pot."""
        declared()

    @operation("DELETE", "/teas/{tea_id}", scope="teas:write")
    async def spill(self, tea_id: str, *, times: Annotated[int, Meta(ge=1, le=9)] = 1) -> None:
        """Spill one pot."""
        declared()


class TeaHouse(Teas):
    """Serves tea, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def get_tea(self, tea_id: str, *, since: Timestamp | None = None, hot: bool = True) -> Tea:
        self.asked.append((tea_id, since, hot))
        if tea_id == "none":
            raise NotFound("There is no such tea")
        if tea_id == "secret":
            raise RuntimeError("password=hunter2")
        return Tea(tea_id, Money(Decimal("2.50"), "EUR"))

    async def put_tea(self, tea_id: str, *, body: Tea) -> Tea:
        if body.cups > 9:
            raise Throttled("Too many cups", retry_after_s=7)
        if body.name == "coffee":
            raise Invalid("Not tea", errors=(FieldError("is no tea", "/name", "coffee", "Name a tea", "no-tea"),))
        return body

    async def spill(self, tea_id: str, *, times: int = 1) -> None:
        self.asked.append((tea_id, times))


def context(**settings: Any) -> Context:
    """A context without stores: enough for serving and calling."""
    made = Context(
        settings=Settings(secret_key="a-secret-of-at-least-32-characters!", **settings),
        connections={},
        database=cast("Any", None),
        journal=cast("Any", None),
        tables=cast("Any", None),
        crossref=cast("Any", None),
        tokens=ServiceTokens("a-secret-of-at-least-32-characters!"),
    )
    made.topology = Topology(made)
    return made
