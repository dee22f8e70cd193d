"""Local limits at the edge, in memory, per client address: slowapi's Limiter behind a pure-ASGI adapter.

slowapi's own middleware limits nothing outside a Starlette application, so the Limiter is asked through its documented
decorator: each limit is a function with a `request` that slowapi wraps, called with a Starlette Request made from the
ASGI scope. Decision record 0008 says what slowapi does here and what it does not; tests/gateway/test_edge_limit.py
notices a release that behaves differently.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import cast

from limits import RateLimitItem, parse_many
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

from gateway.asgi import ASGIApp, Receive, Scope, Send
from gateway.core.address import limit_key
from gateway.core.route import ConfigurationError
from gateway.exchange import exchange_of

Refuse = Callable[[Send, int], Awaitable[None]]
"""Answers a request that has to wait so many seconds; may raise a ProblemError instead."""

_Admit = Callable[[Request], None]

_STRATEGY = "sliding-window-counter"  # two numbers per address, and no double quota at the edge of a fixed window


def address_of(request: Request) -> str:
    """What a limit counts by: the client's address after the trusted walk, an IPv6 client as its /64."""
    return limit_key(exchange_of(request.scope).address)


class _Limiter(Limiter):
    """slowapi's Limiter with settings from its constructor alone."""

    def get_app_config(self, key: str, default_value: object = None) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]  # its type variable has no other use
        """slowapi would read RATELIMIT_* from the environment and `.env`: a stray line could switch the limits off."""
        del key
        return default_value


class Count:
    """One declared limit and what it has counted, per address."""

    def __init__(self, limiter: Limiter, name: str, limit: str) -> None:
        """name: no other count of this limiter may have it. Raises ConfigurationError for an unreadable limit."""
        try:
            self._items = parse_many(limit)
        except ValueError:
            # slowapi would log this to nowhere and limit nothing
            raise ConfigurationError(f"settings: {limit!r} is not a limit such as 10/minute") from None

        def admit(request: Request) -> None:
            """Counted by slowapi before it is called."""

        # slowapi knows a function by its name: two of one name would get each other's limits too.
        # shared_limit: limit() would count each path on its own.
        admit.__name__ = name
        decorate = cast("Callable[[_Admit], _Admit]", limiter.shared_limit(limit, scope=name))  # pyright: ignore[reportUnknownMemberType]  # half typed
        self._admit = decorate(admit)
        self._engine = limiter.limiter
        self._name = name
        self.refused = 0

    def hit(self, scope: Scope) -> int:
        """Count one. Returns 0 when it may go on, else the seconds to wait."""
        # a request of its own: slowapi writes into its state, and skips a request that it has seen before
        request = Request({**scope, "state": {}})
        try:
            self._admit(request)
        except RateLimitExceeded as exceeded:
            self.refused += 1
            # the declared limit that was reached; slowapi lets it be None, but never raises without one
            item = exceeded.limit.limit if exceeded.limit is not None else self._items[0]
            return self._wait_s(item, address_of(request))
        return 0

    def peek(self, scope: Scope) -> int:
        """The same without counting."""
        key = limit_key(exchange_of(scope).address)
        for item in self._items:
            if not self._engine.test(item, key, self._name):
                self.refused += 1
                return self._wait_s(item, key)
        return 0

    def _wait_s(self, item: RateLimitItem, key: str) -> int:
        window = self._engine.get_window_stats(item, key, self._name)
        return max(1, math.ceil(window.reset_time - time.time()))


class EdgeLimit:
    """The limits of one gateway. Limit strings such as `10/minute;100/day`."""

    def __init__(self) -> None:
        self._limiter = _Limiter(key_func=address_of, strategy=_STRATEGY, storage_uri="memory://", storage_options={})
        self._limiter.logger.disabled = True  # it logs whole addresses; what was refused is counted
        self._counts: dict[str, Count] = {}

    @property
    def refused(self) -> int:
        """Requests that were held off."""
        return sum(count.refused for count in self._counts.values())

    def count(self, name: str, limit: str) -> Count:
        """Declare a limit, to be hit and peeked at by hand. Raises ConfigurationError for an unreadable limit."""
        if name in self._counts:
            raise ConfigurationError(f"the edge limit {name} is declared twice")
        made = self._counts[name] = Count(self._limiter, name, limit)
        return made

    def guard(self, name: str, limit: str, app: ASGIApp, refuse: Refuse) -> ASGIApp:
        """The application, reached by an address as often as the limit allows, whatever the path and method."""
        count = self.count(name, limit)

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            wait_s = count.hit(scope)
            if wait_s:
                await refuse(send, wait_s)
            else:
                await app(scope, receive, send)

        return guarded
