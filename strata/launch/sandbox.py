"""The sandboxes: a process of its own beside Strata, adopted when it runs already, as a real vendor would be there.

Nothing of their code is imported; they are known by their command line and by the file that tells where they are.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from strata.errors import StrataError, Transient
from strata.launch import ports
from strata.launch.folder import Folder
from strata.launch.process import ProcessId, alive, end, identify

ORDER = ("shopify", "netsuite", "salesforce", "sap", "workday", "servicenow")
"""The place in this list fixes a vendor's ports: base + 2 * i plain, base + 2 * i + 1 with TLS."""

_START_S = 30.0


class _File(Struct, frozen=True):
    pid: int
    vendors: dict[str, dict[str, Any]]


class Sandbox:
    """The sandboxes of one data folder."""

    def __init__(self, folder: Folder, base_port: int) -> None:
        self._folder = folder
        self._base_port = base_port
        self._started: subprocess.Popen[bytes] | None = None

    def start(self) -> bool:
        """Start them, unless they run already on these ports: then adopt them. True when adopted.

        `wait` for them afterwards. Raises Conflict when one of their ports is taken, StrataError when no sandbox is
        installed.
        """
        found = self._file()
        process = self.process()
        if found is not None and process is not None and self._fits(found):
            return True
        if process is not None:
            end(process, within_s=10)  # on the ports of another PORT, or still starting for a Strata that was killed
        vendors = available()
        if not vendors:
            raise StrataError("No sandbox is installed here; it is part of the source tree")
        wanted = [self._base_port + 2 * ORDER.index(v) + tls for v in vendors for tls in (0, 1)]
        remedy = "The sandboxes use PORT+11 and following: take another one, e.g. `make run PORT=8180`."
        ports.check(wanted, host="127.0.0.1", remedy=remedy)
        self._folder.sandbox.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "sandbox", "run", *vendors]  # -P: the data folder has a `sandbox`, too
        command += ["--data", str(self._folder.sandbox), "--base-port", str(self._base_port)]
        with self._folder.sandbox_log.open("ab") as log:
            self._started = subprocess.Popen(  # noqa: S603  # our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C and kills that are meant for Strata do not reach it
                cwd=self._folder.path,
            )
        return False

    def wait(self) -> None:
        """Return once they answer. Raises Transient with the end of their log when they do not."""
        deadline = time.monotonic() + _START_S
        while self._file() is None:
            ended = self._started is not None and self._started.poll() is not None
            if ended or time.monotonic() > deadline:
                lines = self._folder.sandbox_log.read_text("utf-8", "replace").splitlines()[-8:]
                what = "ended at once" if ended else f"did not start within {_START_S:g} s"
                raise Transient(f"The sandbox {what}. The end of {self._folder.sandbox_log}:\n" + "\n".join(lines))
            time.sleep(0.02)

    def process(self) -> ProcessId | None:
        """The process that serves them; None when they do not run."""
        found = self._file()
        return self._starting() if found is None else identify(found.pid)

    def _starting(self) -> ProcessId | None:
        """One that runs on our folder without having told so: whoever started it was killed before it was ready."""
        import psutil  # noqa: PLC0415  # one look

        ours = ["--data", str(self._folder.sandbox)]
        for process in psutil.process_iter(["cmdline"]):
            words: list[str] = process.info["cmdline"] or []
            if "sandbox" in words and "run" in words and words[-4:-2] == ours:
                return identify(process.pid)
        return None

    def stop(self) -> bool:
        """Ask them to end and wait; their state stays on disk. False when they did not run."""
        process = self.process()
        if process is None:
            return False
        end(process, within_s=15)
        if self._started is not None:
            self._started.wait(5)
        return True

    def info(self) -> dict[str, dict[str, Any]]:
        """What they tell about themselves, by vendor; empty when they do not run."""
        found = self._file()
        return {} if found is None else found.vendors

    def _file(self) -> _File | None:
        try:
            found = msgspec.json.decode((self._folder.sandbox / "sandbox.json").read_bytes(), type=_File)
        except (OSError, msgspec.DecodeError):
            return None
        process = identify(found.pid)
        return found if process is not None and alive(process) and _is_sandbox(process) else None

    def _fits(self, found: _File) -> bool:
        for vendor in available():
            told = found.vendors.get(vendor)
            if told is None or urlsplit(str(told.get("base_url"))).port != self._base_port + 2 * ORDER.index(vendor):
                return False
        return True


def available() -> tuple[str, ...]:
    """The vendors whose sandbox is in this installation, in the order of their ports."""
    spec = importlib.util.find_spec("sandbox")
    if spec is None or not spec.submodule_search_locations:
        return ()
    root = Path(next(iter(spec.submodule_search_locations)))
    return tuple(vendor for vendor in ORDER if (root / vendor / "vendor.py").is_file())


def _is_sandbox(process: ProcessId) -> bool:
    """A stale file may name a pid that is somebody else's by now."""
    import psutil  # noqa: PLC0415  # one look

    try:
        return "sandbox" in psutil.Process(process.pid).cmdline()
    except psutil.Error:
        return False
