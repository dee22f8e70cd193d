"""The reference names every table, every column and every cause that the code knows."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from process_apis.orders import tables
from strata.tables import Table

ROOT = Path(__file__).resolve().parents[3]
TABLES = (ROOT / "docs/reference/tables.md").read_text("utf-8")
FLOWS = "".join(path.read_text("utf-8") for path in sorted((ROOT / "docs/reference/flows").glob("o2c-0*.md")))
CODE = "".join(path.read_text("utf-8") for path in sorted((ROOT / "process_apis/orders").rglob("*.py")))


def section(name: str) -> str:
    return TABLES.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
def test_every_column_is_described_and_no_other(table: Table[msgspec.Struct]) -> None:
    described = re.findall(r"^\| `([a-z_0-9]+)` \|", section(table.name), re.MULTILINE)
    assert described == sorted(described, key=described.index)
    assert set(described) == {field.name for field in msgspec.structs.fields(table.row)}


def test_every_cause_is_described() -> None:
    raised = set(re.findall(r'causes\.add\(\s*"([a-z-]+)"', CODE))
    raised |= {code for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)",?\s*\)', CODE) if code.isascii()}
    raised |= set(re.findall(r'code="([a-z-]+)"', CODE))
    assert len(raised) >= 15
    assert {code for code in raised if f"`{code}`" not in FLOWS} == set()


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
def test_the_rows_that_come_with_the_product_fit_their_table(table: Table[msgspec.Struct]) -> None:
    assert table.defaults
    assert table.doc
