"""Every backend that is installed takes part."""

from __future__ import annotations

import pytest

from strata.contracts.system import CONTRACTS
from system_apis.backend import Backend
from tests.conformance.arrangements import ARRANGEMENTS, READS
from tests.conformance.offering import backends, named


@pytest.mark.parametrize("backend", backends(), ids=named)
class TestBackend:
    def test_it_has_an_arrangement(self, backend: Backend) -> None:
        assert backend.vendor in ARRANGEMENTS

    def test_it_offers_contracts_of_the_house_and_health_among_them(self, backend: Backend) -> None:
        assert set(backend.capabilities) <= set(CONTRACTS)
        assert "health" in {contract.name for contract in backend.capabilities}

    def test_every_contract_it_offers_is_seen_failing(self, backend: Backend) -> None:
        offered = {contract for contract in backend.capabilities if contract.name != "health"}
        assert offered <= set(READS)
        assert offered <= set(ARRANGEMENTS[backend.vendor].faulty_read)
