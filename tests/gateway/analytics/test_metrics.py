from __future__ import annotations

import re
from typing import Any

from gateway.analytics.metrics import Metrics
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


class TestHealth:
    async def test_every_node_reports_the_configuration_it_runs(self, house: House) -> None:
        alive: Any = (await house.http.get("/healthz")).json()
        ready: Any = (await house.http.get("/readyz")).json()
        assert alive == {"status": "alive", "configuration": house.gateway.digest}
        assert ready["checks"] == {"database": "up", "limits": "up"}
        assert ready["configuration"] == house.gateway.digest
