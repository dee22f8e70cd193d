"""`strata run`: the supervisor of the embedded form. Starts things side by side, says so, and stops them in order."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from strata.errors import FieldError, Invalid, StrataError, Transient
from strata.launch import ports
from strata.launch.folder import Folder, Running
from strata.launch.postgres import Postgres
from strata.launch.process import ProcessId, end, this_process
from strata.launch.sandbox import Sandbox
from strata.settings import Settings

Say = Callable[[str], None]
_WORKER_START_S = 30.0
_STOP_S = 60.0
_LOOK_S = 1.0


class Supervisor:
    """One `strata run`. `start`, then `serve` until told to stop, then `stop`; each step is said aloud."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self.settings = settings
        self.folder = Folder(settings.data_dir)
        self._say = say
        self._began = time.monotonic()
        self._postgres: Postgres | None = None
        self._sandbox: Sandbox | None = None
        self._worker: Any = None
        self._context: Any = None
        self._gateway: Any = None
        self._server: Any = None

    @property
    def development(self) -> bool:
        """Whether sandboxes and development clients belong to it."""
        return self.settings.profile == "development"

    def claim(self) -> None:
        """Take the data folder and see that everything the settings promise is there.

        Raises Invalid or Conflict in words a person can act on.
        """
        self._check_profile()
        self.folder.claim()
        remedy = f"Stop it, or take another port: `make run PORT={self.settings.port + 100}`."
        ports.check((self.settings.port,), host=self.settings.host, remedy=remedy)

    def _check_profile(self) -> None:
        settings = self.settings
        if self.development:
            return
        errors = list(settings.lacking())
        if not settings.connections_file:
            what = "the production profile has no sandbox: name your backends in STRATA_CONNECTIONS_FILE"
            errors.append(FieldError(what, "/connections_file"))
        if errors:
            raise Invalid("The settings are not complete for this profile", errors=tuple(errors))

    async def start(self) -> None:
        """Bring everything up; on an error what was started is stopped again."""
        await self._warm_worker()
        database = asyncio.create_task(self._start_database())
        sandbox = asyncio.create_task(self._start_sandbox())
        try:
            await asyncio.sleep(0)  # both threads are under way before the imports take the interpreter
            await self._import_layers(database, sandbox)
            url = await database
            self.settings = msgspec.structs.replace(
                self.settings, database_url=url, secret_key=self.settings.secret_key or self.folder.secret()
            )
            self._write_running(ready=False)
            await sandbox
            await self._start_layers()
        except BaseException:
            await asyncio.gather(database, sandbox, return_exceptions=True)
            raise

    async def _import_layers(self, *started: asyncio.Task[Any]) -> None:
        """Load the code, a module at a time, so that the other starts are served in between."""
        from strata.contracts.operation import Layer  # noqa: PLC0415  # first of the slow ones
        from strata.topology import factory_module, services_of  # noqa: PLC0415

        services = [service for layer in Layer for service in services_of(layer)]
        for module in ("gateway.app", "gateway.server", *map(factory_module, services)):
            for task in started:
                if task.done():
                    task.result()  # no use in loading more
            importlib.import_module(module)
            await asyncio.sleep(0)

    async def _warm_worker(self) -> None:
        from strata.launch.worker import WorkerChild  # noqa: PLC0415

        self._worker = WorkerChild(self.folder.log_file)
        await self._worker.warm()

    async def _start_database(self) -> str:
        if self.settings.database_url:
            self._done("PostgreSQL", "given by STRATA_DATABASE_URL")
            return self.settings.database_url
        self._postgres = Postgres(self.folder.postgres)
        if not self._postgres.initialised:
            self._say("  making the database (once) ...")
        url = await asyncio.to_thread(self._postgres.start)
        self._done("PostgreSQL", "embedded")
        return url

    async def _start_sandbox(self) -> None:
        if not self.development:
            return
        self._sandbox = Sandbox(self.folder, self.settings.sandbox_base_port)
        adopted = await asyncio.to_thread(self._sandbox.start)
        await asyncio.to_thread(self._sandbox.wait)
        names = ", ".join(self._sandbox.info())
        self._done("sandboxes", f"{names}{' (were running: adopted)' if adopted else ''}")

    async def _start_layers(self) -> None:
        from strata import telemetry  # noqa: PLC0415
        from strata.launch import clients, front  # noqa: PLC0415
        from strata.launch.listen import Listener  # noqa: PLC0415
        from strata.runtime import open_context  # noqa: PLC0415

        settings = self.settings
        telemetry.setup(settings, settings.service_name)
        self._context = await open_context(settings)
        self._gateway = front.create(self._context, checks={"worker": self._worker_runs})
        front.embed(self._context)
        await self._context.startup()  # every part's tables are there before the worker needs them
        await self._worker.go(environment(settings))
        await self._gateway.startup()
        if self.development:
            self.folder.keep_clients(await clients.register(self._gateway.clients))
        self._server = Listener(front.server(self._gateway, settings), settings.host, settings.port)
        await self._server.start()
        self._done("gateway and layers", settings.base_url)
        try:
            async with asyncio.timeout(_WORKER_START_S):
                await self._worker.ready()
        except TimeoutError:
            raise Transient(f"The worker did not start. See the end of {self.folder.log_file}") from None
        self._done("process worker", "")
        self._write_running(ready=True)

    async def _worker_runs(self) -> bool:
        return bool(self._worker.running)

    def _write_running(self, *, ready: bool) -> None:
        from strata.launch import front  # noqa: PLC0415

        base = self.settings.base_url
        shops = [str(s["shop"]).partition(".")[0] for s in self._shops()]
        self.folder.keep_running(
            Running(
                process=this_process(),
                profile=self.settings.profile,
                base_url=base,
                database_url=self.settings.database_url,
                log_file=str(self.folder.log_file),
                ready=ready,
                apis=front.published(self._gateway, base) if self._gateway is not None else (),
                webhooks={"shopify": f"{base}/webhooks/shopify/{shops[0]}"} if shops else {},
            )
        )

    def _shops(self) -> list[dict[str, Any]]:
        return [] if self._sandbox is None else list(self._sandbox.info().get("shopify", {}).get("shops", []))

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set or the gateway's server ends by itself. Raises what ended it."""
        from strata.launch.logs import keep_small  # noqa: PLC0415

        halt = asyncio.create_task(stop.wait())
        served = asyncio.create_task(self._server.wait())
        beside = [
            asyncio.create_task(keep_small((self.folder.log_file, self.folder.sandbox_log))),
            asyncio.create_task(self._keep_postgres()),
        ]
        await asyncio.wait([halt, served], return_when=asyncio.FIRST_COMPLETED)
        halt.cancel()
        for task in beside:
            task.cancel()
        if served.done():
            served.result()
        served.cancel()

    async def _keep_postgres(self) -> None:
        """Start the embedded PostgreSQL again when it died under us; until then intake answers 503."""
        from strata import telemetry  # noqa: PLC0415

        postgres = self._postgres
        while postgres is not None:
            await asyncio.sleep(_LOOK_S)
            if await asyncio.to_thread(lambda: postgres.running):
                continue
            telemetry.log.error("the embedded PostgreSQL is gone and is started again")
            try:
                await asyncio.to_thread(postgres.start)
            except StrataError as error:
                telemetry.log.error("the embedded PostgreSQL does not start", error=error.detail)

    async def stop(self) -> None:
        """Intake first, then the worker, then the stores; whatever was acknowledged is on disk."""
        if self._server is not None:
            await self._server.stop()
            self._say("  intake closed")
        if self._worker is not None:
            await self._worker.stop()
            self._say("  worker stopped; what it had in hand is kept")
        if self._gateway is not None:
            with suppress(RuntimeError):
                await self._gateway.shutdown()
        if self._context is not None:
            await self._context.shutdown()
        if self._sandbox is not None and await asyncio.to_thread(self._sandbox.stop):
            self._say("  sandboxes stopped; their state is kept")
        if self._postgres is not None:
            await asyncio.to_thread(self._postgres.stop)
            self._say("  PostgreSQL stopped")
        self.folder.run_file.unlink(missing_ok=True)
        self.folder.release()

    def _done(self, what: str, more: str) -> None:
        self._say(f"  {what:<20} {more:<46} {time.monotonic() - self._began:5.1f} s")


