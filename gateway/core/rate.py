"""Rate limits: the plan, the decision (GCRA) and the fields that announce it.

Generic cell rate algorithm: one number per key, the theoretical arrival time. Over any window of `window_s` at most
`quota + burst` requests pass. Times are whole microseconds, so that the Redis script counts the same.
Fields: draft-ietf-httpapi-ratelimit-headers (structured fields, RFC 9651).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """How many requests one client may send. burst: at once, after a pause; the whole quota unless given."""

    quota: Annotated[int, Meta(ge=1, le=100_000_000)]
    window_s: Annotated[int, Meta(ge=1, le=86_400)] = 60
    burst: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None

    @property
    def tolerance(self) -> int:
        """Requests that may come at once."""
        return self.burst or self.quota

    @property
    def emission_us(self) -> int:
        """Microseconds that one request costs; at least one."""
        return max(1, self.window_s * 1_000_000 // self.quota)


class Decision(Struct, frozen=True):
    """remaining: requests that may follow at once. reset_s: until the full burst is there again. retry_after_s: 0
    when allowed. shared: False when the store was not reachable and this node counted alone."""

    allowed: bool
    remaining: int
    reset_s: int
    retry_after_s: int
    shared: bool = True


def decide(tat_us: int, now_us: int, plan: Plan) -> tuple[Decision, int]:
    """May one more request pass? tat_us: the key's stored theoretical arrival time, 0 if none.

    Returns the decision and the time to store; a refused request costs nothing.
    """
    cost = plan.emission_us
    window = cost * plan.tolerance
    start = max(tat_us, now_us)
    after = start + cost
    if after - now_us > window:
        return describe(allowed=False, tat_us=start, now_us=now_us, plan=plan), start
    return describe(allowed=True, tat_us=after, now_us=now_us, plan=plan), after


def describe(*, allowed: bool, tat_us: int, now_us: int, plan: Plan, shared: bool = True) -> Decision:
    """What the fields say about a key whose theoretical arrival time is tat_us."""
    cost = plan.emission_us
    ahead = max(0, tat_us - now_us)
    remaining = max(0, (cost * plan.tolerance - ahead) // cost)
    wait_us = 0 if allowed else ahead + cost - cost * plan.tolerance
    reset = _seconds_up(ahead)
    retry = max(1, _seconds_up(wait_us)) if not allowed else 0
    return Decision(allowed, remaining if allowed else 0, max(reset, retry), retry, shared)


def _seconds_up(microseconds: int) -> int:
    return -(-microseconds // 1_000_000)


def policy_field(name: str, plan: Plan) -> bytes:
    """`RateLimit-Policy: "standard";q=600;w=60`."""
    return f'"{name}";q={plan.quota};w={plan.window_s}'.encode()


def limit_field(name: str, decision: Decision) -> bytes:
    """`RateLimit: "standard";r=42;t=17`. When refused, t is the time until the next request may come."""
    seconds = decision.reset_s if decision.allowed else decision.retry_after_s
    return f'"{name}";r={decision.remaining};t={seconds}'.encode()
