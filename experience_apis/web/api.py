"""Serves the contract `web`: asks the order process, shows the answer."""

from __future__ import annotations

from experience_apis.callers import current_sight
from experience_apis.web.views import order_page
from strata.context import Context
from strata.contracts.experience.web import WebOrder, WebOrders
from strata.contracts.process import OrderManagement


class Orders(WebOrders):
    """Order status for web shops and customer portals."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _orders(self) -> OrderManagement:
        return self._context.topology.process(OrderManagement)

    async def get_order(self, order_id: str) -> WebOrder:
        """Read one order by id; one that the caller may not see is missing like any other."""
        sight = current_sight()
        return order_page(await self._orders.get_order(order_id, shops=sight.shops, partner=sight.partner))

    async def find_order(self, number: str, *, shop: str = "") -> WebOrder:
        """Read one order by the number the shopper sees."""
        sight = current_sight()
        return order_page(await self._orders.find_order(number, shop=shop, shops=sight.shops, partner=sight.partner))
