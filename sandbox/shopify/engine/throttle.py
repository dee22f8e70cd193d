"""Leaky buckets: GraphQL points and REST calls. Time is the sandbox's."""

from __future__ import annotations

from typing import Any

from sandbox.core.clock import Clock


class Bucket:
    """size: points it holds; rate: points restored per second."""

    def __init__(self, clock: Clock, size: float, rate: float) -> None:
        self._clock = clock
        self.size = size
        self.rate = rate
        self._available = size
        self._at = clock.now()

    def resize(self, size: float, rate: float) -> None:
        """Another plan: the bucket starts full."""
        if (size, rate) != (self.size, self.rate):
            self.size, self.rate, self._available, self._at = size, rate, size, self._clock.now()

    def _restore(self) -> None:
        now = self._clock.now()
        passed_s = (now - self._at).total_seconds()
        # a clock that was set back restores nothing, and time counts from there
        self._available = min(self.size, self._available + max(0.0, passed_s) * self.rate)
        self._at = now

    def take(self, points: float) -> bool:
        """Whether so many points were there; they are gone then."""
        self._restore()
        if points > self._available:
            return False
        self._available -= points
        return True

    def give_back(self, points: float) -> None:
        self._available = min(self.size, self._available + points)

    def empty(self) -> None:
        self._restore()
        self._available = 0.0

    @property
    def used(self) -> int:
        self._restore()
        return int(self.size - self._available)

    def status(self) -> dict[str, Any]:
        self._restore()
        return {
            "maximumAvailable": float(self.size),
            "currentlyAvailable": int(self._available),
            "restoreRate": float(self.rate),
        }
