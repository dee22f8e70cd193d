"""Orders of a shop (capability `channel_orders`)."""

from __future__ import annotations

from datetime import UTC, datetime

from strata.canonical.orders import ChannelOrder
from strata.contracts.system import ChannelOrders
from strata.contracts.system.channel_orders import ChannelOrderPage, ErpLink
from strata.errors import Conflict, Invalid, NotFound, Transient
from system_apis.cursors import decode_cursor, encode_cursor
from system_apis.shopify import documents, mapping, wire
from system_apis.shopify.client import ShopifyClient, refuse, search_value

_READS = 3
"""How often an order that changes between the pages of its lines is read from the start."""


class ShopifyChannelOrders(ChannelOrders):
    """Serves the contract for one shop."""

    def __init__(self, connection: str, client: ShopifyClient) -> None:
        self._connection = connection
        self._client = client
        self._shop = client.connection.shop

    async def get_order(self, order_id: str) -> ChannelOrder:
        global_id = _order_gid(order_id)
        for _ in range(_READS):
            order = (await self._client.run(documents.ORDER, {"id": global_id})).order
            if order is None:
                raise NotFound(f"{self._shop} has no order {order_id}")
            lines = await self._all_lines(order)
            if lines is not None:
                return mapping.channel_order(order, lines, shop=self._shop, connection=self._connection)
        raise Transient(f"Order {order_id} of {self._shop} changes while it is being read")

    async def _all_lines(self, order: wire.Order) -> list[wire.LineItem] | None:
        """All lines of an order; None when it was changed between the pages."""
        lines, page = list(order.line_items.nodes), order.line_items.page_info
        while page.has_next_page:
            more = (await self._client.run(documents.ORDER_LINES, {"id": order.id, "after": page.end_cursor})).order
            if more is None or more.updated_at != order.updated_at:
                return None
            lines += more.line_items.nodes
            page = more.line_items.page_info
        return lines

    async def list_orders(
        self, *, updated_from: datetime, updated_to: datetime | None = None, cursor: str = "", limit: int = 100
    ) -> ChannelOrderPage:
        search = f"updated_at:>={search_value(_stamp(updated_from))}"
        if updated_to is not None:
            search += f" AND updated_at:<{search_value(_stamp(updated_to))}"
        after = decode_cursor(cursor, str) if cursor else None
        variables = {"first": limit, "after": after, "query": search}
        page = (await self._client.run(documents.ORDER_HEADS, variables)).orders
        following = page.page_info.end_cursor if page.page_info.has_next_page else None
        return ChannelOrderPage(
            items=tuple(mapping.order_head(head, self._shop) for head in page.nodes),
            next=encode_cursor(following) if following else "",
        )

    async def link_to_erp(self, order_id: str, *, body: ErpLink) -> ErpLink:
        global_id, tag = _order_gid(order_id), f"{mapping.TAG_PREFIX}{body.erp_order_number}"
        if len(tag) > mapping.MAX_TAG or "," in tag:
            raise Invalid(f"Shopify takes no tag like {tag!r}: at most {mapping.MAX_TAG} characters, no comma")
        values = (body.erp_order_id, body.erp_order_number)
        fields = [mapping.metafield(global_id, k, v) for k, v in zip(mapping.ORDER_LINK, values, strict=True)]
        data = await self._client.run(documents.LINK_ORDER, {"id": global_id, "metafields": fields, "tags": [tag]})
        refuse(data.metafields_set, f"Order {order_id} of {self._shop} takes no metafields")
        refuse(data.tags_add, f"Order {order_id} of {self._shop} takes no tag")
        return body

    async def link_customer_to_erp(self, customer_id: str, *, erp_customer_id: str) -> None:
        if not customer_id.isascii() or not customer_id.isdigit():
            raise NotFound(f"{self._shop} has no customer {customer_id}")
        field = mapping.metafield(mapping.gid("Customer", customer_id), mapping.CUSTOMER_LINK, erp_customer_id)
        data = await self._client.run(documents.LINK_CUSTOMER, {"metafields": [field]})
        try:
            refuse(data.metafields_set, f"Customer {customer_id} of {self._shop} takes no metafield")
        except Invalid as error:  # the contract knows no Invalid here: the value is ours
            raise Conflict(error.detail, errors=error.errors) from error


def _order_gid(order_id: str) -> str:
    if not order_id.isascii() or not order_id.isdigit():
        raise NotFound(f"An order id of a shop has digits only, not {order_id[:40]!r}")
    return mapping.gid("Order", order_id)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
