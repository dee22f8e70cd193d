"""Death at every point, of workers and intake (points 1, 2, 7, 9): nothing is lost, every effect happens once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from strata.durable import Journal

SCRIPT = Path(__file__).with_name("crash_worker.py")
ROOT = Path(__file__).parents[3]
Spawn = Callable[..., "subprocess.Popen[str]"]

# Where a worker dies: before, after, or while the statement is on its way. `nth` lets it do some work first.
POINTS = [
    ("flow", "claim:before:1"),
    ("flow", "claim:after:1"),
    ("flow", "claim:during:1"),
    ("flow", "step:before:2"),
    ("flow", "step:after:2"),
    ("flow", "record:before:3"),
    ("flow", "record:during:3"),
    ("flow", "record:after:3"),
    ("flow", "park:before:1"),
    ("flow", "park:during:1"),
    ("flow", "park:after:1"),
    ("flow", "finish:before:1"),  # the head move is part of the finish commit: before, during and after it
    ("flow", "finish:during:1"),
    ("flow", "finish:after:2"),
    ("waits", "wait:before:1"),
    ("waits", "wait:during:1"),
    ("waits", "wait:after:1"),
]


class Order(Struct, frozen=True):
    number: int
    flaky: bool = False


@pytest.fixture
async def spawn(postgres_url: str, journal: Journal) -> AsyncIterator[Spawn]:
    """Starts crash workers on this journal's database; kills what is left."""
    async with journal.connection() as connection:
        sys.path.insert(0, str(SCRIPT.parent))
        try:
            import crash_worker  # noqa: PLC0415  # a script beside this file
        finally:
            sys.path.pop(0)
        await connection.execute(crash_worker.TABLES)
    started: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> subprocess.Popen[str]:
        env = os.environ | {"DSN": postgres_url, "PYTHONPATH": str(ROOT)} | environment
        started.append(subprocess.Popen([sys.executable, str(SCRIPT)], env=env, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


async def ended(process: subprocess.Popen[str], within_s: float = 20) -> int:
    return await asyncio.wait_for(asyncio.to_thread(process.wait), within_s)


async def all_done(journal: Journal, until: Any, runs: int, *, within_s: float = 40) -> None:
    async def done() -> bool:
        return sum(c.n for c in await journal.counts() if c.status == "done") == runs

    try:
        await until(done, within_s=within_s)
    except TimeoutError:
        raise AssertionError(f"not all {runs} done: {await journal.counts()}") from None


async def judge(journal: Journal, runs: Iterable[int], *, steps: int = 3) -> dict[str, int]:
    """Every step of every run took effect exactly once, and the runs of an order key one after another."""
    ids = list(runs)
    effects = await journal.call("SELECT run_id, count(*) n FROM effect WHERE run_id = ANY($1) GROUP BY 1", ids)
    assert {row["run_id"]: row["n"] for row in effects} == dict.fromkeys(ids, steps)
    overlaps = await journal.call(
        "SELECT a.run_id, b.run_id FROM (SELECT run_id, min(nth) f, max(nth) t FROM effect GROUP BY 1) a"
        " JOIN (SELECT run_id, min(nth) f, max(nth) t FROM effect GROUP BY 1) b ON b.run_id > a.run_id AND b.f < a.t"
        " JOIN durable.run x ON x.id = a.run_id JOIN durable.run y ON y.id = b.run_id AND y.order_key = x.order_key"
    )
    assert overlaps == []
    [row] = await journal.call(
        "SELECT max(n) worst, sum(n) - count(*) extra, count(*) FILTER (WHERE fresh > 1) AS unannounced FROM"
        " (SELECT run_id, step, count(*) n, count(*) FILTER (WHERE NOT repeated) fresh FROM call GROUP BY 1, 2) calls"
    )
    assert row["unannounced"] == 0, "a step that ran again was not told that it may have run before"
    return {"worst": row["worst"], "extra": int(row["extra"])}


class TestKillPoints:
    async def test_wherever_a_worker_dies_another_goes_on(self, journal: Journal, spawn: Spawn, until: Any) -> None:
        names = [f"{flow}-{n}" for n, (flow, _) in enumerate(POINTS)]
        runs: list[int] = []
        for name in names:
            for n in range(4):
                made = await journal.start(name, f"{n}", Order(n, flaky=n == 0), order_key=f"{name}/{n % 2}")
                runs.append(made.run_id)
                if name.startswith("waits") and n % 2:
                    await journal.signal(name, f"{n}", "go", b"{}", dedupe="1")
        victims = {
            point: spawn(PROCESSES=name, DIE_AT=point, NAME=f"victim {point}")
            for name, (_, point) in zip(names, POINTS, strict=True)
        }
        for point, victim in victims.items():
            assert await ended(victim, 60) == -signal.SIGKILL, f"the worker did not die at {point}"
        spawn(PROCESSES=",".join(names), CAPACITY="32", NAME="survivor")
        for name in names:
            for n in (0, 2) if name.startswith("waits") else ():
                await journal.signal(name, f"{n}", "go", b"{}", dedupe="1")
        await all_done(journal, until, len(runs))
        flows, waits = len([n for n in names if n.startswith("flow")]) * 4, len(runs)
        await judge(journal, runs[:flows])
        await judge(journal, runs[flows:waits], steps=1)


class TestRandomKills:
    @pytest.mark.parametrize(
        "kills", [6, pytest.param(30, marks=[pytest.mark.soak, pytest.mark.timeout(300)])], ids=lambda n: f"{n} kills"
    )
    async def test_two_workers_killed_again_and_again_lose_nothing(
        self, journal: Journal, spawn: Spawn, until: Any, kills: int
    ) -> None:
        rng = random.Random(kills)
        runs: list[int] = []
        stop = asyncio.Event()

        async def intake() -> None:
            while not stop.is_set():
                n = len(runs)
                made = await journal.start("flow", f"{n}", Order(n, flaky=n % 50 == 0), order_key=f"o{n % 20}")
                runs.append(made.run_id)
                await asyncio.sleep(0.02)

        feeding = asyncio.create_task(intake())
        workers = [spawn(NAME="a"), spawn(NAME="b")]
        for kill in range(kills):
            await asyncio.sleep(rng.uniform(0.7, 1.3))
            victim = workers.pop(0)
            victim.kill()
            await ended(victim)
            if kill != kills // 2:  # one of them never comes back
                workers.append(spawn(NAME=f"again {kill}"))
            if not workers:
                workers.append(spawn(NAME="last"))
        stop.set()
        await feeding
        await all_done(journal, until, len(runs), within_s=60)
        found = await judge(journal, runs)
        print({"acknowledged": len(runs), "lost": 0} | found)
        assert found["worst"] <= 4


class TestTakeOver:
    @pytest.mark.parametrize("dead_after", ["2", pytest.param("15", marks=pytest.mark.soak)])
    async def test_what_a_dead_worker_held_is_taken_over_within_a_minute(
        self, journal: Journal, spawn: Spawn, until: Any, dead_after: str
    ) -> None:
        """Counted from the kill; 15 s is the default dead limit."""
        runs = [(await journal.start("slow", f"{n}", Order(n))).run_id for n in range(20)]
        victim = spawn(PROCESSES="slow", CAPACITY="20", DEAD_AFTER_S=dead_after)

        async def running() -> bool:
            return sum(c.n for c in await journal.counts() if c.status == "running") == 20

        await until(running)
        victim.kill()
        await ended(victim)
        spawn(PROCESSES="slow", CAPACITY="20", DEAD_AFTER_S=dead_after)
        began = asyncio.get_running_loop().time()
        await all_done(journal, until, 20, within_s=60)
        print(f"all done {asyncio.get_running_loop().time() - began:.1f} s after the kill")
        await judge(journal, runs, steps=2)

    async def test_a_stopped_worker_that_wakes_up_writes_nothing(
        self, journal: Journal, spawn: Spawn, until: Any
    ) -> None:
        runs = [(await journal.start("slow", f"{n}", Order(n))).run_id for n in range(8)]
        sleeper = spawn(PROCESSES="slow", CAPACITY="8", DEAD_AFTER_S="1", NAME="sleeper")

        async def begun() -> bool:
            return (await journal.value("SELECT count(*) FROM call")) == 8

        await until(begun)
        sleeper.send_signal(signal.SIGSTOP)
        other = spawn(PROCESSES="slow", CAPACITY="8", DEAD_AFTER_S="1", NAME="other")
        await all_done(journal, until, 8)
        owners = {run: (await journal.value("SELECT fence FROM durable.run WHERE id = $1", run)) for run in runs}
        sleeper.send_signal(signal.SIGCONT)
        other.terminate()
        assert await ended(other) == 0
        fences = await journal.call("SELECT DISTINCT run_id, fence FROM durable.step")
        assert {row[0]: row[1] for row in fences} == owners, "every step was recorded by the one who took over"
        late = await journal.start("slow", "late", Order(99))
        await all_done(journal, until, 9)  # the sleeper noticed, came back under a new name, and works
        await judge(journal, [*runs, late.run_id], steps=2)


class TestIntake:
    async def test_what_was_acknowledged_is_there_after_a_kill(
        self, journal: Journal, spawn: Spawn, postgres_url: str
    ) -> None:
        source = (
            "import asyncio, os\n"
            "from strata.durable import Journal\n"
            "async def main():\n"
            "    journal = await Journal.open(os.environ['DSN'])\n"
            "    for n in range(100000):\n"
            "        await journal.start('flow', str(n), b'{\"number\": 1}')\n"
            "        print(n, flush=True)\n"
            "asyncio.run(main())\n"
        )
        env = os.environ | {"DSN": postgres_url, "PYTHONPATH": str(ROOT)}
        intake = subprocess.Popen(  # noqa: ASYNC220  # it is killed with -9: nothing waits for it
            [sys.executable, "-c", source], env=env, stdout=subprocess.PIPE, text=True
        )
        assert intake.stdout is not None
        first = await asyncio.to_thread(intake.stdout.readline)
        await asyncio.sleep(0.3)
        intake.kill()
        acknowledged = [int(first), *map(int, (await asyncio.to_thread(intake.stdout.read)).splitlines())]
        await ended(intake)
        present = {int(row[0]) for row in await journal.call("SELECT key FROM durable.run")}
        assert len(acknowledged) > 20
        assert set(acknowledged) <= present


class TestClocks:
    async def test_a_worker_whose_clock_is_an_hour_off_changes_nothing(
        self, journal: Journal, spawn: Spawn, until: Any
    ) -> None:
        """Retries, heartbeats and take-over use the database's time alone."""
        spawn(CLOCK_OFFSET_S="3600", NAME="ahead", DEAD_AFTER_S="3")
        spawn(CLOCK_OFFSET_S="-3600", NAME="behind", DEAD_AFTER_S="3")
        runs = [
            (await journal.start("flow", f"{n}", Order(n, flaky=True), order_key=f"o{n % 4}")).run_id for n in range(24)
        ]
        await all_done(journal, until, len(runs))
        await judge(journal, runs)
        assert await journal.value("SELECT max(fence) FROM durable.run") == 2, (
            "one failure each, nobody was taken for dead"
        )

    def test_no_module_of_the_engine_reads_the_clock_of_its_host(self) -> None:
        for path in (ROOT / "strata" / "durable").glob("*.py"):
            text = path.read_text()
            for word in ("time.time(", "datetime.now", "utcnow", "date.today"):
                assert word not in text, f"{path.name} reads the host's clock: {word}"
