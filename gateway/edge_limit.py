"""Local limits at the edge, in memory, per client address: the token endpoint against guessing.

The engine and the limit strings are those of `limits`, on which slowapi is built; decision record 0008 says why the
engine is used directly.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from gateway.core.address import limit_key


class EdgeLimit:
    """All requests, and refused client authentications on their own. Limit strings such as `10/minute`."""

    def __init__(self, requests: str, failures: str) -> None:
        """Raises ValueError for a limit string that cannot be read."""
        self._requests = parse(requests)
        self._failures = parse(failures)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self.refused = 0

    def request(self, address: str) -> int:
        """Count one request. Returns 0 when it may go on, else the seconds to wait."""
        key = limit_key(address)
        if not self._limiter.test(self._failures, "failure", key):
            self.refused += 1
            return self._wait_s(self._failures, "failure", key)
        if not self._limiter.hit(self._requests, "request", key):
            self.refused += 1
            return self._wait_s(self._requests, "request", key)
        return 0

    def failure(self, address: str) -> None:
        """Count one refused client authentication."""
        self._limiter.hit(self._failures, "failure", limit_key(address))

    def _wait_s(self, item: RateLimitItem, *key: str) -> int:
        window = self._limiter.get_window_stats(item, *key)
        return max(1, math.ceil(window.reset_time - time.time()))
