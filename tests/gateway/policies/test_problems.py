"""RFC 9457 everywhere, and nothing that belongs inside ever leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.gateway.conftest import House, a_house, problem_of


class TestNotFound:
    @pytest.mark.parametrize(
        "path", ["/nowhere", "/web/v1/nowhere", "/orders", "/web/v1/orders/a/b", "/oauth/authorize"]
    )
    async def test_404_comes_before_any_credential_is_asked_for(self, house: House, path: str) -> None:
        assert problem_of(await house.http.get(path))["code"] == "not-found"

    async def test_an_unknown_version_is_named(self, house: House) -> None:
        assert problem_of(await house.http.get("/web/v7/orders"))["code"] == "version-unknown"

    async def test_405_names_what_is_allowed(self, house: House) -> None:
        answer = await house.http.delete("/web/v1/orders")
        assert problem_of(answer)["code"] == "method-not-allowed"
        assert answer.headers["allow"] == "GET, HEAD, POST"

    @pytest.mark.parametrize("field", ["x-http-method-override", "x-method-override", "x-http-method"])
    async def test_a_method_override_is_ignored(self, house: House, field: str) -> None:
        answer = await house.get("/web/v1/orders", headers={field: "DELETE"})
        assert answer.status_code == 200
        assert house.web.scopes[-1]["method"] == "GET"
        assert field not in house.web.seen


class TestTheServiceFails:
    async def test_an_exception_is_502_without_its_text(self, house: House) -> None:
        async def fail() -> None:
            raise RuntimeError("password=hunter2 at /srv/secret")

        house.web.before = fail
        answer = await house.get("/web/v1/orders")
        assert problem_of(answer)["code"] == "upstream-error"
        assert "hunter2" not in answer.text

    async def test_no_connection_is_502(self, house: House) -> None:
        async def fail() -> None:
            raise ConnectionRefusedError("10.1.2.3:5432")

        house.web.before = fail
        answer = await house.get("/web/v1/orders")
        assert problem_of(answer)["code"] == "upstream-error"
        assert "10.1.2.3" not in answer.text

    async def test_no_answer_in_time_is_504(self, postgres_url: str) -> None:
        async with a_house(postgres_url, upstream_timeout_s=0.05) as house:
            house.web.before = lambda: asyncio.sleep(5)
            assert problem_of(await house.get("/web/v1/orders"))["code"] == "upstream-timeout"

    async def test_the_deadline_ends_where_the_answer_begins(self, postgres_url: str) -> None:
        async with a_house(postgres_url, upstream_timeout_s=0.1) as house:

            async def slow(scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await asyncio.sleep(0.2)
                await send({"type": "http.response.body", "body": b"late"})

            house.gateway._upstreams["experience-web"] = slow  # type: ignore[index]
            assert (await house.get("/web/v1/orders")).text == "late"

    async def test_our_own_refused_credential_is_never_the_callers_401(self, house: House) -> None:
        house.web.status = 401
        answer = await house.get("/web/v1/orders")
        assert problem_of(answer)["code"] == "upstream-auth"
        assert answer.status_code == 502
        assert "www-authenticate" not in answer.headers

    async def test_an_html_error_page_becomes_a_problem(self, house: House) -> None:
        house.web.status, house.web.body = 503, b"<h1>nginx 1.2.3</h1>"
        house.web.headers = [(b"content-type", b"text/html"), (b"retry-after", b"7"), (b"server", b"nginx")]
        answer = await house.get("/web/v1/orders")
        assert problem_of(answer)["code"] == "dependency-unavailable"
        assert answer.headers["retry-after"] == "7"
        assert "nginx" not in answer.text
        assert "server" not in answer.headers

    async def test_a_services_own_problem_passes_with_our_ids(self, house: House) -> None:
        house.web.status = 422
        house.web.headers = [(b"content-type", b"application/problem+json; charset=utf-8")]
        house.web.body = b'{"type":"https://strata.dev/problems/validation-error","title":"No","status":422,"errors":[{"detail":"d","pointer":"/a"}]}'
        document = problem_of(await house.get("/web/v1/orders"))
        assert document["title"] == "No"
        assert document["errors"] == [{"detail": "d", "pointer": "/a"}]

    async def test_an_endless_problem_is_cut_to_our_own(self, house: House) -> None:
        house.web.status, house.web.body = 500, b'{"title":"' + b"x" * 200_000 + b'"}'
        house.web.headers = [(b"content-type", b"application/problem+json")]
        answer = await house.get("/web/v1/orders")
        assert problem_of(answer)["code"] == "upstream-error"
        assert len(answer.content) < 2_000

    async def test_an_answer_that_stops_in_the_middle_is_not_passed_off_as_whole(self, house: House) -> None:
        async def half(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})

        house.gateway._upstreams["experience-web"] = half  # type: ignore[index]
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/web/v1/orders",
            "raw_path": b"/web/v1/orders",
            "query_string": b"",
            "headers": [(b"host", b"gateway.test"), (b"authorization", f"Bearer {await house.token()}".encode())],
            "client": ("127.0.0.1", 1),
        }
        with pytest.raises(Exception, match="upstream-error"):
            await house.gateway(scope, receive, send)  # the server cuts the connection on it
        assert [message.get("more_body") for message in sent] == [None, True]

    async def test_nothing_answered_at_all_is_502(self, house: House) -> None:
        async def silent(scope: Any, receive: Any, send: Any) -> None:
            return None

        house.gateway._upstreams["experience-web"] = silent  # type: ignore[index]
        assert problem_of(await house.get("/web/v1/orders"))["code"] == "upstream-error"


class TestTheGatewayFails:
    async def test_a_fault_of_ours_is_500_without_its_text(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise ValueError("secret detail")

        monkeypatch.setattr(type(house.gateway.configuration.table), "find", fail)
        answer = await house.http.get("/web/v1/orders")
        assert problem_of(answer)["code"] == "internal-error"
        assert "secret" not in answer.text


class TestNegotiation:
    @pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", "x" * 3_000])
    async def test_406(self, house: House, accept: str) -> None:
        assert problem_of(await house.get("/web/v1/orders", headers={"accept": accept}))["code"] == "not-acceptable"

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/xml", "application/json;charset=utf-7", "multipart/form-data", None]
    )
    async def test_415(self, house: House, content_type: str | None) -> None:
        headers = {"content-type": content_type} if content_type else {}
        answer = await house.call("POST", "/web/v1/orders", content=b"{}", headers=headers)
        assert problem_of(answer)["code"] == "unsupported-media-type"
        assert answer.headers["accept"] == "application/json"

    async def test_a_compressed_body_is_415(self, house: House) -> None:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        answer = await house.call("POST", "/web/v1/orders", content=b"\x1f\x8b", headers=headers)
        assert problem_of(answer)["code"] == "unsupported-media-type"

    async def test_utf_8_may_be_said(self, house: House) -> None:
        headers = {"content-type": 'application/json; charset="UTF-8"'}
        assert (await house.call("POST", "/web/v1/orders", content=b"{}", headers=headers)).status_code == 200


class TestQueries:
    async def test_a_scalar_sent_twice_is_400(self, house: House) -> None:
        assert problem_of(await house.get("/web/v1/orders?limit=1&limit=2"))["code"] == "invalid-parameter"

    async def test_a_list_may_repeat(self, house: House) -> None:
        assert (await house.get("/web/v1/orders?status=open&status=shipped")).status_code == 200