def environment(settings: Settings) -> dict[str, str]:
    """Settings as the environment variables that would give them."""
    from strata.settings import Settings as Kind  # noqa: PLC0415

    told: dict[str, str] = {}
    for field in msgspec.structs.fields(Kind):
        value = getattr(settings, field.name)
        if isinstance(value, dict | tuple):
            told[f"STRATA_{field.name.upper()}"] = msgspec.json.encode(value).decode()
        elif value != "":
            told[f"STRATA_{field.name.upper()}"] = str(value)
    return told


async def run(settings: Settings, say: Say, ready: Callable[[Supervisor], None]) -> None:
    """Start, call `ready`, serve until SIGINT or SIGTERM, stop. A second signal stops at once.

    Raises StrataError when it cannot start.
    """
    supervisor = Supervisor(settings, say)
    supervisor.claim()
    with _errors_to(supervisor.folder):
        try:
            await _supervise(supervisor, say, ready)
        except StrataError:
            raise
        except Exception as error:
            traceback.print_exc()  # into the log
            what = f"{type(error).__name__}: {error}"
            raise StrataError(f"Strata ended with an error. {what}\nMore is in {supervisor.folder.log_file}") from error


async def _supervise(supervisor: Supervisor, say: Say, ready: Callable[[Supervisor], None]) -> None:
    stop = asyncio.Event()
    _on_signals(stop, say)
    starting = asyncio.create_task(supervisor.start())
    halt = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([starting, halt], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        if not stop.is_set():
            ready(supervisor)
            await supervisor.serve(stop)
    finally:
        halt.cancel()
        await supervisor.stop()


def _on_signals(stop: asyncio.Event, say: Say) -> None:
    def asked() -> None:
        if stop.is_set():
            say("Stopping at once. What was acknowledged is kept; the next start goes on from there.")
            os._exit(130)
        say("Stopping (again to stop at once) ...")
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked)


