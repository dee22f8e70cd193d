"""However a backend fails, the caller sees the same error types."""

from __future__ import annotations

import pytest

from strata.contracts import Contract
from strata.errors import AuthRefused, NotFound, StrataError, Throttled, Transient, Unreachable
from tests.conformance.arrangements import READS, Arrangement
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.sandboxes import Sandbox

OFFERED = [pytest.param(a, c, id=f"{named(a)}-{c.name}") for c in READS for a in offering(c)]
pytestmark = pytest.mark.parametrize(("backend", "contract"), OFFERED)


async def failure(house_of: OpenHouse, backend: Arrangement, contract: type[Contract], sandbox: Sandbox) -> StrataError:
    """What the cheap read of a contract raises."""
    connection = backend.connection(sandbox)
    house = await house_of(connection)
    with pytest.raises(StrataError) as caught:
        await READS[contract](house.system(connection.name, contract))
    return caught.value


class TestReads:
    async def test_a_credential_that_is_refused(
        self, backend: Arrangement, contract: type[Contract], sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        connection = backend.refused(sandbox)
        api = (await open_house(connection)).system(connection.name, contract)
        with pytest.raises(AuthRefused):
            await READS[contract](api)

    async def test_a_backend_that_is_not_there(
        self, backend: Arrangement, contract: type[Contract], sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        connection = backend.elsewhere(sandbox)
        api = (await open_house(connection)).system(connection.name, contract)
        with pytest.raises(Unreachable):
            await READS[contract](api)

    async def test_throttling_says_when_to_come_back(
        self, backend: Arrangement, contract: type[Contract], sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        backend.control(sandbox).fault("throttle", backend.faulty_read[contract])
        error = await failure(open_house, backend, contract, sandbox)
        assert isinstance(error, Throttled)
        assert error.retry_after_s is not None
        assert 0 < error.retry_after_s < 60

    @pytest.mark.parametrize("status", [500, 502, 503])
    async def test_a_server_error_passes(
        self, backend: Arrangement, contract: type[Contract], sandbox: Sandbox, open_house: OpenHouse, status: int
    ) -> None:
        backend.control(sandbox).fault("status", backend.faulty_read[contract], status=status)
        assert isinstance(await failure(open_house, backend, contract, sandbox), Transient)

    async def test_maintenance_passes(
        self, backend: Arrangement, contract: type[Contract], sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        backend.control(sandbox).fault("maintenance", backend.faulty_read[contract])
        assert isinstance(await failure(open_house, backend, contract, sandbox), Transient)

    @pytest.mark.parametrize("kind", ["connection_reset", "truncated", "malformed"])
    async def test_an_answer_that_does_not_come_whole_passes(
        self, backend: Arrangement, contract: type[Contract], sandbox: Sandbox, open_house: OpenHouse, kind: str
    ) -> None:
        backend.control(sandbox).fault(kind, backend.faulty_read[contract])
        error = await failure(open_house, backend, contract, sandbox)
        assert isinstance(error, Transient)
        assert not isinstance(error, Unreachable)

    async def test_after_the_trouble_it_works_again(
        self, backend: Arrangement, contract: type[Contract], sandbox: Sandbox, open_house: OpenHouse
    ) -> None:
        backend.control(sandbox).fault("status", backend.faulty_read[contract], status=503, times=1)
        connection = backend.connection(sandbox)
        api = (await open_house(connection)).system(connection.name, contract)
        with pytest.raises(Transient):
            await READS[contract](api)
        try:
            await READS[contract](api)
        except NotFound:
            return  # an answer, too
