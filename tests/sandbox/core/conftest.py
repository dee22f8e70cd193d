from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from echo import Echo  # a sibling module; tests are no package

from sandbox.core.app import VendorApp
from sandbox.core.clock import Clock
from sandbox.core.faults import Faults
from sandbox.core.keep import Secrets
from sandbox.core.requests import RequestLog
from sandbox.core.store import Store
from sandbox.core.vendor import Context


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
