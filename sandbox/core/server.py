"""Runs vendors: a plain and a TLS socket each, one event loop, one process per data folder, graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import trustme
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.core import control
from sandbox.core.app import VendorApp
from sandbox.core.clock import Clock
from sandbox.core.faults import Faults
from sandbox.core.keep import Lock, Secrets, info_path, write_private
from sandbox.core.requests import RequestLog
from sandbox.core.store import Store
from sandbox.core.vendor import Context, Urls, Vendor

# The place in this list fixes the ports: vendor i has base+2*i in plain and base+2*i+1 over TLS.
VENDORS = ("shopify", "netsuite", "salesforce", "sap", "workday", "servicenow")
HOST = "127.0.0.1"
log = logging.getLogger("sandbox")


class UnknownVendor(Exception):
    """No such vendor in this sandbox."""


class PortTaken(Exception):
    """A port the sandbox needs is in use."""


def load(name: str, folder: Path | None) -> Vendor:
    """Build a vendor with its store. folder: the sandbox's data folder; None keeps all in memory (tests).

    Raises UnknownVendor.
    """
    if name not in VENDORS:
        raise UnknownVendor(f"{name!r} is none of {', '.join(VENDORS)}")
    try:
        module = import_module(f"sandbox.{name}.vendor")
    except ModuleNotFoundError as error:
        if error.name not in (f"sandbox.{name}", f"sandbox.{name}.vendor"):
            raise
        raise UnknownVendor(f"the sandbox has no {name} yet") from None
    own = None if folder is None else folder / name
    clock = Clock()
    context = Context(
        name=name,
        folder=own or Path(),
        store=Store(None if own is None else own / "state.sqlite"),
        clock=clock,
        faults=Faults(clock),
        requests=RequestLog(),
        secrets=Secrets(None if own is None else own / "secrets.json"),
    )
    vendor: Vendor = module.create(context)
    control.restore(vendor)
    return vendor


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, plus the transport in the scope so that a fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox.transport": self.transport}  # pyright: ignore[reportGeneralTypeIssues]


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us: several run in one loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"port {port} is in use; choose others with --base-port") from error
    listener.listen(1024)
    return listener


def _certificates(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """(CA file, server chain with key) for these host names, kept in the folder while the names stay the same."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_file, server_file, names_file = folder / "ca.pem", folder / "server.pem", folder / "names.json"
    wanted = msgspec.json.encode(sorted(names))
    if server_file.exists() and names_file.exists() and names_file.read_bytes() == wanted:
        return ca_file, server_file
    key_file = folder / "ca.key.pem"
    if key_file.exists():
        ca = trustme.CA.from_pem(ca_file.read_bytes(), key_file.read_bytes())
    else:
        ca = trustme.CA(organization_name="Strata sandbox")
        write_private(ca_file, ca.cert_pem.bytes())
        write_private(key_file, ca.private_key_pem.bytes())
        ca_file.chmod(0o644)
    certificate = ca.issue_cert(*names)
    write_private(server_file, certificate.private_key_and_cert_chain_pem.bytes())
    write_private(names_file, wanted)
    return ca_file, server_file


def _serve(app: VendorApp, server_file: Path | None) -> _Server:
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]  # our ASGI types are looser than asgiref's
        loop="none",
        http=_Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        proxy_headers=False,
        ssl_certfile=None if server_file is None else str(server_file),
    )
    return _Server(config)


class Sandbox:
    """The running sandbox. `async with Sandbox(...) as info:` for tests; `run` for the command line."""

    def __init__(self, names: Sequence[str], folder: Path, base_port: int = 0, host: str = HOST) -> None:
        """base_port: 0 takes free ports. host: the address or name to bind to, and to tell in URLs."""
        self._host = host
        self._names = list(dict.fromkeys(names))
        self._folder = folder
        self._base_port = base_port
        self._lock = Lock(folder)
        self._servers: list[_Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.vendors: dict[str, Vendor] = {}
        self.info: dict[str, dict[str, object]] = {}

    async def __aenter__(self) -> dict[str, dict[str, object]]:
        """Raises AlreadyRunning, UnknownVendor, PortTaken."""
        self._lock.take()
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self.info

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        for name in self._names:
            self.vendors[name] = load(name, self._folder)
        names = {"localhost", HOST, self._host, *(n for v in self.vendors.values() for n in v.tls_names)}
        ca_file, server_file = _certificates(self._folder / "tls", sorted(names))
        for name, vendor in self.vendors.items():
            port = self._base_port and self._base_port + 2 * VENDORS.index(name)
            plain, tls = _bind(self._host, port), _bind(self._host, port and port + 1)
            base_url = f"http://{self._host}:{plain.getsockname()[1]}"
            urls = Urls(
                base_url=base_url,
                tls_url=f"https://{self._host}:{tls.getsockname()[1]}",
                ca_file=str(ca_file.resolve()),
                control_url=base_url + control.PREFIX,
            )
            app = VendorApp(vendor)
            for listener, chain in ((plain, None), (tls, server_file)):
                server = _serve(app, chain)
                self._servers.append(server)
                self._tasks.append(asyncio.create_task(server.serve(sockets=[listener])))
            await vendor.start(urls)
            self.info[name] = vendor.info(urls)
        while not all(server.started for server in self._servers):
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.005)
        running: dict[str, Any] = {  # pyright: ignore[reportExplicitAny]
            "schema": 1,
            "pid": os.getpid(),
            "started_at": datetime.now(UTC),
            "vendors": self.info,
        }
        write_private(info_path(self._folder), msgspec.json.format(msgspec.json.encode(running)))

    async def _stop(self) -> None:
        info_path(self._folder).unlink(missing_ok=True)
        for server in self._servers:
            server.should_exit = True
        for vendor in self.vendors.values():
            await vendor.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for vendor in self.vendors.values():
            vendor.context.store.close()
        self._lock.release()


async def run(names: Sequence[str], folder: Path, base_port: int, host: str = HOST) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Sandbox(names, folder, base_port, host) as info:
        for name, vendor in info.items():
            print(f"{name}: {vendor['base_url']}  {vendor['tls_url']}", flush=True)
        print("sandbox ready", flush=True)
        await stop.wait()
