"""docs/reference/sandbox-control.md says what the code does: every member is documented, every example is valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from sandbox.core.clock import ClockChange
from sandbox.core.control import BODIES, ROUTES
from sandbox.core.faults import Fault, Kind, Match
from sandbox.core.vendor import Limits
from sandbox.netsuite import clerk
from sandbox.shopify.seed import SeedOptions
from sandbox.shopify.vendor import ShopifyLimits

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "sandbox-control.md").read_text()
TYPES = BODIES | {"limits.shopify": ShopifyLimits, "seed.shopify": SeedOptions, "seed.netsuite": clerk.Seed}
EXAMPLES = re.findall(r"```json ([\w.]+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_the_examples_are_valid(name, text):
    struct = TYPES[name]
    msgspec.json.decode(text, type=list[struct] if text.lstrip().startswith("[") else struct)


def test_there_is_an_example_of_each_body():
    assert {name for name, _ in EXAMPLES} == set(TYPES)


CLERK = [clerk.Seed, clerk.Fulfil, clerk.FulfilLine, clerk.StockChange, clerk.Inactivate]


@pytest.mark.parametrize(
    "struct", [*BODIES.values(), Match, Limits, ClockChange, Fault, SeedOptions, ShopifyLimits, *CLERK]
)
def test_every_member_is_documented(struct):
    missing = [field for field in struct.__struct_fields__ if f"`{field}`" not in PAGE]
    assert missing == []


def test_every_kind_and_route_is_documented():
    assert [kind for kind in get_args(Kind) if f"`{kind}`" not in PAGE] == []
    assert [name for name in ROUTES if f"/_sandbox/{name}" not in PAGE] == []
