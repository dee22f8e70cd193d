"""Contract `health`: it tells, and never raises."""

from __future__ import annotations

import pytest

from strata.contracts.system import Health
from tests.conformance.arrangements import Arrangement
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.parametrize("backend", offering(Health), ids=named)


class TestCheck:
    async def test_a_working_connection_is_ok(
        self, backend: Arrangement, sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        connection = backend.connection(sandbox)
        health = await (await open_house(connection)).system(connection.name, Health).check()
        assert (health.connection, health.vendor, health.state) == (connection.name, backend.vendor, "ok")

    async def test_a_bad_credential_is_told(
        self, backend: Arrangement, sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        connection = backend.refused(sandbox)
        assert (await (await open_house(connection)).system(connection.name, Health).check()).state == "auth_refused"

    async def test_a_backend_that_is_away_is_told(
        self, backend: Arrangement, sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        connection = backend.elsewhere(sandbox)
        assert (await (await open_house(connection)).system(connection.name, Health).check()).state == "unreachable"

    async def test_throttling_is_told(self, backend: Arrangement, sandbox: Sandbox, open_house: OpenHouse) -> None:
        backend.control(sandbox).fault("throttle")
        connection = backend.connection(sandbox)
        assert (await (await open_house(connection)).system(connection.name, Health).check()).state == "throttled"
