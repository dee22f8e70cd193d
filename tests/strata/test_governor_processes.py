"""The governor over real processes, one of which is killed with -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from strata import governor as governors

WORKER = Path(__file__).with_name("governor_worker.py")
ROOT = Path(__file__).resolve().parents[2]
LIMIT, TASKS = 5, 10
DEAD_AFTER_S, BEAT_S = 2.0, 0.25  # as in the worker
HOLD_S = 0.02


@pytest.fixture
async def database(postgres_url: str) -> str:
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=1) as pool:
        await governors.migrate(pool)
    return postgres_url


def start(database: str, run_s: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), database, "netsuite:T", str(LIMIT), str(TASKS), str(HOLD_S), str(run_s)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def held_by(output: str) -> list[tuple[float, float, float]]:
    """`asked granted ended` of every lease that was held and given back."""
    rows = [line.split() for line in output.splitlines()]
    return [(float(a), float(g), float(e)) for a, g, e in (r for r in rows if len(r) == 3)]


def most_at_once(held: list[tuple[float, float]]) -> int:
    moments = sorted([(start, 1) for start, _ in held] + [(end, -1) for _, end in held])
    now = most = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


class TestFourProcesses:
    async def test_the_limit_holds_and_is_used_and_everybody_has_a_turn(self, database: str) -> None:
        running = [start(database, 4.0) for _ in range(4)]
        outputs = [held_by(process.communicate(timeout=60)[0]) for process in running]
        leases = [lease for output in outputs for lease in output]
        waits = sorted(granted - asked for asked, granted, _ in leases)
        median, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
        assert most_at_once([(granted, ended) for _, granted, ended in leases]) == LIMIT
        assert min(len(output) for output in outputs) > 0.5 * max(len(output) for output in outputs)
        assert p99 < 5 * median

    async def test_leases_of_a_killed_process_are_free_again_within_seconds(self, database: str) -> None:
        running = [start(database, 9.0) for _ in range(4)]
        victim, others = running[0], running[1:]
        for _ in range(20):  # it is well under way
            assert victim.stdout is not None
            victim.stdout.readline()
        os.kill(victim.pid, signal.SIGKILL)
        killed_at = time.monotonic()
        rest, _ = victim.communicate(timeout=60)
        leases = [lease for process in others for lease in held_by(process.communicate(timeout=60)[0])]
        freed_by = killed_at + DEAD_AFTER_S + 4 * BEAT_S + 0.5
        late = [(granted, ended) for _, granted, ended in leases if granted > freed_by]
        of_victim = [(granted, min(ended, killed_at)) for _, granted, ended in held_by(rest) if granted < killed_at]
        assert most_at_once([(granted, ended) for _, granted, ended in leases] + of_victim) <= LIMIT
        assert most_at_once(late) == LIMIT, "places of the dead process were not given back"