@contextmanager
def _errors_to(folder: Folder) -> Generator[None]:
    """Everything written to standard error meanwhile goes to the log; the terminal keeps the plain words."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with folder.log_file.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)


def stop(folder: Folder, say: Say, *, base_port: int = 0) -> bool:
    """Stop the Strata that runs on the folder, and whatever a killed one left behind. False when nothing ran.

    Raises StrataError when it does not end in time.
    """
    holder = folder.holder() if folder.locked else None
    found = False
    if holder is not None:
        found = True
        say(f"Stopping Strata (process {holder.pid}) ...")
        end_gracefully(holder)
        deadline = time.monotonic() + 5
        while folder.locked and time.monotonic() < deadline:
            time.sleep(0.02)
    if Sandbox(folder, base_port).stop():
        found = True
        say("Stopped the sandboxes; their state is kept.")
    postgres = Postgres(folder.postgres)
    if postgres.running:
        found = True
        postgres.stop()
        say("Stopped PostgreSQL.")
    folder.run_file.unlink(missing_ok=True)
    return found


def end_gracefully(process: ProcessId) -> None:
    """SIGTERM, and time to finish. Raises StrataError when it had to be killed."""
    if not end(process, within_s=_STOP_S):
        raise StrataError(f"Process {process.pid} did not stop within {_STOP_S:g} s and was killed. Nothing is lost.")


def reset(folder: Folder, say: Say) -> list[str]:
    """Stop what runs, then remove all data of Strata and of the sandboxes. Answers what was removed.

    Raises Invalid for a folder that is not ours.
    """
    if folder.path.exists() and not folder.marked:
        return folder.wipe()  # refuses, in words
    stop(folder, say)
    return folder.wipe()
