"""The simulated vendors as a process of their own, for tests: started as a user does, told what to do over HTTP.

    def test_...(sandbox: Sandbox): sandbox.shopify.fault(kind="throttle", times=1)

One process serves all tests of a run (of an xdist worker).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from strata.connections import Connection

REPOSITORY = Path(__file__).resolve().parent.parent


class Vendor:
    """One simulated vendor: `info` as the sandbox prints it, and its control API."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.base_url: str = info["base_url"]
        self._control = httpx.Client(base_url=info["control_url"], timeout=30, trust_env=False)

    def control(self, method: str, path: str, body: object = None, **query: str | int) -> Any:
        """Call the control API and answer its JSON."""
        answer = self._control.request(method, path, json=body, params=query)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def reset(self) -> None:
        """Start data, no faults, no limits changed, clock at now."""
        self.control("POST", "/reset", {})
        self.mend()
        self.forget_requests()

    def seed(self, **options: object) -> Any:
        """Add data."""
        return self.control("POST", "/seed", options)

    def fault(self, kind: str, operation: str | None = None, **more: object) -> None:
        """Put a fault in force."""
        match = {} if operation is None else {"operation": operation}
        self.control("POST", "/faults", {"kind": kind, "match": match, **more})

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, with their `hits`."""
        return self.control("GET", "/faults")["faults"]

    def mend(self) -> None:
        """End all faults."""
        self.control("DELETE", "/faults")

    def limits(self, **limits: object) -> None:
        """Change settings such as `concurrency` and `latency_ms`."""
        self.control("POST", "/limits", limits)

    def state(self, kind: str, **filters: str | int) -> list[dict[str, Any]]:
        """Raw records of a type."""
        return self.control("GET", f"/state/{kind}", None, **{"limit": 1000, **filters})["items"]

    def requests(self, **filters: str | int) -> dict[str, Any]:
        """Request log: `summary` and `requests`."""
        return self.control("GET", "/requests", None, **filters)

    def forget_requests(self) -> None:
        """Empty the request log."""
        self.control("DELETE", "/requests")


class Sandbox:
    """The running sandbox."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, info: dict[str, Any]) -> None:
        self.process = process
        self.folder = folder
        self.shopify = Vendor(info["shopify"])
        self.netsuite = Vendor(info["netsuite"])

    def reset(self) -> None:
        """All vendors as they were at the start."""
        self.shopify.reset()
        self.netsuite.reset()

    def mend(self) -> None:
        """No faults, and an empty request log."""
        for vendor in (self.shopify, self.netsuite):
            vendor.mend()
            vendor.forget_requests()

    def shop(self, name: str = "northwind-us", **options: object) -> Connection:
        """A connection to one of the shops."""
        info = self.shopify.info
        found = next(shop for shop in info["shops"] if shop["shop"].partition(".")[0] == name)
        own = {
            "shop": name,
            "base_url": found.get("base_url") or info["base_url"],
            "access_token": found["access_token"],
            "webhook_secret": info["webhook_secret"],
            "request_timeout_s": 3.0,
        }
        return Connection(name, "shopify", {**own, **options})

    def erp(self, auth: str = "tba", **options: object) -> Connection:
        """A connection to the NetSuite account, by `tba` or `oauth2_m2m` (or `oauth2_m2m_ec`)."""
        info = self.netsuite.info
        kind = "tba" if auth == "tba" else "oauth2_m2m"
        own = {
            "account": info["account"],
            "base_url": info["base_url"],
            "auth": {"kind": kind, **info["auth"][auth]},
            "concurrency": 5,
            "request_timeout_s": 3.0,
            "server_limit_s": 2.0,
            "wait_s": 5.0,
            "time_zone": info.get("timezone", "UTC"),
        }
        return Connection("erp", "netsuite", {**own, **options})


def start(folder: Path, *vendors: str) -> subprocess.Popen[bytes]:
    """Start the sandbox on free ports and wait until it says where it is."""
    command = [sys.executable, "-m", "sandbox", "run", *vendors, "--data", str(folder), "--base-port", "0"]
    log = (folder / "sandbox.log").open("ab")
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the sandbox ended: {(folder / 'sandbox.log').read_text()[-2000:]}")
        if read_info(folder) is not None:
            return process
        time.sleep(0.05)
    process.kill()
    raise RuntimeError("the sandbox did not start in 30 s")


def read_info(folder: Path) -> dict[str, Any] | None:
    """What `python -m sandbox info` prints; None while it does not run."""
    answer = subprocess.run(
        [sys.executable, "-m", "sandbox", "info", "--data", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
        env=os.environ,
    )
    return json.loads(answer.stdout) if answer.returncode == 0 else None


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """The sandbox, started once; stopped by SIGTERM at the end."""
    with tempfile.TemporaryDirectory(prefix="strata-test-sandbox-") as name:
        folder = Path(name)
        process = start(folder, "shopify", "netsuite")
        info = read_info(folder)
        if info is None:
            raise RuntimeError("the sandbox stopped again")
        yield Sandbox(process, folder, info)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The running sandbox without faults; records of earlier tests are still there, so use keys of your own."""
    sandbox_process.mend()
    return sandbox_process


@pytest.fixture
def fresh_sandbox(sandbox: Sandbox) -> Sandbox:
    """The running sandbox with its start data alone. Takes a second."""
    sandbox.reset()
    return sandbox
