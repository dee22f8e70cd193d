"""The sandbox's own time: real by default, and settable so that hours of retries and outages take seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /_sandbox/clock` takes; members apply in the order they are listed here.

    reset: back to real time. set: jump to this instant. offset_s: jump by so many seconds from now (sandbox time).
    speed: sandbox seconds per real second. freeze: stop (true) or go on (false).
    """

    reset: bool = False
    set: datetime | None = None
    offset_s: float | None = None
    speed: Annotated[float, msgspec.Meta(gt=0, le=100_000)] | None = None
    freeze: bool | None = None


class ClockState(msgspec.Struct, frozen=True):
    """Time as a straight line through (real_s, at) with slope `speed`; frozen means slope 0. real_s: Unix seconds."""

    real_s: float
    at: datetime
    speed: float = 1.0
    frozen: bool = False


class Clock:
    """Sandbox time. `real` gives Unix seconds and can be replaced in tests."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._listeners: list[Callable[[], None]] = []
        self.state = self._at_real_time()

    def _at_real_time(self) -> ClockState:
        real_s = self._real()
        return ClockState(real_s=real_s, at=datetime.fromtimestamp(real_s, UTC))

    def now(self) -> datetime:
        """The sandbox's present, tz-aware UTC."""
        state = self.state
        if state.frozen:
            return state.at
        return state.at + timedelta(seconds=(self._real() - state.real_s) * state.speed)

    def real_seconds_until(self, when: datetime) -> float | None:
        """Real seconds until the sandbox's clock shows `when`: 0.0 if it is past, None if time stands still."""
        ahead = (when - self.now()).total_seconds()
        if ahead <= 0:
            return 0.0
        return None if self.state.frozen else ahead / self.state.speed

    def change(self, change: ClockChange) -> datetime:
        """Apply a change, wake whoever waits on the clock, and answer the new time. Naive `set` is taken as UTC."""
        state = self._at_real_time() if change.reset else self.state
        now = state.at if change.reset else self.now()
        if change.set is not None:
            now = change.set.astimezone(UTC) if change.set.tzinfo else change.set.replace(tzinfo=UTC)
        if change.offset_s is not None:
            now += timedelta(seconds=change.offset_s)
        self.restore(
            ClockState(
                real_s=self._real(),
                at=now,
                speed=state.speed if change.speed is None else change.speed,
                frozen=state.frozen if change.freeze is None else change.freeze,
            )
        )
        return now

    def restore(self, state: ClockState) -> None:
        """Continue on a line kept from an earlier run."""
        self.state = state
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change, for loops that sleep until a sandbox time."""
        self._listeners.append(listener)
