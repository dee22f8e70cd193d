from __future__ import annotations

import re
from typing import Any

import pytest
import structlog

from gateway.analytics.access_log import AccessLog
from gateway.analytics.metrics import Metrics
from gateway.exchange import Exchange
from tests.gateway.conftest import House, a_house, problem_of

LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+]+')


class TestMetrics:
    async def test_the_page_is_prometheus_text(self, house: House) -> None:
        await house.get("/web/v1/orders")
        answer = await house.http.get("/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        assert all(LINE.fullmatch(line) for line in lines), lines
        wanted = 'strata_gateway_requests_total{api="orders-web",operation="web_list_orders",status="200"} 1'
        assert wanted in lines
        assert "strata_gateway_token_cache_misses_total 1" in lines

    async def test_only_listed_networks_may_read_it(self, postgres_url: str) -> None:
        async with a_house(postgres_url, metrics_allowed=("10.0.0.0/8",)) as house:
            assert problem_of(await house.http.get("/metrics"))["code"] == "forbidden"
            claimed = await house.http.get("/metrics", headers={"x-forwarded-for": "10.0.0.1"})
            assert claimed.status_code == 403

    async def test_a_trusted_proxy_does_not_lend_its_address(self, postgres_url: str) -> None:
        async with a_house(postgres_url, trusted_proxies=("127.0.0.0/8",)) as house:
            answer = await house.http.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})
            assert answer.status_code == 403

    def test_histogram_buckets_are_cumulative(self) -> None:
        metrics = Metrics()
        for elapsed in (0.0005, 0.02, 99.0):
            metrics.request("web", "op", 200, elapsed)
        counts = [
            int(line.rsplit(" ", 1)[1])
            for line in metrics.render().decode().splitlines()
            if line.startswith("strata_gateway_request_seconds_bucket")
        ]
        assert counts == sorted(counts)
        assert (counts[0], counts[-1]) == (1, 3)

    def test_a_label_cannot_break_out(self) -> None:
        metrics = Metrics()
        metrics.request('a"b\n', "op", 200, 0.1)
        assert 'api="a\\"b\\n"' in metrics.render().decode()


class TestTheAccessLog:
    async def test_one_line_per_request_with_what_is_needed(self, postgres_url: str) -> None:
        with structlog.testing.capture_logs() as lines:
            async with a_house(postgres_url) as house:
                await house.get("/web/v1/orders/a?limit=1")
        (line,) = [line for line in lines if line.get("operation") == "web_get_order"]
        assert line["route"] == "/web/v1/orders/{id}"
        assert line["client"] == house.client_id
        assert line["status"] == 200
        assert line["address"] == "127.0.0.0"

    @pytest.mark.parametrize("good", [True, False])
    async def test_no_secret_reaches_log_metrics_or_answer(self, postgres_url: str, good: bool) -> None:
        canary = "canary-4f1c7a9e"
        with structlog.testing.capture_logs() as lines:
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
        seen = repr(lines) + metrics + ledger + answer.text + repr(answer.headers)
        assert canary not in seen
        assert token not in seen or token == canary
        assert house.client_secret not in seen

    def test_a_writer_that_falls_behind_loses_the_oldest_and_counts_them(self) -> None:
        log = AccessLog(max_lines=3)
        for _ in range(5):
            log.add("GET", Exchange(), 200, 0.001)
        with structlog.testing.capture_logs() as lines:
            log.flush()
        assert (len(lines), log.dropped) == (3, 2)


class TestHealth:
    async def test_every_node_reports_the_configuration_it_runs(self, house: House) -> None:
        alive: Any = (await house.http.get("/healthz")).json()
        ready: Any = (await house.http.get("/readyz")).json()
        assert alive == {"status": "alive", "configuration": house.gateway.digest}
        assert ready["checks"] == {"database": "up", "limits": "up"}
        assert ready["configuration"] == house.gateway.digest
