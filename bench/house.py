"""A Strata of its own for a measurement: started as a user starts it, asked and stopped through its interfaces."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

STRATA = Path(sys.executable).with_name("strata")


def free_ports(size: int = 24) -> int:
    """A port P such that P and P+11 .. P+size are free; below what the system gives to outgoing connections."""
    for _ in range(100):
        port = random.randrange(20_000, 32_000)
        if all(_free(candidate) for candidate in (port, *range(port + 11, port + size))):
            return port
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class House:
    """`strata run` in a folder of its own, which is gone after the block."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="strata-bench-"))
        self.data = self._folder / "data"
        self.port = free_ports()
        self._process: subprocess.Popen[bytes] | None = None
        self.info: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        subprocess.run([STRATA, "stop", "--data", self.data], check=False, capture_output=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> float:
        """Start and wait until it is ready. Answers how long that took, in seconds."""
        began = time.monotonic()
        with (self._folder / "out").open("ab") as out:
            command = [STRATA, "run", "--port", str(self.port), "--data", self.data]
            self._process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        while time.monotonic() - began < 60 and self._process.poll() is None:
            if self._ready():
                took = time.monotonic() - began
                told = subprocess.run([STRATA, "info", "--json", "--data", self.data], check=True, capture_output=True)
                self.info = json.loads(told.stdout)
                return took
            time.sleep(0.05)
        raise RuntimeError(f"strata run did not become ready:\n{(self._folder / 'out').read_text()[-2000:]}")

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Ours and PostgreSQL's."""
        assert self._process is not None
        main = psutil.Process(self._process.pid)
        sandbox = json.loads((self.data / "sandbox" / "sandbox.json").read_text())["pid"]
        ours = [main, *(c for c in main.children(recursive=True) if c.pid != sandbox and "postgres" not in c.name())]
        postmaster = psutil.Process(int((self.data / "postgres" / "postmaster.pid").read_text().split()[0]))
        return {"strata": ours, "postgres": [postmaster, *postmaster.children()]}

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far. What PostgreSQL's connections used counts while they live."""
        used: dict[str, float] = {}
        for name, processes in self.processes().items():
            total = 0.0
            for process in processes:
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                total += times.user + times.system
            used[name] = total
        return used

    def memory_mb(self) -> float:
        """Resident memory of our processes."""
        return sum(p.memory_info().rss for p in self.processes()["strata"]) / 1e6
