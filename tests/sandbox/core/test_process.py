"""The sandbox as a process: started, found, refused twice, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
Start = Callable[[], subprocess.Popen[str]]


def sandbox(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "sandbox", *map(str, arguments)]


def info(folder: Path) -> dict:
    done = subprocess.run(sandbox("info", "--data", folder), capture_output=True, text=True, cwd=REPOSITORY, check=True)
    return json.loads(done.stdout)["shopify"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            sandbox("run", "shopify", "--data", tmp_path, "--base-port", "0"),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY,
        )  # fmt: skip
        running.append(process)
        for line in process.stdout:
            if line.strip() == "sandbox ready":
                return process
        pytest.fail("the sandbox did not start")

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()


def graphql(shopify: dict, query: str) -> dict:
    answer = httpx.post(
        f"{shopify['base_url']}/admin/api/2026-10/graphql.json", json={"query": query}, trust_env=False,
        headers={"X-Shopify-Access-Token": shopify["auth"]["access_token"]["token"]},
    )  # fmt: skip
    return answer.json()["data"]


class TestProcess:
    def test_info_tls_and_a_clean_stop(self, start, tmp_path):
        process = start()
        shopify = info(tmp_path)
        assert {"base_url", "tls_url", "ca_file", "control_url", "shop", "webhook_secret", "auth"} <= set(shopify)
        context = ssl.create_default_context(cafile=shopify["ca_file"])
        health = httpx.get(f"{shopify['tls_url']}/_sandbox/health", verify=context, trust_env=False)
        assert health.json()["status"] == "ok"
        for name in ("sandbox.json", "shopify/secrets.json"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        gone = subprocess.run(
            sandbox("info", "--data", tmp_path), capture_output=True, text=True, cwd=REPOSITORY, check=False
        )
        assert gone.returncode == 3
        assert "no sandbox runs" in gone.stderr

    def test_twice_on_one_folder_is_refused(self, start, tmp_path):
        start()
        again = subprocess.run(
            sandbox("run", "shopify", "--data", tmp_path, "--base-port", "0"),
            capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=30,
        )  # fmt: skip
        assert again.returncode == 1
        assert "already runs" in again.stderr

    def test_a_killed_one_keeps_its_records_credentials_and_clock(self, start, tmp_path):
        process = start()
        before = info(tmp_path)
        httpx.post(f"{before['control_url']}/seed", json={"orders": 3, "shop": "northwind-us"}, trust_env=False)
        httpx.post(
            f"{before['control_url']}/clock", json={"set": "2027-01-01T00:00:00Z", "freeze": True}, trust_env=False
        )
        names = graphql(before, "{ orders(first: 5) { nodes { name } } }")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        start()
        after = info(tmp_path)
        assert after["auth"]["access_token"] == before["auth"]["access_token"]
        assert graphql(after, "{ orders(first: 5) { nodes { name } } }") == names
        clock = httpx.get(f"{after['control_url']}/clock", trust_env=False).json()
        assert clock["now"] == "2027-01-01T00:00:00Z"

    def test_an_unknown_vendor_is_refused(self, tmp_path):
        done = subprocess.run(
            sandbox("run", "nope", "--data", tmp_path), capture_output=True, text=True, cwd=REPOSITORY, check=False
        )
        assert done.returncode == 1
        assert "is none of shopify" in done.stderr

    def test_a_cut_connection_is_a_cut_connection(self, start, tmp_path):
        start()
        shopify = info(tmp_path)
        for kind in ("connection_reset", "truncated"):
            httpx.post(f"{shopify['control_url']}/faults", json={"kind": kind, "times": 1}, trust_env=False)
            with pytest.raises(httpx.TransportError):
                graphql(shopify, "{ shop { name } }")
        assert graphql(shopify, "{ shop { currencyCode } }") == {"shop": {"currencyCode": "USD"}}
