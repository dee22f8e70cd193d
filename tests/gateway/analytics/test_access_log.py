"""One line per request, in batches, and never a secret in it."""

from __future__ import annotations

import asyncio
import io
import json
import select
import sys
from typing import Any

import pytest
import structlog

from gateway.analytics.access_log import AccessLog
from gateway.exchange import Exchange
from tests.gateway.conftest import a_house


def lines_of(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in found if line.get("event") == "request"]


class Writer(io.StringIO):
    """Standard error that remembers the size of each write."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def write(self, text: str, /) -> int:
        self.sizes.append(len(text.encode()))
        return super().write(text)


class TestALine:
    async def test_it_says_what_is_needed(self, postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        async with a_house(postgres_url) as house:
            answer = await house.get("/web/v1/orders/a?limit=1")
        (line,) = [line for line in lines_of(capsys.readouterr().err) if line["operation"] == "web_get_order"]
        assert line["route"] == "/web/v1/orders/{id}"
        assert line["client"] == house.client_id
        assert line["status"] == 200
        assert line["address"] == "127.0.0.0"
        assert line["request_id"] == answer.headers["x-request-id"]
        assert line["at"].endswith("Z")
        assert line["service"] == "gateway"

    def test_it_names_the_service_whose_process_it_is(self, capsys: pytest.CaptureFixture[str]) -> None:
        with structlog.contextvars.bound_contextvars(service="strata"):
            log = AccessLog()
        log.add("GET", Exchange(), 200, 0.001)
        log.flush()
        assert lines_of(capsys.readouterr().err)[0]["service"] == "strata"

    @pytest.mark.parametrize("good", [True, False])
    async def test_no_secret_reaches_log_metrics_or_answer(
        self, postgres_url: str, capsys: pytest.CaptureFixture[str], good: bool
    ) -> None:
        canary = "canary-4f1c7a9e"
        with structlog.testing.capture_logs() as events:
            async with a_house(postgres_url) as house:
                token = await house.token() if good else canary
                answer = await house.http.post(
                    f"/web/v1/orders?api_key={canary}",
                    headers={
                        "authorization": f"Bearer {token}",
                        "cookie": canary,
                        "x-api-key": canary,
                        "content-type": "application/json",
                    },
                    content=f'{{"password": "{canary}"}}',
                )
                await house.http.post("/oauth/token", data={"client_id": canary, "client_secret": canary})
                metrics = (await house.http.get("/metrics")).text
                ledger = repr(list(house.gateway.ledger.rows))
        written = capsys.readouterr()
        assert len(lines_of(written.err)) >= 3
        seen = written.err + written.out + repr(events) + metrics + ledger + answer.text + repr(answer.headers)
        assert canary not in seen
        assert token not in seen or token == canary
        assert house.client_secret not in seen


class TestWriting:
    def test_many_lines_are_few_writes_and_none_is_cut_by_another_writer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        log, stderr = AccessLog(), Writer()
        for number in range(250):
            exchange = Exchange()
            exchange.request_id = str(number)
            log.add("GET", exchange, 200, 0.001)
        monkeypatch.setattr(sys, "stderr", stderr)
        log.flush()
        assert [line["request_id"] for line in lines_of(stderr.getvalue())] == [str(n) for n in range(250)]
        assert len(stderr.sizes) < 50
        assert max(stderr.sizes) <= select.PIPE_BUF

    def test_one_line_larger_than_a_piece_is_written_all_the_same(self, capsys: pytest.CaptureFixture[str]) -> None:
        log, exchange = AccessLog(), Exchange()
        exchange.problem = "x" * 9_000
        for _ in range(2):
            log.add("GET", exchange, 200, 0.001)
        log.flush()
        assert len(lines_of(capsys.readouterr().err)) == 2

    async def test_a_line_waits_for_less_than_a_second(self, capsys: pytest.CaptureFixture[str]) -> None:
        log = AccessLog()
        task = asyncio.create_task(log.run())
        log.add("GET", Exchange(), 200, 0.001)
        async with asyncio.timeout(1):
            while not lines_of(capsys.readouterr().err):  # noqa: ASYNC110  # a stream has no event
                await asyncio.sleep(0.02)
        task.cancel()

    def test_a_writer_that_falls_behind_loses_the_oldest_and_counts_them(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = AccessLog(max_lines=3)
        for status in range(200, 205):
            log.add("GET", Exchange(), status, 0.001)
        log.flush()
        assert [line["status"] for line in lines_of(capsys.readouterr().err)] == [202, 203, 204]
        assert log.dropped == 2

    @pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left"), ValueError("closed")])
    def test_a_stream_that_is_gone_stops_no_request(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        class Gone(io.StringIO):
            def write(self, text: str, /) -> int:
                raise error

        log = AccessLog()
        for _ in range(3):
            log.add("GET", Exchange(), 200, 0.001)
        monkeypatch.setattr(sys, "stderr", Gone())
        log.flush()
        assert log.dropped == 3
