"""The smallest vendor there can be, to test what all vendors stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest

from sandbox.core.app import VendorApp
from sandbox.core.clock import Clock
from sandbox.core.faults import Fault, Faults
from sandbox.core.http import Request, Response, json_response
from sandbox.core.keep import Secrets
from sandbox.core.requests import RequestLog
from sandbox.core.store import Store
from sandbox.core.vendor import Context, Limits, Urls


class SeedOptions(msgspec.Struct, forbid_unknown_fields=True):
    notes: int = 0


class Echo:
    """Every POST stores a note; GET counts them. `boom` in the path is a bug."""

    name = "echo"
    limits_type: type[Limits] = Limits
    tls_names: Sequence[str] = ()

    def __init__(self, context: Context) -> None:
        self.context = context
        self.limits = Limits()
        self.admitted = 0
        self.left = 0

    def identify(self, request: Request) -> tuple[Sequence[str], str | None]:
        return (f"note:{request.method}",), request.headers.get("x-account")

    def admit(self, request: Request) -> Response | None:
        if self.limits.concurrency is not None and self.admitted - self.left >= self.limits.concurrency:
            return json_response({"error": "too many"}, 429)
        self.admitted += 1
        return None

    def leave(self, request: Request) -> None:
        self.left += 1

    def handle(self, request: Request) -> Response:
        store = self.context.store
        if request.method == "POST":
            number = store.next("note")
            store.put("note", str(number), msgspec.json.encode({"id": number, "by": {"name": request.path}}), {})
        if "boom" in request.path:
            raise RuntimeError("boom")
        return json_response({"notes": store.counts().get("note", 0), "base": request.base_url})

    def error(self, request: Request, kind: str, fault: Fault | None) -> Response:
        return json_response({"error": kind}, {"throttle": 429, "maintenance": 503}.get(kind, 500))

    def seed(self, options: bytes) -> object:
        wanted = msgspec.json.decode(options, type=SeedOptions)
        for number in range(wanted.notes):
            self.context.store.put("note", f"s{number}", b"{}", {})
        return {"notes": wanted.notes}

    def fill(self, seed: int) -> None:
        self.context.store.put("note", "filled", msgspec.json.encode({"seed": seed}), {})

    def forget(self) -> None: ...

    def info(self, urls: Urls) -> dict[str, object]:
        return {"base_url": urls.base_url}

    def coverage(self) -> str:
        return "# Echo\n"

    async def start(self, urls: Urls) -> None: ...

    async def stop(self) -> None: ...


@pytest.fixture
def make_echo(tmp_path: Path) -> Callable[[], Echo]:
    def make() -> Echo:
        clock = Clock()
        return Echo(Context("echo", tmp_path, Store(None), clock, Faults(clock), RequestLog(), Secrets(None)))

    return make


@pytest.fixture
def echo(make_echo: Callable[[], Echo]) -> Echo:
    return make_echo()


@pytest.fixture
async def client(echo: Echo) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=VendorApp(echo), raise_app_exceptions=True)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://echo.test:81") as client:
        yield client
