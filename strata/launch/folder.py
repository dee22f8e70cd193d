"""The data folder of the embedded form: which file is what, whose it is, and who runs on it.

.strata-data        marker: only a folder that carries it is ever wiped
strata.lock         held by the running Strata; the kernel frees it however the process ends
run.json            who runs and where things are (0600: it holds the database URL)
credentials.json    development clients of the gateway (0600)
secret.key          secret of the house, made at first start (0600)
strata.log          log of gateway, layers and worker
sandbox.log         log of the sandboxes
postgres/           the embedded PostgreSQL
sandbox/            state of the sandboxes
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO, TypeVar

import msgspec
from msgspec import Struct

from strata.errors import Conflict, Invalid
from strata.launch.process import ProcessId, alive, this_process

MARKER = ".strata-data"
T = TypeVar("T", bound=Struct)


class Client(Struct, frozen=True):
    """A development client of the gateway, as `strata info` shows it."""

    name: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    plan: str


class Api(Struct, frozen=True):
    """A published API, as `strata info` shows it."""

    name: str
    layer: str
    version: str
    base_path: str
    openapi_url: str


class Running(Struct, frozen=True, kw_only=True):
    """What the running Strata writes about itself into run.json. The database URL may hold a password."""

    process: ProcessId
    profile: str
    base_url: str
    database_url: str
    log_file: str
    ready: bool = False
    apis: tuple[Api, ...] = ()
    webhooks: dict[str, str] = {}


class Folder:
    """A data folder. `claim` it before writing anything into it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    @property
    def run_file(self) -> Path:
        """run.json"""
        return self.path / "run.json"

    @property
    def credentials_file(self) -> Path:
        """credentials.json"""
        return self.path / "credentials.json"

    @property
    def log_file(self) -> Path:
        """strata.log"""
        return self.path / "strata.log"

    @property
    def sandbox(self) -> Path:
        """The sandboxes' own folder."""
        return self.path / "sandbox"

    @property
    def sandbox_log(self) -> Path:
        """sandbox.log"""
        return self.path / "sandbox.log"

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL's own folder."""
        return self.path / "postgres"

    def claim(self) -> None:
        """Make the folder if need be, mark it as ours and hold its lock until `release` or the end of this process.

        Raises Invalid for a folder with other people's files in it, Conflict when a Strata runs on it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise Invalid(f"{self.path} is not a folder. Choose another one with DATA=...")
        if self.path.exists() and not self.marked and any(self.path.iterdir()):
            raise Invalid(f"{self.path} holds files that are not Strata's. Choose an empty or new folder with DATA=...")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / MARKER).touch()
            lock = (self.path / "strata.lock").open("a+")
        except OSError as error:
            raise Invalid(
                f"{self.path} cannot be written ({error.strerror}). Choose another one with DATA=..."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            running = self.running()
            where = f" at {running.base_url} (process {running.process.pid})" if running else ""
            raise Conflict(
                f"Strata is already running on {self.path}{where}. "
                "Stop it with `make stop`, or use another DATA and PORT."
            ) from None
        lock.truncate(0)
        lock.write(msgspec.json.encode(this_process()).decode())
        lock.flush()
        self._lock = lock

    def holder(self) -> ProcessId | None:
        """The process that holds the lock, or held it last."""
        return read(self.path / "strata.lock", ProcessId)

    def release(self) -> None:
        """Let the next one have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def marked(self) -> bool:
        """Whether it is a data folder of ours."""
        return (self.path / MARKER).is_file()

    @property
    def locked(self) -> bool:
        """Whether some process holds it now."""
        path = self.path / "strata.lock"
        if not path.exists():
            return False
        with path.open("a+") as probe:
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def running(self) -> Running | None:
        """What the Strata that runs on this folder tells of itself; None when none does, or not yet."""
        running = read(self.run_file, Running)
        return running if running is not None and alive(running.process) else None

    def clients(self) -> tuple[Client, ...]:
        """The development clients; none in production."""
        credentials = read(self.credentials_file, _Credentials)
        return credentials.clients if credentials is not None else ()

    def keep_clients(self, clients: tuple[Client, ...]) -> None:
        """Write credentials.json."""
        write_private(self.credentials_file, _json(_Credentials(clients)))

    def keep_running(self, running: Running) -> None:
        """Write run.json."""
        write_private(self.run_file, _json(running))

    def secret(self) -> str:
        """The secret of this house: made once, then kept."""
        path = self.path / "secret.key"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48).encode())
        return path.read_text("ascii").strip()

    def wipe(self) -> list[str]:
        """Remove everything in it, and the folder. Answers what was removed. Raises Invalid unless it is marked."""
        if not self.path.exists():
            return []
        if not self.marked:
            raise Invalid(f"{self.path} is not a data folder of Strata (it has no {MARKER}); nothing was removed.")
        removed = sorted(child.name for child in self.path.iterdir() if child.name != MARKER)
        for name in removed:  # the marker goes last: an interrupted reset can be repeated
            child = self.path / name
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink(missing_ok=True)
        (self.path / MARKER).unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()
        return removed


class _Credentials(Struct, frozen=True):
    clients: tuple[Client, ...]


def _json(value: Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value)) + b"\n"


def read(path: Path, kind: type[T]) -> T | None:
    """A small JSON file; None when it is not there. Raises Invalid when it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from None


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, at once or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        os.fchmod(handle, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
