"""Customers in a system of record."""

from __future__ import annotations

from strata.canonical.customers import CustomerDraft, CustomerKey, CustomerMatch
from strata.canonical.money import Currency
from strata.contracts.operation import Contract, Layer, declared, operation
from strata.contracts.system.channel_orders import COMMON
from strata.errors import Conflict, Invalid, Missing, NotFound, UnknownOutcome


class Customers(Contract):
    """Customers in a system of record."""

    name, layer, version, title = "customers", Layer.SYSTEM, "v1", "Customers"

    @operation("GET", "/customers/{customer_id}", scope="customers:read", errors=(NotFound, *COMMON))
    async def get_customer(self, customer_id: str) -> CustomerMatch:
        """Read one customer by the system's own id."""
        declared()

    @operation("GET", "/customers", scope="customers:read", errors=COMMON)
    async def find_customers(self, *, key: str = "", email: str = "") -> tuple[CustomerMatch, ...]:
        """Find customers by our key, by e-mail compared without regard to case, or by either when both are given.

        At most 25, inactive ones too.
        """
        declared()

    @operation(
        "PUT",
        "/customers/by_key/{key}",
        scope="customers:write",
        errors=(Invalid, Missing, Conflict, UnknownOutcome, *COMMON),
    )
    async def put_customer(self, key: CustomerKey, *, body: CustomerDraft, look_first: bool = False) -> CustomerMatch:
        """Create the customer under our key if it is not there; one that is there is answered as it is."""
        declared()

    @operation(
        "PUT",
        "/customers/{customer_id}/trading",
        scope="customers:write",
        errors=(NotFound, Invalid, UnknownOutcome, *COMMON),
    )
    async def allow_trading(self, customer_id: str, *, selling_entity: str, currency: Currency) -> CustomerMatch:
        """Make sure that this entity can sell to the customer in this currency. Doing it again changes nothing."""
        declared()
