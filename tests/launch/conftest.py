"""Folders that stay open: pytest closes its own to other users, and under root PostgreSQL runs as a user of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_path() -> Iterator[Path]:
    """An empty folder for a data folder with an embedded PostgreSQL in it."""
    made = Path(tempfile.mkdtemp(prefix="strata-test-launch-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
