"""The account's concurrency: how many requests may be in flight, REST and RESTlets together (subsect_1559222360).

A request counts from its arrival until the server is done with it, also when its caller has long gone.
"""

from __future__ import annotations


class Governance:
    """A counter with a limit that may change at any time."""

    def __init__(self) -> None:
        self.in_flight = 0

    def enter(self, limit: int | None) -> bool:
        """Take a place; False, and nothing taken, when there is none."""
        if limit is not None and self.in_flight >= limit:
            return False
        self.in_flight += 1
        return True

    def leave(self) -> None:
        self.in_flight -= 1
