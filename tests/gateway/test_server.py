"""The whole gateway behind its own server: what a client on a socket sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.core.admit import WireLimits
from tests.gateway.conftest import House, a_house, problem_of
from tests.gateway.http.conftest import Wire, a_wire

LIMITS = WireLimits(drain_bytes=20_000_000)


@pytest.fixture
async def served(postgres_url: str) -> AsyncIterator[tuple[House, Wire, httpx.AsyncClient]]:
    async with (
        a_house(postgres_url) as house,
        a_wire(house.gateway, LIMITS) as wire,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{wire.port}") as client,
    ):
        yield house, wire, client


class TestOnTheWire:
    async def test_an_order_is_read(self, served: tuple[House, Wire, httpx.AsyncClient]) -> None:
        house, _, client = served
        answer = await client.get("/web/v1/orders/a", headers={"authorization": f"Bearer {await house.token()}"})
        assert answer.status_code == 200
        assert "server" not in answer.headers

    async def test_five_megabytes_to_a_webhook_are_413_and_the_answer_arrives(
        self, served: tuple[House, Wire, httpx.AsyncClient]
    ) -> None:
        house, _, client = served
        answer = await client.post("/webhooks/shopify/eu", content=b"a" * 5_000_000)
        assert problem_of(answer)["code"] == "content-too-large"
        assert house.shopify.bodies == []
        assert (await client.get("/healthz")).status_code == 200

    async def test_five_megabytes_in_chunks_too(self, served: tuple[House, Wire, httpx.AsyncClient]) -> None:
        house, _, client = served

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(500):
                yield b"a" * 10_000

        answer = await client.post("/webhooks/shopify/eu", content=pieces())
        assert problem_of(answer)["code"] == "content-too-large"
        assert house.shopify.bodies == []

    async def test_a_parser_error_is_a_problem_as_well(self, served: tuple[House, Wire, httpx.AsyncClient]) -> None:
        _, wire, _ = served
        answers = await wire.talk(b"GET /healthz HTTP/1.1\r\n\r\n")
        document = answers.problem
        assert document["code"] == "bad-framing"
        assert document["type"] == "https://strata.dev/problems/bad-framing"
        assert len(document["request_id"]) == 32

    async def test_many_at_once_are_all_answered_right(self, served: tuple[House, Wire, httpx.AsyncClient]) -> None:
        house, _, client = served
        headers = {"authorization": f"Bearer {await house.token()}"}

        async def one(number: int) -> bool:
            house_id = f"order-{number}"
            answer = await client.get(
                f"/web/v1/orders/{house_id}", headers={**headers, "x-request-id": f"id-{number:08}"}
            )
            return answer.status_code == 200 and answer.headers["x-request-id"] == f"id-{number:08}"

        assert all(await asyncio.gather(*(one(number) for number in range(200))))

    async def test_head_over_the_wire_keeps_the_connection_in_step(
        self, served: tuple[House, Wire, httpx.AsyncClient]
    ) -> None:
        house, _, client = served
        headers = {"authorization": f"Bearer {await house.token()}"}
        for _ in range(3):
            assert (await client.head("/web/v1/orders", headers=headers)).status_code == 200
            assert (await client.head("/portal/")).status_code == 200
            assert (await client.head("/nowhere")).status_code == 404
            assert (await client.get("/web/v1/orders", headers=headers)).json() == {"id": "sh:demo:order:1"}
