"""One running house for all end-to-end tests of a worker process; each test places its own orders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.running import House


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with House(STRATA_FULFILMENT_POLL_S="1", STRATA_SWEEP_S="2", STRATA_SWEEP_OVERLAP_S="60") as made:
        made.start()
        yield made
