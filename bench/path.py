"""One order's way through the house, at the rate of a busy day, beside what the backend calls alone take.

    python -m bench.path [--per-hour 10000] [--seconds 120] [--latency-ms 50] [--json FILE]

Starts Strata as a user does, sets the sandboxes to answer in 50 ms, and places orders at a steady rate. Measured from
the vendors' side alone:
  accepted   from the shop's event to the 2xx of its webhook, as the shop recorded it
  in ERP     from the shop's event to the ERP's answer to the sales order, as the ERP logged it
  alone      the backend calls that one order makes one after another before it is in the ERP, and nothing else: the
             same calls of orders that travel alone in an idle house, as the sandboxes logged them
CPU per order is that of all our processes; PostgreSQL's beside it. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from bench.house import House
from strata.demo.shop import Placed, Shop, Variant, compose

TARGETS = {"accepted_ms_p50": 20.0, "in_erp_s_p99": 1.0}


def quantile(values: list[float], share: float) -> float:
    """The value below which so large a share lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def seconds_since_epoch(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


class Vendors:
    """The control APIs of both sandboxes."""

    def __init__(self, info: dict[str, Any]) -> None:
        self._urls = {name: part["control_url"] for name, part in info["sandbox"].items()}
        self.http = httpx.AsyncClient(timeout=60, trust_env=False)

    async def latency(self, ms: float) -> None:
        for url in self._urls.values():
            (await self.http.post(f"{url}/limits", json={"latency_ms": ms})).raise_for_status()

    async def last_id(self, vendor: str) -> int:
        entries = await self.requests(vendor, limit=1)
        return int(entries[-1]["id"]) if entries else 0

    async def requests(self, vendor: str, *, limit: int = 10_000, since: int | None = None) -> list[dict[str, Any]]:
        query: dict[str, int] = {"limit": limit} | ({} if since is None else {"since": since})
        answer = await self.http.get(f"{self._urls[vendor]}/requests", params=query)
        answer.raise_for_status()
        return list(answer.json()["items"])

    async def deliveries(self, topic: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            query: dict[str, str | int] = {"topic": topic, "limit": 500, "offset": len(found)}
            answer = await self.http.get(f"{self._urls['shopify']}/state/webhook_delivery", params=query)
            answer.raise_for_status()
            page = answer.json()
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                return found


async def in_erp(vendors: Vendors, since: int) -> dict[str, float]:
    """Order key -> when the ERP had answered its sales order, in seconds since 1970."""
    found: dict[str, float] = {}
    for entry in await vendors.requests("netsuite", since=since):
        path = unquote(entry["path"])
        if entry["method"] == "PUT" and "/salesOrder/eid:" in path and 200 <= entry["status"] < 300:
            found.setdefault(path.split("eid:", 1)[1], seconds_since_epoch(entry["at"]) + entry["ms"] / 1000)
    return found


async def settle(vendors: Vendors, since: int, keys: set[str], wait_s: float = 60.0) -> dict[str, float]:
    deadline = time.monotonic() + wait_s
    while True:
        found = await in_erp(vendors, since)
        if keys <= set(found) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.2)


async def alone(vendors: Vendors, shop: Shop, order: Any) -> tuple[float, int]:
    """(seconds, number) of the backend calls of one order that travels alone, until it is in the ERP."""
    before = {vendor: await vendors.last_id(vendor) for vendor in ("shopify", "netsuite")}
    placed = await shop.place(order())
    put_at = (await settle(vendors, before["netsuite"], {placed.key}))[placed.key]
    calls: list[float] = []
    for vendor, since in before.items():
        for entry in await vendors.requests(vendor, since=since):
            ended = seconds_since_epoch(entry["at"]) + entry["ms"] / 1000
            polling = "itemship" in entry["request_body"].lower() or entry["operation"] in {"orderCreate", "orders"}
            if ended <= put_at + 0.0005 and not polling and entry["status"]:
                calls.append(entry["ms"] / 1000)
    return sum(calls), len(calls)


async def steady(shop: Shop, order: Any, per_hour: float, seconds: float) -> list[Placed]:
    """Place orders at a steady rate, whatever becomes of the earlier ones."""
    gap_s = 3600 / per_hour
    began = time.monotonic()
    tasks: list[asyncio.Task[Placed]] = []
    while time.monotonic() - began < seconds:
        tasks.append(asyncio.create_task(shop.place(order())))
        await asyncio.sleep(max(0.0, began + len(tasks) * gap_s - time.monotonic()))
    return list(await asyncio.gather(*tasks))


async def measure(house: House, options: argparse.Namespace) -> dict[str, Any]:
    vendors = Vendors(house.info)
    rng = random.Random(1)
    async with Shop(house.info["sandbox"], None) as shop:
        variants: list[Variant] = await shop.variants()
        currency, included = await shop.currency()

        def order() -> dict[str, Any]:
            return compose(variants, currency, taxes_included=included, rng=rng)

        await vendors.latency(options.latency_ms)
        await steady(shop, order, 3600, 5)  # warm: items are cached, connections stand
        await asyncio.sleep(3)
        singles = [await alone(vendors, shop, order) for _ in range(8)]
        await asyncio.sleep(1)

        since = await vendors.last_id("netsuite")
        cpu, wall = house.cpu_s(), time.monotonic()
        placed = await steady(shop, order, options.per_hour, options.seconds)
        arrived = await settle(vendors, since, {p.key for p in placed})
        used = {name: total - cpu[name] for name, total in house.cpu_s().items()}
        took = time.monotonic() - wall
        events = {
            f"sh:{d['shop']}:order:{json.loads(d['body'])['id']}": d for d in await vendors.deliveries("orders/create")
        }
        await vendors.latency(0)
        await vendors.http.aclose()
    keys = [p.key for p in placed]
    accepted = [
        (seconds_since_epoch(events[k]["last_at"]) - seconds_since_epoch(events[k]["triggered_at"])) * 1000
        for k in keys
        if events.get(k, {}).get("status") == "delivered"
    ]
    way = [arrived[k] - seconds_since_epoch(events[k]["triggered_at"]) for k in keys if k in arrived and k in events]
    alone_s = statistics.median(s for s, _ in singles)
    return {
        "orders": len(placed),
        "in_erp": len(way),
        "per_hour": round(len(placed) / took * 3600) if took else 0,
        "latency_ms": options.latency_ms,
        "accepted_ms_p50": quantile(accepted, 0.5),
        "accepted_ms_p99": quantile(accepted, 0.99),
        "in_erp_s_p50": quantile(way, 0.5),
        "in_erp_s_p99": quantile(way, 0.99),
        "backend_calls_alone_s": alone_s,
        "backend_calls_alone_n": statistics.median(n for _, n in singles),
        "ratio_p50_to_calls_alone": quantile(way, 0.5) / alone_s,
        "cpu_ms_per_order_strata": used["strata"] / len(placed) * 1000,
        "cpu_ms_per_order_postgres": used["postgres"] / len(placed) * 1000,
        "memory_mb": house.memory_mb(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-hour", type=float, default=10_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    with House() as house:
        house.stop()
        again_s = house.start()
        figures = {"ready_s": again_s, **asyncio.run(measure(house, options))}
    for name, value in figures.items():
        print(f"{name:28} {value:10.3f}" if isinstance(value, float) else f"{name:28} {value:10}")
    missed = [f"{n} is {figures[n]:.3f}, wanted under {limit}" for n, limit in TARGETS.items() if figures[n] >= limit]
    if figures["in_erp"] < figures["orders"]:
        missed.append(f"{figures['orders'] - figures['in_erp']} orders did not arrive")
    print(*missed, sep="\n", end="\n" if missed else "")
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({**figures, "missed": missed}, indent=2) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
