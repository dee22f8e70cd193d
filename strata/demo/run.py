"""Places the orders and follows each through the journal until it has arrived."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from strata.commands.house import journal_of
from strata.demo.journey import CAPTURE, Journey, journey
from strata.demo.shop import Placed, Shop, compose
from strata.demo.show import Screen, summary
from strata.durable import Journal
from strata.launch.folder import Folder
from strata.launch.info import sandboxes

_LOOK_S = 0.2
_AT_ONCE = 4


async def demo(data_dir: Path, *, orders: int, shop_name: str | None, wait_s: float, console: Console) -> bool:
    """Place `orders` and show them travel. True when each arrived within `wait_s` seconds.

    Raises Missing when the sandbox has no such shop, StrataError when the shop refuses an order.
    """
    folder = Folder(data_dir)
    async with Shop(sandboxes(folder), shop_name) as shop, journal_of(data_dir) as journal:
        variants = await shop.variants()
        currency, taxes_included = await shop.currency()
        rng = random.Random()  # noqa: S311  # who buys what
        console.print(f"Placing {orders} order{'s' if orders > 1 else ''} in the shop {shop.name} ...")
        placed: dict[str, tuple[Placed, datetime]] = {}
        gate = asyncio.Semaphore(_AT_ONCE)

        async def place() -> None:
            async with gate:
                made = await shop.place(compose(variants, currency, taxes_included=taxes_included, rng=rng))
                placed[made.key] = (made, datetime.now(UTC))

        placing = asyncio.gather(*(place() for _ in range(orders)))
        journeys = await _follow(journal, placed, placing, console, wait_s)
    for text in summary(journeys):
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    return bool(journeys) and all(j.done for j in journeys)


async def _follow(
    journal: Journal,
    placed: dict[str, tuple[Placed, datetime]],
    placing: asyncio.Future[list[None]],
    console: Console,
    wait_s: float,
) -> list[Journey]:
    deadline = time.monotonic() + wait_s
    finished: dict[str, Journey] = {}
    journeys: list[Journey] = []
    with Screen(console) as screen:
        while True:
            runs = await _runs(journal, set(placed) - set(finished))
            journeys = []
            for key, (order, at) in list(placed.items()):
                if key not in finished:
                    detail = await journal.get_item(runs[key]) if key in runs else None
                    now = journey(order, at, detail)
                    if not (now.done or now.failed):
                        journeys.append(now)
                        continue
                    finished[key] = now
                journeys.append(finished[key])
            screen.update(journeys)
            if placing.done() and (len(finished) == len(placed) or time.monotonic() > deadline):
                break
            await asyncio.sleep(_LOOK_S)
    placing.result()
    return journeys


async def _runs(journal: Journal, keys: set[str]) -> dict[str, int]:
    """Item ids of the captures of these orders, as far as they have started."""
    found: dict[str, int] = {}
    cursor: int | None = None
    while keys - set(found):
        page = await journal.list_items(process=CAPTURE, cursor=cursor, limit=200)
        found |= {item.key: item.id for item in page.items if item.key in keys}
        cursor = page.cursor
        if cursor is None:
            break
    return found
