"""Security catalogue D05: sizes are counted while bytes stream, whatever they declare."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from tests.gateway.conftest import House, problem_of

JSON = {"content-type": "application/json"}


async def pieces(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"a" * size


class TestOperations:
    async def test_a_declared_length_over_the_limit_is_refused_unread(self, house: House) -> None:
        answer = await house.call("POST", "/web/v1/orders", content=b"a" * 100_001, headers=JSON)
        document = problem_of(answer)
        assert (document["code"], document["limit_bytes"]) == ("content-too-large", 100_000)
        assert house.web.scopes == []

    async def test_the_limit_itself_passes(self, house: House) -> None:
        answer = await house.call("POST", "/web/v1/orders", content=b"a" * 100_000, headers=JSON)
        assert answer.status_code == 200
        assert len(house.web.bodies[-1]) == 100_000

    async def test_a_streamed_body_is_refused_on_the_byte_too_many(self, house: House) -> None:
        answer = await house.call("POST", "/web/v1/orders", content=pieces(11, 10_000), headers=JSON)
        assert problem_of(answer)["code"] == "content-too-large"
        assert house.web.bodies == []

    async def test_a_service_cannot_swallow_the_refusal(self, house: House) -> None:
        async def stubborn(scope: Any, receive: Any, send: Any) -> None:
            with contextlib.suppress(Exception):
                while (await receive()).get("more_body"):
                    pass
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"all fine"})

        house.gateway._upstreams["experience-web"] = stubborn  # type: ignore[index]
        answer = await house.call("POST", "/web/v1/orders", content=pieces(20, 10_000), headers=JSON)
        assert problem_of(answer)["code"] == "content-too-large"

    async def test_an_operation_without_a_body_takes_none(self, house: House) -> None:
        answer = await house.call("GET", "/web/v1/orders", content=b"{}")
        assert problem_of(answer)["detail"] == "This operation takes no body."


class TestIngress:
    async def test_a_webhook_passes_with_its_bytes_and_its_proof(self, house: House) -> None:
        house.shopify.status, house.shopify.body = 202, b""
        answer = await house.http.post(
            "/webhooks/shopify/eu-shop",
            content=b'{"id": 1}',
            headers={"x-shopify-hmac-sha256": "abc=", "content-type": "application/json", "x-strata-partner": "me"},
        )
        assert answer.status_code == 202
        assert house.shopify.bodies == [b'{"id": 1}']
        assert house.shopify.scopes[-1]["path"] == "/webhooks/eu-shop"
        assert house.shopify.seen["x-shopify-hmac-sha256"] == "abc="
        assert "x-strata-partner" not in house.shopify.seen
        assert "strata.identity" not in house.shopify.scopes[-1]["state"]
        assert "ratelimit" not in answer.headers

    async def test_five_megabytes_are_413(self, house: House) -> None:
        answer = await house.http.post("/webhooks/shopify/eu", content=pieces(500, 10_000))
        assert problem_of(answer)["code"] == "content-too-large"
        assert house.shopify.bodies == []

    async def test_a_refused_signature_stays_401(self, house: House) -> None:
        house.shopify.status = 401
        house.shopify.headers = [(b"content-type", b"application/problem+json")]
        house.shopify.body = b'{"type":"https://strata.dev/problems/signature-invalid","title":"x","status":401}'
        assert problem_of(await house.http.post("/webhooks/shopify/eu"))["code"] == "signature-invalid"

    async def test_no_other_system_api_is_reachable(self, house: House) -> None:
        for path in ("/webhooks/netsuite/erp", "/webhooks/shopify", "/webhooks/shopify/a/b", "/webhooks/shopify/"):
            assert problem_of(await house.http.post(path))["code"] == "not-found"
        assert problem_of(await house.http.get("/webhooks/shopify/eu"))["code"] == "method-not-allowed"

    async def test_the_connection_cannot_climb(self, house: House) -> None:
        for path in ("/webhooks/shopify/..", "/webhooks/shopify/%2e%2e", "/webhooks/shopify/a%2f..%2fb"):
            answer = await house.http.request("POST", f"http://gateway.test{path}")
            assert answer.status_code in {400, 404, 405}
        assert house.shopify.scopes == []
