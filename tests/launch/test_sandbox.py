"""The sandboxes beside Strata: started, found again, stopped, whenever Strata was killed."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from strata.launch.folder import Folder
from strata.launch.sandbox import Sandbox
from tests.e2e.running import free_port_block


class Killed(Sandbox):
    """Of a Strata that ended right after it had started them."""

    @property
    def pid(self) -> int:
        assert self._started is not None
        return self._started.pid

    def reap(self) -> None:
        assert self._started is not None
        self._started.wait(20)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "data")
    made.claim()
    return made


def test_one_that_was_still_starting_when_strata_was_killed_is_stopped(folder: Folder) -> None:
    killed = Killed(folder, free_port_block())
    assert not killed.start()
    assert killed.info() == {}
    assert Sandbox(folder, 0).stop()
    killed.reap()
    assert not psutil.pid_exists(killed.pid)
    assert not Sandbox(folder, 0).stop()


def test_one_that_was_still_starting_does_not_keep_the_ports_from_the_next_strata(folder: Folder) -> None:
    port = free_port_block()
    killed = Killed(folder, port)
    killed.start()
    following = Sandbox(folder, port)
    try:
        following.start()
        following.wait()
        assert set(following.info()) == {"shopify", "netsuite"}
        process = following.process()
        assert process is not None
        assert process.pid != killed.pid
    finally:
        following.stop()
        killed.reap()
