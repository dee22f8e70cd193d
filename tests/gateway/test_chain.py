from __future__ import annotations

import pytest

from gateway.chain import ORDER, chain
from gateway.policies.correlate import RequestId


class TestTheOrder:
    def test_it_reads_from_outside_to_inside(self) -> None:
        assert [policy.__name__ for policy in ORDER] == [
            "Observe",
            "RequestId",
            "Trace",
            "Problems",
            "Hygiene",
            "Routing",
            "AnnouncePolicy",
            "BodyLimit",
            "Authenticate",
            "PlanLimit",
            "Authorize",
            "MediaTypes",
            "Forward",
        ]

    def test_a_policy_that_is_missing_is_noticed(self) -> None:
        with pytest.raises(ValueError, match="not those of ORDER"):
            chain(RequestId())
