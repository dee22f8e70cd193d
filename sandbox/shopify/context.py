"""What a resolver can reach: the shop it works for, its memory, and the events it causes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sandbox.shopify.model import Shop
from sandbox.shopify.state import State

Args = Mapping[str, Any]
Resolver = Callable[[Any, "Context", Args], Any]
FieldTable = dict[str, dict[str, Resolver]]
# (shop, topic such as "orders/create", body of the webhook, event id, id of the object)
Emit = Callable[[str, str, Callable[[], dict[str, Any]], str], None]


class Context:
    """One per request. `event_id` names one action of a merchant or app: all webhooks it causes share it."""

    __slots__ = ("_now", "base_url", "emit_to", "event_id", "path", "search_notes", "shop", "state", "version")

    def __init__(self, state: State, shop: Shop, emit: Emit, *, base_url: str = "", version: str = "2026-10") -> None:
        self.state = state
        self.shop = shop
        self.emit_to = emit
        self.base_url = base_url
        self.version = version
        self.event_id = str(uuid4())
        self.search_notes: list[dict[str, Any]] = []
        self.path: list[str] = []
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        """The time of this request, the same for all it does."""
        if self._now is None:
            self._now = self.state.now()
        return self._now

    def emit(self, topic: str, body: Callable[[], dict[str, Any]]) -> None:
        """Send a webhook to whoever subscribed to the topic; the body is made only then."""
        self.emit_to(self.shop.subdomain, topic, body, self.event_id)

    def begin_action(self) -> None:
        self.event_id = str(uuid4())


def mine(ctx: Context, item: Any) -> Any:
    """An object of another shop is not there."""
    return item if item is not None and item.shop == ctx.shop.subdomain else None
