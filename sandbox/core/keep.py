"""Files of the data folder: secrets that stay the same for a folder, the lock, and sandbox.json."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from pathlib import Path
from typing import IO

import msgspec


class AlreadyRunning(Exception):
    """Another sandbox holds this data folder."""


class NotRunning(Exception):
    """No sandbox runs on this data folder."""


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        os.fchmod(handle, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class Secrets:
    """Credentials made at random once and kept in one file (0600); path None keeps them in memory (tests)."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._values: dict[str, str] = {}
        if path is not None and path.exists():
            self._values = msgspec.json.decode(path.read_bytes(), type=dict[str, str])

    def token(self, name: str, *, prefix: str = "", hex_digits: int = 32) -> str:
        """The secret of this name; made on first use as `prefix` and so many hexadecimal digits."""
        if name not in self._values:
            self.put(name, prefix + secrets.token_hex((hex_digits + 1) // 2)[:hex_digits])
        return self._values[name]

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def put(self, name: str, value: str) -> None:
        """Keep a secret made elsewhere (a key in PEM, say)."""
        self._values[name] = value
        if self._path is not None:
            write_private(self._path, msgspec.json.format(msgspec.json.encode(self._values)))


class Lock:
    """One sandbox per data folder; the kernel frees it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sandbox.lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises AlreadyRunning."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise AlreadyRunning(f"a sandbox already runs on {self._path.parent}") from None
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def held(self) -> bool:
        """Whether some process holds it now."""
        if not self._path.exists():
            return False
        with self._path.open("a+") as probe:
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def info_path(folder: Path) -> Path:
    return folder / "sandbox.json"


def read_info(folder: Path) -> dict[str, object]:
    """What `sandbox info` prints: the vendors by name. Raises NotRunning."""
    path = info_path(folder)
    if not Lock(folder).held() or not path.exists():
        raise NotRunning(f"no sandbox runs on {folder}")
    running = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    vendors = running["vendors"]
    if not isinstance(vendors, dict):
        raise NotRunning(f"{path} is not readable as a sandbox's info")
    return vendors  # pyright: ignore[reportUnknownVariableType]  # JSON objects have string keys
