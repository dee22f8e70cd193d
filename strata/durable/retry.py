"""What a failure of each class does next: one table."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from strata.errors import FailureClass as F


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """status: where the run goes. Times in seconds of the journal's clock."""

    status: str
    base_s: float = 0.0
    cap_s: float = 0.0
    burns: bool = True
    """Whether it counts as an attempt."""
    give_up_s: float | None = None
    """Dead letter when the step has failed for longer than this; None: never by time."""
    give_up_class: str = ""
    """The class of the dead letter then."""


class CircuitPolicy(Struct, frozen=True, kw_only=True):
    """When a backend is left alone, and how soon one probe tries it again (doubling up to the cap)."""

    failures: int = 5
    cooldown_s: float = 2.0
    cap_s: float = 30.0


RETRY: Mapping[F, RetryPolicy] = MappingProxyType(
    {
        # a four-hour outage must be survived; by time, because attempts come at any pace
        F.TRANSIENT: RetryPolicy(status="sleeping", base_s=1, cap_s=300, give_up_s=6 * 3600, give_up_class="T"),
        # the same; the step sees `repeated` and looks before it writes
        F.UNKNOWN_OUTCOME: RetryPolicy(status="sleeping", base_s=1, cap_s=300, give_up_s=6 * 3600, give_up_class="U"),
        # as long as the backend says; when it says nothing, a second
        F.THROTTLED: RetryPolicy(status="sleeping", base_s=1, cap_s=1, burns=False),
        # its backend is paused and probed; a step that names no backend tries again by itself
        F.AUTH: RetryPolicy(status="parked", base_s=30, cap_s=30, burns=False),
        # "waiting on X": woken by any signal, looked at again now and then, a matter for a person after a day
        F.DEPENDENCY: RetryPolicy(status="waiting", base_s=5, cap_s=300, give_up_s=24 * 3600, give_up_class="V"),
        F.VALIDATION: RetryPolicy(status="dead"),
        F.CONFLICT: RetryPolicy(status="dead"),
        F.POISON: RetryPolicy(status="dead"),
        F.CODE_CHANGED: RetryPolicy(status="dead"),
    }
)
CIRCUIT = CircuitPolicy()
AUTH_PROBE = CircuitPolicy(failures=1, cooldown_s=5.0, cap_s=60.0)


def delay_s(policy: RetryPolicy, attempt: int, retry_after_s: float | None) -> float:
    """How long to wait after failed attempt `attempt` (from 1): the server's hint, or exponential with jitter."""
    if retry_after_s is not None and not policy.burns:
        return retry_after_s
    grown = min(policy.cap_s, policy.base_s * 2.0 ** min(attempt - 1, 30))
    jittered = grown * random.uniform(0.5, 1.0)  # noqa: S311  # spreads retries, guards nothing
    return max(jittered, retry_after_s or 0.0)
