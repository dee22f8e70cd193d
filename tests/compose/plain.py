"""Runs what docker-compose.yml says as plain processes: the same commands, the same environment, hosts on loopback."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
BIN = Path(sys.executable).parent


def interpolate(text: str, variables: dict[str, str]) -> str:
    """`${NAME:-default}` and `${NAME:?message}` as compose reads them. Raises KeyError for a needed one."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.group(1), match.group(2), match.group(3)
        if variables.get(name):
            return variables[name]
        if kind == "?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    return VARIABLE.sub(value, text)


def load(variables: dict[str, str]) -> dict[str, Any]:
    """The compose file with its anchors and variables resolved."""

    def walk(node: Any) -> Any:
        if isinstance(node, str):
            return interpolate(node, variables)
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        return [walk(value) for value in node] if isinstance(node, list) else node

    return walk(yaml.safe_load(COMPOSE.read_text("utf-8")))


def free_port() -> int:
    for _ in range(200):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no free port")


@dataclass
class Replica:
    """One container as a process."""

    service: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@dataclass
class Plain:
    """The services of the file, by replica. Own images (`strata`) only; the others are given by their addresses."""

    variables: dict[str, str]
    addresses: dict[str, str]
    """`host:port` in the file -> `host:port` here, for what is not ours (redis, collector)."""
    database_url: str
    replicas: list[Replica] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="strata-compose-"))
        self.services: dict[str, Any] = load(self.variables)["services"]
        self.ports = {
            name: [free_port() for _ in range(service.get("deploy", {}).get("replicas", 1))]
            for name, service in self.services.items()
            if service.get("image") == "strata"
        }
        self.sandbox_port = free_port()

    def environment(self, name: str, index: int) -> dict[str, str]:
        """The environment of a replica, hosts and folders mapped."""
        given: dict[str, str] = {key: str(value) for key, value in self.services[name]["environment"].items()}
        given = {key: self.mapped(value) for key, value in given.items()}
        given |= {
            "STRATA_HOST": "127.0.0.1",
            "STRATA_PORT": str(self.ports[name][index]),
            "STRATA_DATABASE_URL": self.database_url,
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("STRATA_")}
        return kept | given

    def mapped(self, text: str) -> str:
        for service, ports in self.ports.items():
            text = text.replace(f"//{service}:8080", f"//127.0.0.1:{ports[0]}")
        for there, here in self.addresses.items():
            text = text.replace(there, here)
        return re.sub(r"^/data(?=/|$)", str(self.folder), text)

    def command(self, name: str) -> list[str]:
        """The command of a service as the image would run it."""
        service = self.services[name]
        words = [*service.get("entrypoint", ["strata"]), *service["command"]]
        words = [self.mapped(word) for word in words]
        for option, value in (("--base-port", str(self.sandbox_port)), ("--host", "127.0.0.1")):
            if option in words:
                words[words.index(option) + 1] = value
        return [str(BIN / words[0]), *words[1:]]

    def start(self, name: str) -> list[Replica]:
        started: list[Replica] = []
        for index, port in enumerate(self.ports[name]):
            log = self.folder / f"{name}-{index}.log"
            with log.open("wb") as out:
                process = subprocess.Popen(
                    self.command(name), env=self.environment(name, index), stdout=out, stderr=out, cwd=self.folder
                )
            started.append(Replica(name, port, process, log))
        self.replicas += started
        return started

    def run(self, name: str, *words: str) -> str:
        """Run a command to its end in the environment of a service: `docker compose run` or `exec`."""
        command = [str(BIN / "strata"), *words] if words else self.command(name)
        done = subprocess.run(
            command, env=self.environment(name, 0), capture_output=True, text=True, cwd=self.folder, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def wait_ready(self, within_s: float = 60) -> None:
        """Return once the health check of every service that has one passes."""
        deadline = time.monotonic() + within_s
        for replica in self.replicas:
            if "healthcheck" not in self.services[replica.service] or replica.service == "sandbox":
                continue
            while not self._healthy(replica):
                tail = replica.log.read_text(errors="replace")[-2000:]
                assert replica.process.poll() is None, f"{replica.service} ended:\n{tail}"
                assert time.monotonic() < deadline, f"{replica.service} is not ready:\n{tail}"
                time.sleep(0.1)

    @staticmethod
    def _healthy(replica: Replica) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{replica.port}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        for replica in self.replicas:
            if replica.process.poll() is None:
                replica.process.terminate()
        for replica in self.replicas:
            try:
                replica.process.wait(15)
            except subprocess.TimeoutExpired:
                replica.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
