"""Sales orders in a system of record: NetSuite, SAP, ..."""

from __future__ import annotations

from strata.canonical.common import OrderKey
from strata.canonical.orders import OrderRef, SalesOrder
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.contracts.system.channel_orders import COMMON
from strata.errors import Conflict, Invalid, Missing, NotFound, UnknownOutcome


class Orders(Contract):
    """Sales orders in a system of record, known by our key, which the system keeps as its external id."""

    name, layer, version, title = "orders", Layer.SYSTEM, "v1", "Sales orders"

    @operation(
        "PUT",
        "/orders/{key}",
        scope="orders:write",
        errors=(Invalid, Missing, Conflict, UnknownOutcome, *COMMON),
    )
    async def put_order(self, key: OrderKey, *, body: SalesOrder, look_first: bool = False) -> OrderRef:
        """Create the sales order if it is not there, and answer how the system calls it.

        `look_first` says that it may have been sent before: then it is looked up by key before anything is written,
        and an order that is there is left as it is (the system of record owns it once accepted). Without it the caller
        knows that its key is new.
        """
        declared()

    @operation("GET", "/orders/{key}", scope="orders:read", errors=(NotFound, *COMMON))
    async def get_order(self, key: OrderKey) -> OrderRef:
        """Read one sales order by our key."""
        declared()
