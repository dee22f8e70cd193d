"""The scaled-out form for contract tests: one process a service, real PostgreSQL and Redis, the sandbox beside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.scaled import Scaled


@pytest.fixture(scope="session")
def scaled(postgres_server: str, redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scaled]:
    made = Scaled(postgres_server, redis_server, tmp_path_factory.mktemp("scaled"))
    made.start()
    yield made
    made.stop()
