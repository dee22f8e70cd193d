"""Rate limits: the plan, the decision (a sliding window in slots) and the fields that announce it.

`q=600;w=60` is a promise in both directions: over any stretch of `window_s` at most `quota` requests pass, whatever
came before. A token bucket or GCRA lets the quota through at once after a pause and again while it refills, and a fixed
window twice at its edge. So requests are counted in slots of a 60th of the window, and a slot is forgotten only when
all of it is older than the window: exact as a limit, 61 numbers per client at most, and a client that spreads its
calls evenly gets 60 parts in 61 of its quota. Times are whole microseconds, so that the Redis script counts the same.
Fields: draft-ietf-httpapi-ratelimit-headers (structured fields, RFC 9651).
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

SLOTS: Final = 60
"""Whole slots in a window; one more is under way."""


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """How many requests one client may send in any stretch of window_s seconds."""

    quota: Annotated[int, Meta(ge=1, le=100_000_000)]
    window_s: Annotated[int, Meta(ge=1, le=86_400)] = 60

    @property
    def slot_us(self) -> int:
        """Length of a slot, rounded up: 60 of them are never shorter than the window."""
        return -(-self.window_s * 1_000_000 // SLOTS)


class Decision(Struct, frozen=True):
    """remaining: requests that may follow at once. reset_s: until the whole quota is there again. retry_after_s: 0
    when allowed. shared: False when the store was not reachable and this node counted alone."""

    allowed: bool
    remaining: int
    reset_s: int
    retry_after_s: int
    shared: bool = True


class Usage(Struct):
    """What one key used: requests per slot, the oldest first, and their sum. ends_us: when the last is forgotten."""

    slots: dict[int, int] = field(default_factory=dict[int, int])
    used: int = 0
    ends_us: int = 0


def decide(usage: Usage, now_us: int, plan: Plan) -> Decision:
    """May one more request pass? Counts it in `usage` when it may; a refused request costs nothing.

    A clock that steps back a little makes nobody richer; one that jumps back by more than the window starts anew.
    """
    length = plan.slot_us
    slot = now_us // length
    slots = usage.slots
    if slots:
        newest = next(reversed(slots))
        if newest - slot > SLOTS:
            slots.clear()
            usage.used = 0
        else:
            slot = max(slot, newest)
    while slots and (oldest := next(iter(slots))) < slot - SLOTS:
        usage.used -= slots.pop(oldest)
    allowed = usage.used < plan.quota
    if allowed:
        slots[slot] = slots.get(slot, 0) + 1
        usage.used += 1
    newest = next(reversed(slots))
    usage.ends_us = _end_us(newest, length)
    return describe(allowed=allowed, used=usage.used, oldest=next(iter(slots)), newest=newest, now_us=now_us, plan=plan)


def describe(*, allowed: bool, used: int, oldest: int, newest: int, now_us: int, plan: Plan) -> Decision:
    """What the fields say. oldest, newest: the slots that still count; used: requests in all of them."""
    length = plan.slot_us
    reset = _seconds_up(_end_us(newest, length) - now_us)
    retry = 0 if allowed else max(1, _seconds_up(_end_us(oldest, length) - now_us))
    return Decision(allowed, max(0, plan.quota - used), max(reset, retry), retry)


def _end_us(slot: int, length_us: int) -> int:
    """When the slot no longer counts."""
    return (slot + SLOTS + 1) * length_us


def _seconds_up(microseconds: int) -> int:
    return max(0, -(-microseconds // 1_000_000))


def policy_field(name: str, plan: Plan) -> bytes:
    """`RateLimit-Policy: "standard";q=600;w=60`."""
    return f'"{name}";q={plan.quota};w={plan.window_s}'.encode()


def limit_field(name: str, decision: Decision) -> bytes:
    """`RateLimit: "standard";r=42;t=17`. When refused, t is the time until the next request may come."""
    seconds = decision.reset_s if decision.allowed else decision.retry_after_s
    return f'"{name}";r={decision.remaining};t={seconds}'.encode()
