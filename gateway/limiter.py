"""Where the counts of the plans live: in memory when embedded, in Redis when several gateways share them."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files
from typing import Protocol, cast

import redis.asyncio as redis_asyncio
import structlog
from redis.exceptions import RedisError

from gateway.core.rate import SLOTS, Decision, Plan, Usage, decide, describe

_log = structlog.stdlib.get_logger("strata.gateway")
_SWEEP_EVERY = 4_096


class Limiter(Protocol):
    """Decides whether one more request of a key may pass."""

    async def take(self, key: str, plan: Plan) -> Decision: ...

    async def ready(self) -> bool: ...

    async def close(self) -> None: ...


def _now_us() -> int:
    return time.monotonic_ns() // 1_000


class MemoryLimiter:
    """Counts of this process. Keys that used nothing lately are forgotten, so memory follows the active clients."""

    def __init__(self, clock_us: Callable[[], int] = _now_us) -> None:
        self._clock_us = clock_us
        self._usage: dict[str, Usage] = {}
        self._until_sweep = _SWEEP_EVERY

    async def take(self, key: str, plan: Plan) -> Decision:
        return self.take_now(key, plan)

    def take_now(self, key: str, plan: Plan) -> Decision:
        """The same without waiting."""
        now = self._clock_us()
        usage = self._usage.get(key)
        if usage is None:
            usage = self._usage[key] = Usage()
        decision = decide(usage, now, plan)
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._until_sweep = _SWEEP_EVERY
            self._usage = {name: kept for name, kept in self._usage.items() if kept.ends_us > now}
        return decision

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        self._usage.clear()


class RedisLimiter:
    """Counts that all gateways share, by one atomic script and Redis' own clock.

    Redis gone is "cannot tell", never "bad credentials": the request passes under this node's own count of the same
    plan, `degraded` rises, and Redis is asked again after `retry_s`.
    """

    def __init__(self, url: str, *, timeout_s: float = 0.1, retry_s: float = 1.0, prefix: str = "strata:plan:") -> None:
        client = redis_asyncio.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]  # untyped **kwargs
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, max_connections=64
        )
        self._client = client
        self._script = client.register_script(files("gateway").joinpath("window.lua").read_text("utf-8"))
        self._prefix = prefix
        self._retry_s = retry_s
        self._dark_until = 0.0
        self._local = MemoryLimiter()
        self.degraded = 0  # decisions that this node took alone

    async def take(self, key: str, plan: Plan) -> Decision:
        if time.monotonic() >= self._dark_until:
            try:
                reply = cast(
                    "list[int]",
                    await self._script(keys=[self._prefix + key], args=[plan.quota, plan.slot_us, SLOTS]),
                )
            except (RedisError, OSError, TimeoutError) as error:
                self._dark_until = time.monotonic() + self._retry_s
                _log.warning("limiter_degraded", error=type(error).__name__, retry_s=self._retry_s)
            else:
                allowed, used, oldest, newest, now_us = (int(number) for number in reply)
                return describe(
                    allowed=bool(allowed), used=used, oldest=oldest, newest=newest, now_us=now_us, plan=plan
                )
        self.degraded += 1
        alone = self._local.take_now(key, plan)
        return Decision(alone.allowed, alone.remaining, alone.reset_s, alone.retry_after_s, shared=False)

    async def ready(self) -> bool:
        """Does Redis answer? False does not stop the gateway: limits are then counted per node."""
        try:
            await self._client.ping()  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues]  # redis types ping as sync too
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        await self._client.aclose()
