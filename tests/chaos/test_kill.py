"""Nothing lost, nothing twice: Strata is killed thirty times while shoppers go on buying."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.chaos.shoppers import Shoppers, assert_both_ends_agree, sellable
from tests.e2e.running import House

KILLS = 30


@pytest.fixture
def house() -> Iterator[House]:
    with House(STRATA_SWEEP_S="5", STRATA_SWEEP_OVERLAP_S="600") as made:
        made.start()
        yield made


@pytest.mark.timeout(900)
def test_thirty_kills_lose_nothing_and_double_nothing(house: House) -> None:
    rng = random.Random(30)
    sandbox = psutil.Process(house.sandbox_pid())
    with Shoppers(house.shopify(), sellable(house), per_s=3) as shoppers:
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.2, 2.5))
            house.kill()
            house.start()
    assert sandbox.is_running(), "the sandbox is not ours to kill"
    assert len(shoppers.placed) > KILLS
    assert_both_ends_agree(house, shoppers.placed, within_s=180)
