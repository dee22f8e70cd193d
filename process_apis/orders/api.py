"""Serves the contract `order_management` from the ledger and, for what stands still, from the journal."""

from __future__ import annotations

import msgspec

from process_apis.orders.problems import problem_of
from process_apis.orders.reading import Reader, Scope, decode_cursor, encode_cursor
from strata.canonical.common import PageSize
from strata.canonical.orders import OrderStatus
from strata.context import Context
from strata.contracts.process import OrderManagement
from strata.contracts.process.orders import OrderState, OrderStatePage
from strata.errors import BadParameter, Conflict, FieldError, NotFound


def scope(shops: str, partner: str) -> Scope:
    """What a caller may see: `*` is every shop, an empty list none."""
    named = None if shops == "*" else tuple(shop for shop in shops.split(",") if shop)
    return Scope(named, partner)


def _one(found: tuple[OrderState, ...], what: str) -> OrderState:
    match list(found):
        case []:
            raise NotFound(f"There is no order {what}")
        case [one]:
            return one
        case _:
            raise Conflict(f"There is more than one order {what}: name its shop, or ask by its key")


class Orders(OrderManagement):
    """Where an order stands."""

    def __init__(self, context: Context) -> None:
        self._reader = Reader(context.database)
        self._journal = context.journal

    async def get_order(self, order_id: str, *, shops: str = "*", partner: str = "") -> OrderState:
        """Read one order by our key, or by the source's numeric id."""
        allowed = scope(shops, partner)
        if ":" in order_id:
            found = await self._reader.by_key(order_id, allowed)
        else:
            found = await self._reader.by_source_id(order_id, allowed)
        return await self._with_problem(_one(found, order_id))

    async def find_order(self, number: str, *, shop: str = "", shops: str = "*", partner: str = "") -> OrderState:
        """Read one order by the number the shopper sees."""
        found = await self._reader.by_number(number, shop, scope(shops, partner))
        return await self._with_problem(_one(found, f"with number {number}"))

    async def list_orders(
        self, *, shops: str = "*", partner: str = "", status: str = "", cursor: str = "", limit: PageSize = 50
    ) -> OrderStatePage:
        """List orders, newest first. What stands still is told with the single order only."""
        if status and status not in set(OrderStatus):
            known = ", ".join(OrderStatus)
            raise BadParameter(
                "There is no such status", errors=(FieldError(f"must be one of {known}", "/query/status", status[:40]),)
            )
        before = decode_cursor(cursor) if cursor else None
        rows = await self._reader.page(scope(shops, partner), status=status, before=before, limit=limit + 1)
        more = len(rows) > limit
        return OrderStatePage(
            items=tuple(state for _, state in rows[:limit]), next=encode_cursor(rows[limit - 1][0]) if more else ""
        )

    async def _with_problem(self, state: OrderState) -> OrderState:
        problem = await problem_of(self._journal, state.key)
        return state if problem is None else msgspec.structs.replace(state, problem=problem)
