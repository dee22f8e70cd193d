"""What a simulated vendor is, to the rest of the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from sandbox.core.clock import Clock
from sandbox.core.faults import Fault, Faults
from sandbox.core.http import Request, Response
from sandbox.core.keep import Secrets
from sandbox.core.requests import RequestLog
from sandbox.core.store import Store


class Context(msgspec.Struct, frozen=True):
    """What the sandbox gives a vendor to live in. folder: its own, for files such as keys."""

    name: str
    folder: Path
    store: Store
    clock: Clock
    faults: Faults
    requests: RequestLog
    secrets: Secrets


class Urls(msgspec.Struct, frozen=True):
    """Where a vendor can be reached; no URL ends in a slash."""

    base_url: str
    tls_url: str
    ca_file: str
    control_url: str


class Limits(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Settings every vendor has; a vendor's own Limits derive from it and may be changed while running.

    latency_ms: steady latency of every answer. concurrency: requests at a time, where the vendor has such a limit.
    request_timeout_s: when the vendor's server itself ends a request; the default of `hang_s`.
    """

    latency_ms: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = None
    request_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 30.0


class Vendor(Protocol):
    """One vendor. `handle` is synchronous and runs in one store transaction, so a request is atomic.

    The order for each request: identify -> admit -> faults -> handle (commit) -> answer -> leave.
    """

    name: str
    context: Context
    limits: Limits
    limits_type: type[Limits]
    tls_names: Sequence[str]

    def identify(self, request: Request) -> tuple[Sequence[str], str | None]:
        """Names of the operations asked for (for faults and the log; at least one) and the shop or account."""
        ...

    def admit(self, request: Request) -> Response | None:
        """Take a place under the vendor's own limits, or answer that there is none (nothing was taken then)."""
        ...

    def leave(self, request: Request) -> None:
        """Give the place back: after the answer, and after a hang, but never because the caller has gone."""
        ...

    def handle(self, request: Request) -> Response:
        """Do the work. Whatever it raises is a bug of the sandbox: answered as the vendor's internal error."""
        ...

    def error(self, request: Request, kind: str, fault: Fault | None) -> Response:
        """The vendor's own form of: "status" (see fault.status), "throttle", "maintenance", "internal"."""
        ...

    def seed(self, options: bytes) -> object:
        """Add data as `POST /_sandbox/seed` asks (JSON). Raises msgspec.ValidationError for wrong options."""
        ...

    def fill(self, seed: int) -> None:
        """Put the company's data into an empty store (inside a transaction)."""
        ...

    def forget(self) -> None:
        """Drop what is cached outside of the store: it was wiped."""
        ...

    def info(self, urls: Urls) -> dict[str, object]:
        """The vendor's part of `sandbox info`: urls, account or shop, credentials for every way to log in."""
        ...

    def coverage(self) -> str:
        """COVERAGE.md: what is there and what is not, as Markdown."""
        ...

    async def start(self, urls: Urls) -> None:
        """Begin background work such as webhook delivery."""
        ...

    async def stop(self) -> None:
        """End it; may be called when `start` was not."""
        ...
