"""Telling a shop what was shipped (capability `channel_fulfilments`)."""

from __future__ import annotations

from strata.contracts.system import ChannelFulfilments
from strata.contracts.system.channel_fulfilments import (
    ChannelFulfilment,
    FulfilmentRef,
    FulfilmentState,
    NewFulfilment,
    OpenLine,
    Tracking,
)
from strata.errors import NotFound, Transient
from system_apis.shopify import documents, mapping, wire
from system_apis.shopify.client import ShopifyClient, refuse

_PAGES = ((20, 20), (200, 1))
"""Fulfilments and lines of each to ask for: what nearly every order has, then what any may have."""


class ShopifyChannelFulfilments(ChannelFulfilments):
    """Serves the contract for one shop."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client
        self._shop = client.connection.shop

    async def get_state(self, order_id: str) -> FulfilmentState:
        if not order_id.isascii() or not order_id.isdigit():
            raise NotFound(f"{self._shop} has no order {order_id[:40]!r}")
        order_gid = mapping.gid("Order", order_id)
        shipped = await self._shipped(order_gid, order_id)
        return FulfilmentState(open_lines=await self._open(order_gid, order_id), fulfilments=shipped)

    async def _open(self, order_gid: str, order_id: str) -> tuple[OpenLine, ...]:
        found: list[OpenLine] = []
        after: str | None = None
        while True:
            data = await self._client.run(documents.FULFILMENT_ORDERS, {"id": order_gid, "after": after})
            if data.order is None:
                raise NotFound(f"{self._shop} has no order {order_id}")
            page = data.order.fulfillment_orders
            for each in page.nodes:
                found += mapping.open_lines(each, await self._open_lines(each))
            if not page.page_info.has_next_page:
                return tuple(found)
            after = page.page_info.end_cursor

    async def _open_lines(self, order: wire.FulfillmentOrder) -> list[wire.FulfillmentOrderLine]:
        lines, page = list(order.line_items.nodes), order.line_items.page_info
        while page.has_next_page:
            variables = {"id": order.id, "after": page.end_cursor}
            more = (await self._client.run(documents.FULFILMENT_ORDER_LINES, variables)).fulfillment_order
            if more is None:
                raise Transient(f"A fulfilment order of {self._shop} went away while it was being read")
            lines += more.line_items.nodes
            page = more.line_items.page_info
        return lines

    async def _shipped(self, order_gid: str, order_id: str) -> tuple[ChannelFulfilment, ...]:
        found: tuple[wire.Fulfillment, ...] = ()
        for first, lines in _PAGES:  # this list has no cursor: it is asked for again when it is longer than expected
            data = await self._client.run(documents.FULFILMENTS, {"id": order_gid, "first": first, "lines": lines})
            if data.order is None:
                raise NotFound(f"{self._shop} has no order {order_id}")
            found = data.order.fulfillments
            if len(found) < first:
                break
        return tuple([mapping.fulfilment(each, await self._shipped_lines(each)) for each in found])

    async def _shipped_lines(self, found: wire.Fulfillment) -> list[wire.FulfillmentLine]:
        lines, page = list(found.fulfillment_line_items.nodes), found.fulfillment_line_items.page_info
        while page.has_next_page:
            variables = {"id": found.id, "after": page.end_cursor}
            more = (await self._client.run(documents.FULFILMENT_LINES, variables)).fulfillment
            if more is None:
                raise Transient(f"A fulfilment of {self._shop} went away while it was being read")
            lines += more.fulfillment_line_items.nodes
            page = more.fulfillment_line_items.page_info
        return lines

    async def create(self, order_id: str, *, body: NewFulfilment) -> FulfilmentRef:
        data = await self._client.run(documents.FULFILMENT_CREATE, {"fulfillment": mapping.fulfilment_input(body)})
        payload = data.fulfillment_create
        refuse(payload, f"{self._shop} takes no shipment of order {order_id}")
        if payload is None or payload.fulfillment is None:
            raise Transient(f"{self._shop} answered the shipment of order {order_id} without a fulfilment")
        return FulfilmentRef(mapping.digits(payload.fulfillment.id))

    async def update_tracking(self, fulfilment_id: str, *, body: Tracking, notify_customer: bool = False) -> None:
        if not fulfilment_id.isascii() or not fulfilment_id.isdigit():
            raise NotFound(f"{self._shop} has no fulfilment {fulfilment_id[:40]!r}")
        variables = {
            "id": mapping.gid("Fulfillment", fulfilment_id),
            "tracking": mapping.tracking_input(body),
            "notify": notify_customer,
        }
        data = await self._client.run(documents.TRACKING_UPDATE, variables)
        refuse(data.fulfillment_tracking_info_update, f"{self._shop} takes no tracking for fulfilment {fulfilment_id}")
