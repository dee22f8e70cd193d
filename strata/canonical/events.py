"""What events of the backends say to processes: that something changed, never what it holds now."""

from __future__ import annotations

from msgspec import Struct

from strata.canonical.common import OrderKey


class ChannelOrderEvent(Struct, frozen=True, omit_defaults=True):
    """A channel order was created, paid, changed or cancelled. The order itself is read from the channel.

    Event types: `channel_order.created`, `.paid`, `.updated`, `.cancelled`; subject: the order's key.
    """

    key: OrderKey
    connection: str
    """The channel's connection."""
    number: str = ""
    """What the shopper sees, e.g. `#1001`, where the event tells it."""
    updated_at: str = ""
    """The order's version, as the channel writes it."""
