"""Security catalogue D15, D17 and D18 through the whole chain."""

from __future__ import annotations

import pytest

from tests.gateway.conftest import House, a_house, problem_of


class TestHost:
    async def test_another_host_is_421(self, house: House) -> None:
        answer = await house.http.get("/healthz", headers={"host": "other.example"})
        assert problem_of(answer)["code"] == "misdirected-request"

    @pytest.mark.parametrize("host", ["gateway.test", "GATEWAY.test:443", "gateway.test.", "127.0.0.1:8080", "[::1]"])
    async def test_its_own_names_and_loopback_are_served(self, house: House, host: str) -> None:
        assert (await house.http.get("/healthz", headers={"host": host})).status_code == 200

    @pytest.mark.parametrize("host", ["", "a b", "gateway.test@evil", "gateway.test/x", "gateway.test:99999999"])
    async def test_no_host_is_400(self, house: House, host: str) -> None:
        assert problem_of(await house.http.get("/healthz", headers={"host": host}))["code"] == "bad-framing"

    async def test_more_names_can_be_allowed(self, postgres_url: str) -> None:
        async with a_house(postgres_url, allowed_hosts=("api.example",)) as house:
            assert (await house.http.get("/healthz", headers={"host": "api.example"})).status_code == 200

    @pytest.mark.parametrize("field", ["x-forwarded-host", "x-original-url", "x-rewrite-url", "forwarded"])
    async def test_links_come_from_configuration_whatever_is_claimed(self, house: House, field: str) -> None:
        headers = {field: "evil.example", "host": "127.0.0.1"}
        for path in ("/.well-known/oauth-authorization-server", "/portal/", "/web/v1/orders"):
            answer = await house.http.get(path, headers=headers)
            assert "evil.example" not in answer.text + repr(answer.headers)


class TestPath:
    @pytest.mark.parametrize(
        "path",
        [
            "/web/v1/../v1/orders",
            "/web/v1/%2e%2e/v1/orders",
            "/web//v1/orders",
            "/web/v1/orders/a%2Fb",
            "/web/v1/orders/a;b",
            "/web/v1/orders/%252e%252e",
            "/web/v1/orders/%00",
            "/web/v1/orders/a%5Cb",
        ],
    )
    async def test_no_path_has_two_readings(self, house: House, path: str) -> None:
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: object) -> None:
            sent.append(message)  # type: ignore[arg-type]

        await house.gateway(
            {
                "type": "http",
                "method": "GET",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "headers": [(b"host", b"gateway.test"), (b"authorization", f"Bearer {await house.token()}".encode())],
                "client": ("127.0.0.1", 1),
            },
            receive,
            send,  # type: ignore[arg-type]
        )
        assert sent[0]["status"] == 400
        assert house.web.scopes == []

    async def test_the_service_sees_the_canonical_path(self, house: House) -> None:
        await house.get("/web/v1/orders/%23100%31")
        assert house.web.scopes[-1]["path"] == "/web/v1/orders/#1001"
        assert house.web.scopes[-1]["raw_path"] == b"/web/v1/orders/%231001"

    async def test_head_is_answered_like_get_without_a_body(self, house: House) -> None:
        answer = await house.call("HEAD", "/web/v1/orders")
        assert answer.status_code == 200
        assert answer.content == b""
        assert house.web.scopes[-1]["method"] == "GET"


class TestQuery:
    @pytest.mark.parametrize("path", ["/webhooks/shopify/eu", "/web/v1/orders", "/portal/"])
    async def test_what_is_not_ascii_is_400_before_any_service_sees_it(self, house: House, path: str) -> None:
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: object) -> None:
            sent.append(message)  # type: ignore[arg-type]

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"a=\xff",
            "headers": [(b"host", b"gateway.test")],
            "client": ("127.0.0.1", 1),
        }
        await house.gateway(scope, receive, send)  # type: ignore[arg-type]
        assert sent[0]["status"] == 400
        assert house.shopify.scopes == []


class TestAnswerFields:
    async def test_no_field_of_ours_is_doubled_by_a_service(self, house: House) -> None:
        for house.web.status in (200, 503):
            house.web.headers = [
                (b"content-type", b"application/json"),
                (b"x-request-id", b"other"),
                (b"ratelimit", b"x"),
            ]
            answer = await house.get("/web/v1/orders", headers={"x-request-id": "order-4711-a"})
            assert answer.headers.get_list("x-request-id") == ["order-4711-a"]
            assert len(answer.headers.get_list("ratelimit")) == 1

    async def test_what_the_service_should_not_say_is_dropped(self, house: House) -> None:
        house.web.headers = [
            (b"content-type", b"application/json"),
            (b"server", b"x"),
            (b"strata-internal", b"x"),
            (b"connection", b"close"),
            (b"x-good", b"yes"),
            (b"x-split", b"a\r\nset-cookie: b"),
        ]
        answer = await house.get("/web/v1/orders")
        assert answer.headers["x-good"] == "yes"
        assert not {"server", "strata-internal", "connection", "x-split", "set-cookie"} & answer.headers.keys()
        assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_behind_tls_browsers_are_told_to_stay_there(self, postgres_url: str) -> None:
        async with a_house(postgres_url, public_url="https://gateway.test") as house:
            answer = await house.http.get("/healthz")
            assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
