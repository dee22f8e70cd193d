"""What process code sees: steps that are recorded once, waits that hold nothing."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Generic, TypeVar, TypeVarTuple

import msgspec
from msgspec import Struct
from opentelemetry import trace

from strata.durable.definition import result_type
from strata.durable.journal import current_traceparent
from strata.durable.retry import AUTH_PROBE, CIRCUIT, RETRY, CircuitPolicy, RetryPolicy, delay_s
from strata.durable.store import Store
from strata.durable.types import Signal
from strata.errors import CodeChanged, FailureClass, Poison, StrataError, UnknownOutcome, from_problem, to_problem

S = TypeVar("S")
R = TypeVar("R")
Args = TypeVarTuple("Args")
_NAMESPACE = uuid.UUID("6b0e7a52-54f4-4c0f-8a1e-1d3f0c7a9b11")
_TRACER = trace.get_tracer("strata.durable")
_FOREVER = float("inf")
_LEAVE = f"SELECT durable.leave({', '.join(f'${n}' for n in range(1, 20))})"


class Left(BaseException):  # not an error: it unwinds process code that has to let go of its run
    """The run has left this worker (parked, or taken over): nothing of it may be written any more."""


class Claimed(Struct, frozen=True, kw_only=True):
    """A run as its worker got it."""

    id: int
    process: str
    version: int
    key: str
    order_key: str
    correlation_id: str
    traceparent: str | None
    input: bytes
    fence: int
    attempt: int
    begun: bool
    failing: bool
    probe: str | None


class Recorded(Struct, frozen=True):
    """A step that an earlier claim recorded."""

    name: str
    kind: str
    result: bytes


class BackendView(Struct, frozen=True):
    """What a worker knows of a backend: why it is paused, and how often it has failed in a row."""

    paused: str | None
    why: str
    failures: int


class At(Generic[S]):
    """Handed to a step function: where it stands."""

    __slots__ = ("attempt", "correlation_id", "key", "repeated", "run_id", "services", "traceparent")

    def __init__(
        self,
        services: S,
        *,
        key: str,
        attempt: int,
        repeated: bool,
        run_id: int,
        correlation_id: str,
        traceparent: str | None,
    ) -> None:
        self.services = services
        self.key = key
        """Idempotency key of (run key, step): the same over retries, take-overs and replays. A UUID."""
        self.attempt = attempt
        """1 on the first try since the last progress."""
        self.repeated = repeated
        """This step may have been started before: look before you write (contract C3)."""
        self.run_id = run_id
        self.correlation_id = correlation_id
        self.traceparent = traceparent


class Run(Generic[S]):
    """One run of a process, while a worker holds it. Steps go one after another."""

    def __init__(
        self,
        store: Store,
        claimed: Claimed,
        services: S,
        *,
        recorded: list[Recorded],
        overrides: Mapping[str, bytes],
        backends: Mapping[str, BackendView],
        step_timeout_s: float,
    ) -> None:
        self.id, self.process, self.version, self.key = claimed.id, claimed.process, claimed.version, claimed.key
        self.order_key, self.correlation_id, self.services = claimed.order_key, claimed.correlation_id, services
        self._store = store
        self._claimed = claimed
        self._recorded = recorded
        self._overrides = overrides
        self._backends = backends
        self._step_timeout_s = step_timeout_s
        self._pos = 0
        self._names: dict[str, int] = {}
        self._maybe_begun = claimed.begun
        self._attempt = claimed.attempt
        self._failing = claimed.failing
        self._facts: dict[str, object] = {}
        self._left = False
        self._at: tuple[str, str | None] = ("", None)  # the step that is under way and its backend
        self._raised: tuple[int, str, StrataError] | None = None

    async def step(
        self,
        fn: Callable[[At[S], *Args], Awaitable[R]],
        *args: *Args,
        name: str | None = None,
        backend: str | None = None,
    ) -> R:
        """Call `fn(at, *args)` and record its result, or answer the result recorded before without calling it.

        The result is JSON of the type `fn` is annotated to return. name: default the function's, "#2" when it comes
        again. backend: the account it talks to; while that is paused the run parks and holds nothing.
        """
        kind = result_type(fn)
        pos, name, found = await self._next(name or getattr(fn, "__name__", "step"))
        if found is not None:
            if found.kind == "failed":
                raise from_problem(found.result, 500)
            return msgspec.json.decode(found.result, type=kind)
        if name in self._overrides:
            result = self._overrides[name]
            value: R = msgspec.json.decode(result, type=kind)
            await self._record(pos, name, "step", result)
            return value
        self._at = (name, backend)
        if (
            backend is not None
            and backend != self._claimed.probe
            and (view := self._backends.get(backend))
            and view.paused
        ):
            await self._leave(RetryPolicy(status="parked"), None, f"{backend} is paused: {view.why}")
            raise Left
        repeated, self._maybe_begun = self._maybe_begun, True
        key = str(uuid.uuid5(_NAMESPACE, f"{self.process}\n{self.key}\n{name}"))
        began = time.monotonic()
        with self._span(name, pos):
            at = At(
                self.services,
                key=key,
                attempt=self._attempt + 1,
                repeated=repeated,
                run_id=self.id,
                correlation_id=self.correlation_id,
                traceparent=current_traceparent(),
            )
            limit = asyncio.timeout(self._step_timeout_s)
            try:
                async with limit:
                    made = await fn(at, *args)
            except TimeoutError as exc:
                if not limit.expired():
                    raise
                error = UnknownOutcome(f"{name} took longer than {self._step_timeout_s:g} s")
                self._raised = (pos, name, error)
                raise error from exc
            except StrataError as exc:
                self._raised = (pos, name, exc)
                raise
        result = msgspec.json.encode(made)
        value = msgspec.json.decode(result, type=kind)  # what a replay will see is what this pass sees
        await self._record(pos, name, "step", result, took_ms=int((time.monotonic() - began) * 1000), backend=backend)
        return value

    async def wait_for(self, signal: str, *, reason: str, timeout_s: float | None = None) -> Signal | None:
        """Wait, holding nothing, for a signal not yet taken; one that came before counts. None: `timeout_s` passed."""
        pos, name, found = await self._next(f"wait for {signal}")
        if found is None:
            self._at = (name, None)
            sql = "SELECT outcome, result FROM durable.wait($1, $2, $3, $4, $5, $6, $7, $8)"
            asked = (self.id, self._claimed.fence, pos, name, signal, reason, timeout_s, self._take_facts())
            [row] = await self._store.call(sql, *asked, patience_s=_FOREVER)
            if row["outcome"] in {"parked", "fenced"}:
                self._left = True
                raise Left
            self._maybe_begun, self._attempt, self._failing = False, 0, False
            found = Recorded(name, row["outcome"], row["result"])
        return Signal(signal, found.result) if found.kind == "signal" else None

    async def skip(self, name: str, reason: str) -> None:
        """Record that a step does not apply here, and why."""
        pos, name, found = await self._next(name)
        if found is None:
            await self._record(pos, name, "skip", msgspec.json.encode(reason))

    async def now(self) -> datetime:
        """The journal's clock, recorded: the same on every replay."""
        pos, name, found = await self._next("now")
        if found is not None:
            return msgspec.json.decode(found.result, type=datetime)
        moment: datetime = await self._store.value("SELECT durable.now()", patience_s=_FOREVER)
        await self._record(pos, name, "now", msgspec.json.encode(moment))
        return moment

    def note(self, **facts: object) -> None:
        """Small facts for people, kept with the next write; `label` is the one that names the run in lists."""
        self._facts |= {name: plain(value) if isinstance(value, str) else value for name, value in facts.items()}

    async def _next(self, name: str) -> tuple[int, str, Recorded | None]:
        if self._left:
            raise Left
        if self._raised is not None:  # process code caught what a step raised: a replay must raise it again
            failed_pos, failed_name, error = self._raised
            self._raised = None
            problem = msgspec.json.encode(to_problem(error, internal=True))
            await self._record(failed_pos, failed_name, "failed", problem)
        pos, self._pos = self._pos, self._pos + 1
        nth = self._names[name] = self._names.get(name, 0) + 1
        name = name if nth == 1 else f"{name}#{nth}"
        if pos >= len(self._recorded):
            return pos, name, None
        found = self._recorded[pos]
        if found.name != name:
            raise CodeChanged(f"Step {pos + 1} was recorded as {found.name!r}; the code now has {name!r} there")
        return pos, name, found

    async def _record(
        self, pos: int, name: str, kind: str, result: bytes, *, took_ms: int = 0, backend: str | None = None
    ) -> None:
        healed = backend is not None and (
            backend == self._claimed.probe or ((view := self._backends.get(backend)) is not None and view.failures > 0)
        )
        progress = self._attempt > 0 or self._failing
        held = await self._store.value(
            "SELECT durable.record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            *(self.id, self._claimed.fence, pos, name, kind, result, self._attempt + 1, took_ms, progress),
            *(backend if healed else None, self._take_facts()),
            patience_s=_FOREVER,
        )
        if not held:
            self._left = True
            raise Left
        self._maybe_begun, self._attempt, self._failing = False, 0, False
        self._at = ("", None)

    def _take_facts(self) -> str | None:
        facts, self._facts = self._facts, {}
        return msgspec.json.encode(facts).decode() if facts else None

    def _span(self, name: str, pos: int) -> AbstractContextManager[Any]:
        attributes = {"strata.run": self.id, "strata.step": pos, "strata.attempt": self._attempt + 1}
        return _TRACER.start_as_current_span(f"step {name}", attributes=attributes)

    @property
    def has_left(self) -> bool:
        """Whether the run was written off this worker already."""
        return self._left

    async def finish(self, result: object, kind: Any) -> None:
        """The process function returned (called by the worker). Raises CodeChanged: recorded steps are left over."""
        if self._left:
            raise Left
        if self._pos < len(self._recorded):
            raise CodeChanged(f"The code ended before step {self._recorded[self._pos].name!r}, which was recorded")
        encoded = msgspec.json.encode(result)
        msgspec.json.decode(encoded, type=kind)
        await self._leave(RetryPolicy(status="done", burns=False), "", None, result=encoded)

    async def fail(self, exc: BaseException) -> str:
        """The process function raised (called by the worker). Answers the status the run got."""
        error = exc if isinstance(exc, StrataError) else None
        failure_class = error.failure_class if error else FailureClass.POISON
        reason = plain(error.detail if error else f"{type(exc).__name__}: {exc}")
        policy = RETRY[failure_class]
        try:
            problem = msgspec.json.encode(to_problem(error or StrataError(reason), internal=True))
        except UnicodeEncodeError:  # half a surrogate pair in an error text
            problem = msgspec.json.encode(to_problem(StrataError(reason), internal=True))
        if policy.status == "parked" and self._at[1] is None:
            policy = msgspec.structs.replace(policy, status="sleeping")
        wait_s = delay_s(policy, self._attempt + 1, error.retry_after_s if error else None)
        return await self._leave(policy, failure_class, reason, wait_s=wait_s, problem=problem)

    async def hand_back(self) -> None:
        """The worker stops: anybody may go on at once."""
        await self._leave(RetryPolicy(status="ready", burns=False), None, None)

    async def _leave(
        self,
        policy: RetryPolicy,
        failure_class: str | None,
        reason: str | None,
        *,
        wait_s: float = 0.0,
        problem: bytes | None = None,
        result: bytes | None = None,
    ) -> str:
        self._left = True
        step, backend = self._at
        circuit: CircuitPolicy = AUTH_PROBE if failure_class == FailureClass.AUTH else CIRCUIT
        asked = (
            *(self.id, self._claimed.fence, self.order_key, policy.status, failure_class, step or None),
            reason,
            *(problem, wait_s, policy.give_up_s, policy.give_up_class, policy.burns and problem is not None),
            *(self._maybe_begun, backend, circuit.failures, circuit.cooldown_s, circuit.cap_s),
            *(result, self._take_facts()),
        )
        try:
            status: str = await self._store.value(_LEAVE, *asked, patience_s=_FOREVER)
        except Poison:  # refused for good: the run is still here, and fails for it
            self._left = False
            raise
        return status


def plain(text: str) -> str:
    """A text PostgreSQL takes: without NUL, without half surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
