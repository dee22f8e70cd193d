"""What the caller of an experience API may see, from its verified identity."""

from __future__ import annotations

from msgspec import Struct

from strata.errors import Unauthenticated
from strata.identity import Identity
from strata.serve import identity

EVERY_SHOP = "*"


class Sight(Struct, frozen=True):
    """Which orders a caller may see, in the words of the order process: shops, and the partner they are for."""

    shops: str
    partner: str = ""


def sight_of(caller: Identity | None) -> Sight:
    """What a caller may see. A partner sees its shops, or, where it has none named, the orders routed to it.

    Raises Unauthenticated when nobody is known to call: an experience API is never open.
    """
    if caller is None:
        raise Unauthenticated("Who is calling is not known")
    if caller.shops:
        return Sight(",".join(caller.shops))
    if caller.partner is not None:
        return Sight(EVERY_SHOP, caller.partner or "-")
    return Sight(EVERY_SHOP)


def current_sight() -> Sight:
    """What the caller of the current request may see. Raises Unauthenticated."""
    return sight_of(identity())
