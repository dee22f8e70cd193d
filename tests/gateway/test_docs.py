"""The pages about the gateway say what the code does."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from gateway.chain import ORDER
from gateway.core.admit import WireLimits
from gateway.core.problem import TYPES
from gateway.settings import GatewaySettings
from tests.gateway.conftest import House, a_house
from tests.gateway.http.conftest import a_wire

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "gateway.md").read_text("utf-8")
METRICS = (DOCS / "reference" / "gateway-metrics.md").read_text("utf-8")
PROBLEMS = (DOCS / "reference" / "gateway-problems.md").read_text("utf-8")
HOW_TO = (DOCS / "how-to" / "get-a-token.md").read_text("utf-8")


class TestReference:
    def test_every_problem_has_its_row_and_no_row_is_left_over(self) -> None:
        rows = re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \| (.+) \| (.+) \|$", PROBLEMS, re.MULTILINE)
        assert rows == [(str(kind.status), slug, kind.title, kind.remedy) for slug, kind in TYPES.items()]

    def test_the_policies_stand_in_their_order(self) -> None:
        named = re.findall(r"^\| `([A-Z][A-Za-z]+)` \|", REFERENCE, re.MULTILINE)
        assert named == [policy.__name__ for policy in ORDER]

    def test_every_setting_is_described(self) -> None:
        described = re.findall(r"^\| `([a-z_]+)` \|", REFERENCE, re.MULTILINE)
        assert described == [*GatewaySettings.__struct_fields__, *WireLimits.__struct_fields__]

    @pytest.mark.parametrize("name", WireLimits.__struct_fields__)
    def test_the_defaults_on_the_wire_are_the_real_ones(self, name: str) -> None:
        value = getattr(WireLimits(), name)
        shown = str(value) if isinstance(value, int) else f"{value:g}"
        assert re.search(rf"^\| `{name}` \| {shown} \|", REFERENCE, re.MULTILINE)

    async def test_every_metric_is_described(self, postgres_url: str, redis_url: str) -> None:
        async with a_house(postgres_url, redis_url=redis_url) as house:
            page = (await house.http.get("/metrics")).text
        shown = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
        assert shown == set(re.findall(r"^\| `(strata_[a-z_]+)` \|", METRICS, re.MULTILINE))

    async def test_every_address_answers_as_described(self, house: House) -> None:
        for method, path in re.findall(r"^\| `(GET|POST) (/\S*)` \|", REFERENCE, re.MULTILINE):
            answer = await house.http.request(method, path)
            assert answer.status_code not in {404, 405, 500}, path


class TestHowTo:
    @pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl and jq run the page's commands")
    async def test_the_commands_of_the_page_work(self, postgres_url: str) -> None:
        blocks = dict(re.findall(r"```bash title=\"(\w+)\"\n(.*?)```", HOW_TO, re.DOTALL))
        assert list(blocks) == ["credentials", "token", "call"]
        async with a_house(postgres_url) as house, a_wire(house.gateway, WireLimits()) as wire:
            script = "set -eu\n" + blocks["token"] + blocks["call"]
            process = await asyncio.create_subprocess_exec(
                "bash",
                "-c",
                script,
                env={
                    **os.environ,
                    "CLIENT_ID": house.client_id,
                    "CLIENT_SECRET": house.client_secret,
                    "GATEWAY": f"http://127.0.0.1:{wire.port}",
                },
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
        assert process.returncode == 0
        assert out == b'{"id":"sh:demo:order:1"}'
        assert house.web.scopes[-1]["path"] == "/web/v1/orders/sh:northwind-us:order:5001"

    async def test_the_refusals_of_the_page_are_real(self, house: House) -> None:
        wrong = await house.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("a", "b"))
        assert wrong.json()["error"] == "invalid_client"
        codes = re.findall(r"^\| 40[13] `([a-z-]+)`", HOW_TO, re.MULTILINE)
        assert {"invalid-token", "insufficient-scope", "subscription-required"} <= set(codes)
        assert {code for code in codes if "-" in code} <= TYPES.keys()
