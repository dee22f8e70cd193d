"""Counts that several gateways share: the same decisions as in memory, atomic, and harmless when Redis is gone."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import redis.asyncio

from gateway.core.rate import SLOTS, Plan, Usage, decide
from gateway.limiter import MemoryLimiter, RedisLimiter
from tests.conftest import free_port
from tests.gateway.conftest import a_house


def a_limiter(url: str, prefix: str | None = None) -> RedisLimiter:
    return RedisLimiter(url, timeout_s=1.0, prefix=prefix or f"test:{secrets.token_hex(6)}:")


class TestShared:
    async def test_two_gateways_share_one_quota(self, redis_url: str) -> None:
        prefix = f"test:{secrets.token_hex(6)}:"
        one, two = a_limiter(redis_url, prefix), a_limiter(redis_url, prefix)
        plan = Plan(20, 3_600)
        decisions = await asyncio.gather(*(limiter.take("c", plan) for limiter in (one, two) for _ in range(25)))
        assert sum(decision.allowed for decision in decisions) == 20
        assert all(decision.shared for decision in decisions)
        assert sorted(d.remaining for d in decisions if d.allowed) == list(range(20))
        await one.close()
        await two.close()

    async def test_the_script_decides_as_the_core_does(self, redis_url: str) -> None:
        prefix = f"test:{secrets.token_hex(6)}:"
        limiter, client = a_limiter(redis_url, prefix), redis.asyncio.Redis.from_url(redis_url)
        plan = Plan(7, 1)
        answers: set[bool] = set()
        for _ in range(120):
            before = {int(slot): int(count) for slot, count in (await client.hgetall(f"{prefix}c")).items()}
            allowed, used, oldest, newest, now_us = map(
                int, await limiter._script(keys=[f"{prefix}c"], args=[plan.quota, plan.slot_us, SLOTS])
            )
            after = {int(slot): int(count) for slot, count in (await client.hgetall(f"{prefix}c")).items()}
            usage = Usage(dict(sorted(before.items())), sum(before.values()))
            assert decide(usage, now_us, plan).allowed == bool(allowed)
            assert (usage.slots, usage.used) == (after, used)
            assert (oldest, newest) == (min(after), max(after))
            answers.add(bool(allowed))
            await asyncio.sleep(0.02)
        assert answers == {True, False}
        await limiter.close()
        await client.aclose()

    async def test_keys_expire_with_the_window(self, redis_url: str) -> None:
        prefix = f"test:{secrets.token_hex(6)}:"
        limiter, client = a_limiter(redis_url, prefix), redis.asyncio.Redis.from_url(redis_url)
        await limiter.take("c", Plan(10, 10))
        assert 9_000 < await client.pttl(f"{prefix}c") <= 10_168
        await limiter.close()
        await client.aclose()

    async def test_a_clock_that_jumped_back_starts_anew(self, redis_url: str) -> None:
        prefix = f"test:{secrets.token_hex(6)}:"
        limiter, client = a_limiter(redis_url, prefix), redis.asyncio.Redis.from_url(redis_url)
        await client.hset(f"{prefix}c", str(10**13), "5")
        assert (await limiter.take("c", Plan(5, 60))).remaining == 4
        await limiter.close()
        await client.aclose()

    async def test_a_flushed_store_starts_anew_and_breaks_nothing(self, redis_url: str) -> None:
        prefix = f"test:{secrets.token_hex(6)}:"
        limiter, client = a_limiter(redis_url, prefix), redis.asyncio.Redis.from_url(redis_url)
        assert (await limiter.take("c", Plan(1, 60))).allowed
        assert not (await limiter.take("c", Plan(1, 60))).allowed
        await client.delete(f"{prefix}c")
        assert (await limiter.take("c", Plan(1, 60))).allowed
        await limiter.close()
        await client.aclose()


class TestRedisIsGone:
    async def test_requests_pass_under_this_nodes_own_count(self) -> None:
        limiter = a_limiter(f"redis://127.0.0.1:{free_port()}/0")
        plan = Plan(3, 3_600)
        decisions = [await limiter.take("c", plan) for _ in range(5)]
        assert [decision.allowed for decision in decisions] == [True, True, True, False, False]
        assert not any(decision.shared for decision in decisions)
        assert limiter.degraded == 5
        assert not await limiter.ready()
        await limiter.close()

    async def test_a_silent_redis_costs_one_timeout_not_one_per_request(self) -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        limiter = RedisLimiter(f"redis://127.0.0.1:{port}/0", timeout_s=0.1, retry_s=30)
        async with asyncio.timeout(2):
            for _ in range(50):
                assert (await limiter.take("c", Plan(100, 60))).allowed
        await limiter.close()
        server.close()

    async def test_the_caller_sees_a_good_answer_and_the_operator_a_number(self, postgres_url: str) -> None:
        async with a_house(postgres_url, redis_url=f"redis://127.0.0.1:{free_port()}/0") as house:
            answer = await house.get("/web/v1/orders")
            assert answer.status_code == 200
            assert "ratelimit" in answer.headers
            metrics = (await house.http.get("/metrics")).text
            assert "strata_gateway_limiter_degraded_total 1\n" in metrics
            ready = await house.http.get("/readyz")
            assert ready.status_code == 200
            assert ready.json()["checks"]["limits"] == "down"

    async def test_it_is_asked_again_when_it_is_back(self, redis_url: str) -> None:
        limiter = a_limiter(f"redis://127.0.0.1:{free_port()}/0")
        assert not (await limiter.take("c", Plan(5, 60))).shared
        back = a_limiter(redis_url)
        limiter._script = back._script
        limiter._dark_until = 0.0
        assert (await limiter.take(secrets.token_hex(4), Plan(5, 60))).shared
        await limiter.close()
        await back.close()


class TestTwoHouses:
    async def test_they_refuse_together(self, postgres_url: str, redis_url: str) -> None:
        quota = {"plan_quotas": {"standard": 4}}
        async with (
            a_house(postgres_url, redis_url=redis_url, **quota) as one,
            a_house(postgres_url, redis_url=redis_url, **quota) as two,
        ):
            client_id, secret = await one.gateway.clients.register(secrets.token_hex(8), ["orders:read"])
            for house in (one, two):
                house.client_id, house.client_secret = client_id, secret
            statuses = [
                (await house.get("/web/v1/orders", scope="orders:read")).status_code for house in (one, two) * 3
            ]
            assert statuses == [200, 200, 200, 200, 429, 429]


def test_memory_and_redis_share_one_rule() -> None:
    """The script is a file of its own; it names the function it must equal."""
    script = Path(MemoryLimiter.__init__.__code__.co_filename).with_name("window.lua").read_text("utf-8")
    assert "gateway/core/rate.py" in script
