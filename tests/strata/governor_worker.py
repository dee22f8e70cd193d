"""One process of the governor's contract test: many tasks that take leases, and a line for each they held.

    python governor_worker.py DSN ACCOUNT LIMIT TASKS HOLD_S RUN_S

Prints `asked granted ended` in seconds of CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import sys
import time

import asyncpg
import uvloop

from strata.governor import Governor


async def main(dsn: str, account: str, limit: int, tasks: int, seconds: tuple[float, float]) -> None:
    hold_s, run_s = seconds
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        governor = Governor(pool, beat_s=0.25, dead_after_s=2.0)
        end = time.monotonic() + run_s

        async def work() -> None:
            while time.monotonic() < end:
                asked = time.monotonic()
                async with governor.lease(account, limit=limit, wait_s=60):
                    granted = time.monotonic()
                    print(f"held {granted}", flush=True)
                    await asyncio.sleep(hold_s)
                    ended = time.monotonic()
                print(asked, granted, ended, flush=True)

        await asyncio.gather(*(work() for _ in range(tasks)))
        await governor.close()


if __name__ == "__main__":
    dsn, account, limit, tasks, hold_s, run_s = sys.argv[1:]
    uvloop.run(main(dsn, account, int(limit), int(tasks), (float(hold_s), float(run_s))))
