"""Shipments as a system of record tells them."""

from __future__ import annotations

from strata.canonical.common import Cursor, PageSize, Timestamp
from strata.canonical.orders import Shipment
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.contracts.system.channel_orders import COMMON
from strata.errors import NotFound


class ShipmentPage(Cursor, frozen=True, kw_only=True):
    """A page of shipments, oldest change first."""

    items: tuple[Shipment, ...]


class Fulfilments(Contract):
    """Fulfilments of sales orders in a system of record."""

    name, layer, version, title = "fulfilments", Layer.SYSTEM, "v1", "Fulfilments"

    @operation("GET", "/fulfilments", scope="fulfilments:read", errors=COMMON)
    async def list_fulfilments(
        self, *, updated_from: Timestamp, cursor: str = "", limit: PageSize = 100
    ) -> ShipmentPage:
        """List shipments of orders of ours changed since a moment (inclusive), oldest change first."""
        declared()

    @operation("GET", "/fulfilments/{fulfilment_id}", scope="fulfilments:read", errors=(NotFound, *COMMON))
    async def get_fulfilment(self, fulfilment_id: str) -> Shipment:
        """Read one shipment by the system's own id."""
        declared()
