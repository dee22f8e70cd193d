"""The plan's limit and the fields that announce it."""

from __future__ import annotations

import secrets

import http_sf

from gateway.core.rate import Plan
from gateway.limiter import MemoryLimiter
from tests.gateway.conftest import House, a_house, problem_of


class TestTheLimit:
    async def test_it_counts_down_and_then_refuses(self, postgres_url: str) -> None:
        async with a_house(postgres_url, plan_quotas={"standard": 3}) as house:
            answers = [await house.get("/web/v1/orders") for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            left = [http_sf.parse(answer.headers["ratelimit"].encode(), tltype="list")[0][1]["r"] for answer in answers]
            assert left == [2, 1, 0, 0]
            document = problem_of(answers[3])
            assert document["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
            assert document["violated-policies"] == ["standard"]
            limit = http_sf.parse(answers[3].headers["ratelimit"].encode(), tltype="list")[0]
            assert int(answers[3].headers["retry-after"]) >= limit[1]["t"] > 0
            assert all(answer.headers["ratelimit-policy"] == '"standard";q=3;w=60' for answer in answers)
            assert not any(name.startswith("x-ratelimit") for name in answers[0].headers)

    async def test_no_spelling_makes_a_new_bucket(self, postgres_url: str) -> None:
        async with a_house(postgres_url, plan_quotas={"standard": 4}) as house:
            spellings = ["/web/v1/orders", "/web/v1/orders?x=1", "/web/v1/orders/a", "/web/v1/orders/%61"]
            for path in spellings:
                await house.get(path, headers={"x-forwarded-for": "203.0.113.9"})
            assert (await house.call("HEAD", "/web/v1/orders")).status_code == 429

    async def test_each_client_has_its_own(self, postgres_url: str) -> None:
        async with a_house(postgres_url, plan_quotas={"standard": 1}) as house:
            assert (await house.get("/web/v1/orders")).status_code == 200
            assert (await house.get("/web/v1/orders")).status_code == 429
            house.client_id, house.client_secret = await house.gateway.clients.register("two", ["orders:read"])
            house._tokens.clear()
            assert (await house.get("/web/v1/orders", scope="orders:read")).status_code == 200

    async def test_errors_of_the_service_count_and_carry_the_fields(self, postgres_url: str) -> None:
        async with a_house(postgres_url, plan_quotas={"standard": 9}) as house:
            house.web.status = 503
            answer = await house.get("/web/v1/orders")
            assert '"standard";r=8' in answer.headers["ratelimit"]

    async def test_a_plan_that_the_api_does_not_offer_is_403(self, house: House) -> None:
        house.client_id, house.client_secret = await house.gateway.clients.register(
            secrets.token_hex(8), ["orders:read"], "gold"
        )
        house._tokens.clear()
        assert problem_of(await house.get("/web/v1/orders", scope="orders:read"))["code"] == "subscription-required"

    async def test_pages_and_discovery_are_not_limited_by_a_plan(self, house: House) -> None:
        for path in ("/portal/", "/healthz", "/.well-known/jwks.json"):
            assert "ratelimit" not in (await house.http.get(path)).headers


class TestMemory:
    async def test_clients_that_went_quiet_are_forgotten(self) -> None:
        now = [0]
        limiter = MemoryLimiter(lambda: now[0])
        for number in range(4_000):
            await limiter.take(f"c{number}", Plan(10, 1))
        now[0] = 10_000_000
        for _ in range(200):
            await limiter.take("one", Plan(1_000, 1))
        assert list(limiter._usage) == ["one"]
