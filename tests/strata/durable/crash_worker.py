"""A worker in a process of its own that can be told where to die. Run by the tests of contract point 1, 7, 8, 9.

Environment: DSN, NAME, PROCESSES (comma separated), DEAD_AFTER_S, DIE_AT (`point:when:nth`, optional), CLOCK_OFFSET_S.
Points: claim, record, park, finish, wait, step. when: before, after, or during (the statement is on its way).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import asyncpg
from msgspec import Struct

from strata.durable import At, Journal, Run, Worker, define
from strata.errors import Transient


class Order(Struct, frozen=True):
    number: int
    flaky: bool = False


class Shop:
    """A backend in the same database: counts calls, and has each effect once per idempotency key."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    async def effect(self, at: At[Any], step: str, number: int, flaky: bool) -> str:
        row = await self.pool.fetchrow(
            "INSERT INTO call VALUES ($1, $2, $3) RETURNING now()", at.run_id, step, at.repeated
        )
        hit("step", "before")
        if flaky and at.attempt == 1:
            raise Transient("injected 503")
        await self.pool.execute(
            "INSERT INTO effect VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING", at.key, at.run_id, step, number
        )
        hit("step", "after")
        return str(row[0])


async def one(at: At[Shop], order: Order) -> str:
    return await at.services.effect(at, "one", order.number, False)


async def two(at: At[Shop], order: Order) -> str:
    return await at.services.effect(at, "two", order.number, order.flaky)


async def three(at: At[Shop], order: Order) -> str:
    return await at.services.effect(at, "three", order.number, False)


async def flow(run: Run[Shop], order: Order) -> list[str]:
    """Three steps; the second fails once where the order is flaky."""
    return [await run.step(one, order), await run.step(two, order), await run.step(three, order)]


async def slow_step(at: At[Shop], order: Order) -> str:
    made = await at.services.effect(at, "slow", order.number, False)
    await asyncio.sleep(0.3)
    return made


async def slow(run: Run[Shop], order: Order) -> list[str]:
    return [await run.step(slow_step, order), await run.step(three, order)]


async def waits(run: Run[Shop], order: Order) -> bool:
    return await run.wait_for("go", reason="told to", timeout_s=60) is not None and bool(await run.step(three, order))


FLOWS = {"flow": flow, "slow": slow, "waits": waits}
TABLES = """
CREATE TABLE IF NOT EXISTS call (run_id bigint, step text, repeated boolean);
CREATE TABLE IF NOT EXISTS effect (
  key text PRIMARY KEY, run_id bigint, step text, number int, nth bigint GENERATED ALWAYS AS IDENTITY)
"""
_left = {}


def hit(point: str, when: str) -> None:
    wanted = os.environ.get("DIE_AT", "")
    if not wanted.startswith(f"{point}:{when}:"):
        return
    nth = _left.setdefault(wanted, int(wanted.rsplit(":", 1)[1]))
    _left[wanted] = nth - 1
    if nth == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def point_of(sql: str, args: tuple[Any, ...]) -> str:
    if "SET status = 'running'" in sql:
        return "claim"
    if "durable.record(" in sql:
        return "record"
    if "durable.wait(" in sql:
        return "wait"
    if "durable.leave(" in sql:
        return "finish" if args[3] == "done" else "park"
    return ""


class Mortal(Journal):
    """A journal that dies where it was told to."""

    async def call(self, sql: str, *args: object, patience_s: float | None = None) -> Any:
        point = point_of(sql, args)
        hit(point, "before")
        if os.environ.get("DIE_AT", "").startswith(f"{point}:during"):
            sent = asyncio.ensure_future(super().call(sql, *args, patience_s=patience_s))
            await asyncio.sleep(0.001)
            hit(point, "during")
            return await sent
        rows = await super().call(sql, *args, patience_s=patience_s)
        if rows or point != "claim":
            hit(point, "after")
        return rows


async def main() -> None:
    offset_s = float(os.environ.get("CLOCK_OFFSET_S", "0"))
    if offset_s:
        real, real_ns = time.time, time.time_ns
        time.time = lambda: real() + offset_s
        time.time_ns = lambda: real_ns() + int(offset_s * 1e9)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    journal = await Mortal.open(os.environ["DSN"])
    shop = Shop(await asyncpg.create_pool(os.environ["DSN"], min_size=1, max_size=4))
    worker = Worker(
        journal,
        [define(name, FLOWS[name.split("-")[0]]) for name in os.environ.get("PROCESSES", "flow").split(",")],
        shop,
        name=os.environ.get("NAME", "crash"),
        capacity=int(os.environ.get("CAPACITY", "8")),
        dead_after_s=float(os.environ.get("DEAD_AFTER_S", "1.0")),
        poll_s=0.05,
    )
    print("ready", flush=True)
    await worker.run(stop)
    await journal.close()
    await shop.pool.close()


if __name__ == "__main__":
    asyncio.run(main())
