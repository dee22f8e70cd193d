"""Strata as a user runs it: `strata run` in a folder of its own, `strata info --json` to know when and where."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.vendors import NetSuite, ShopifyAdmin

STRATA = Path(sys.executable).with_name("strata")


def free_port_block(size: int = 24) -> int:
    """A port P such that P and P+11 .. P+size are free right now."""
    for _ in range(200):
        port = random.randrange(20_000, 32_000)  # below what the system gives to outgoing connections
        if _all_free(port, size):
            return port
    raise AssertionError("no block of free ports")


def _all_free(port: int, size: int) -> bool:
    for candidate in (port, *range(port + 11, port + size)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                return False
    return True


class House:
    """One running Strata with its sandbox, under a folder of its own that is gone after the `with` block.

    The folder is not pytest's: pytest closes its folders to others whenever a session starts, and under root the
    embedded PostgreSQL runs as a user of its own.
    """

    def __init__(self, **environ: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="strata-house-"))
        self.data = self.folder / "data"
        self.port = free_port_block()
        self.environ = {**os.environ, "PYTHONUNBUFFERED": "1", **environ}
        self.environ.pop("STRATA_DATABASE_URL", None) if "STRATA_DATABASE_URL" not in environ else None
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "run.out"

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cli(self, *args: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [STRATA, *args, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environ,
            check=False,
        )
        if check:
            assert done.returncode == 0, (args, done.returncode, done.stdout, done.stderr)
        return done

    def start(self, wait_s: float = 60) -> float:
        """Start, wait until it is ready, answer how long that took in seconds."""
        started = time.monotonic()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [STRATA, "run", "--port", str(self.port), "--data", str(self.data)],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env=self.environ,
                start_new_session=True,
            )
        ready = f"http://127.0.0.1:{self.port}/readyz"
        while time.monotonic() - started < wait_s:
            if self.process.poll() is not None:
                raise AssertionError(f"strata run ended with {self.process.returncode}:\n{self.tail()}")
            try:
                if httpx.get(ready, timeout=2).status_code == 200:
                    return time.monotonic() - started
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready after {wait_s} s:\n{self.tail()}")

    def tail(self, size: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def info(self) -> dict[str, Any]:
        return json.loads(self.cli("info", "--json").stdout)

    def kill(self) -> None:
        """kill -9 of Strata: its main process and the worker, not the sandbox and not PostgreSQL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def sandbox_pid(self) -> int:
        """Process of the sandbox, from the file it keeps about itself."""
        return int(json.loads((self.data / "sandbox" / "sandbox.json").read_text())["pid"])

    def stop(self) -> None:
        """Stop as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        subprocess.run([STRATA, "stop", "--data", str(self.data)], env=self.environ, capture_output=True, check=False)

    def shopify(self, shop: str | None = None) -> ShopifyAdmin:
        return ShopifyAdmin(self.info()["sandbox"]["shopify"], shop)

    def netsuite(self) -> NetSuite:
        return NetSuite(self.info()["sandbox"]["netsuite"])

    def api(self, client: str) -> httpx.Client:
        """A client of the gateway with a token of a development client."""
        info = self.info()
        found = next(c for c in info["clients"] if c["name"] == client)
        token = httpx.post(
            info["gateway"]["token_url"],
            data={"grant_type": "client_credentials"},
            auth=(found["client_id"], found["client_secret"]),
            timeout=30,
        )
        token.raise_for_status()
        return httpx.Client(
            base_url=info["gateway"]["base_url"],
            headers={"Authorization": f"Bearer {token.json()['access_token']}"},
            timeout=30,
        )


def eventually(check: Any, *, within_s: float = 30, every_s: float = 0.1) -> Any:
    """The first truthy answer of `check`; its last answer is told when none comes in time."""
    deadline = time.monotonic() + within_s
    last: Any = None
    while time.monotonic() < deadline:
        last = check()
        if last:
            return last
        time.sleep(every_s)
    raise AssertionError(f"not within {within_s} s; last answer: {last!r}")
