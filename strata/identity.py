"""Who is calling: what the gateway proved about a caller, carried with every hop behind it.

In process it travels as `scope["state"]["strata.identity"]`; over the network the topology turns it into a signed
internal token. No layer reads it from headers that a client could have written.
"""

from __future__ import annotations

from msgspec import Struct

STATE_KEY = "strata.identity"
"""Key of the `Identity` in an ASGI scope's `state`."""


class Identity(Struct, frozen=True):
    """A caller whose token was verified.

    subject: the `sub` of the token (a client credentials client is its own subject). scopes: exact strings, compared
    without wildcards. plan: the plan whose limits apply. partner: the partner this caller belongs to, or None for
    the house's own applications. shops: shop subdomains this caller may see; empty = not restricted by shop.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    plan: str
    partner: str | None = None
    shops: tuple[str, ...] = ()
