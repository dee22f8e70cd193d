"""Sets up the virtual environments from the locked, hashed requirements; does nothing when they are up to date.

    python3 scripts/setup.py run [--port 8080]     .venv with what the product needs
    python3 scripts/setup.py dev foreign           .venv with the tools as well; .venv-foreign with clients of others

Standard library alone, and old syntax on purpose: it must be able to tell an old Python that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # said here, because nothing else has run yet
    sys.exit(
        "Strata needs Python 3.11 or newer; %s is %d.%d.\n"
        "Install one (e.g. `apt install python3.11 python3.11-venv`, `brew install python@3.12`, or from python.org)\n"
        "and name it: make run PYTHON=python3.11" % (sys.executable, sys.version_info[0], sys.version_info[1])
    )

import argparse
import fcntl
import hashlib
import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
NAMED = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)")


class Environment:
    """A virtual environment: its folder, the locks it is made from, and whether the project itself goes in.

    covers: locks whose pins are all among `locks` (the tools' lock holds the product's), so that it serves for both.
    """

    def __init__(self, folder: str, locks: tuple[str, ...], project: bool, covers: tuple[str, ...] = ()) -> None:
        self.folder = ROOT / folder
        self.locks = [ROOT / "requirements" / name for name in locks]
        self.covers = [ROOT / "requirements" / name for name in covers]
        self.project = project
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / ".setup.json"

    def digests(self) -> dict[str, str]:
        """What the environment must be made of; compared with what it was made of."""
        files = [*self.locks, *self.covers, *([ROOT / "pyproject.toml"] if self.project else [])]
        made_of = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        made_of["python"] = "%d.%d" % sys.version_info[:2]
        made_of["root"] = hashlib.sha256(str(ROOT).encode()).hexdigest()  # an environment cannot be moved
        return made_of

    def recorded(self) -> dict[str, str]:
        try:
            return dict(json.loads(self.stamp.read_text()))
        except (OSError, ValueError):
            return {}

    def fresh(self) -> bool:
        return self.python.exists() and self.digests().items() <= self.recorded().items()


ENVIRONMENTS = {
    "run": Environment(".venv", ("build.txt", "run.txt"), project=True),
    "dev": Environment(".venv", ("build.txt", "dev.txt"), project=True, covers=("run.txt",)),
    "foreign": Environment(".venv-foreign", ("foreign.txt",), project=False),
}


def refuse(message: str) -> None:
    sys.exit("make: " + message)


def check_venv_module() -> None:
    """Debian and Ubuntu ship Python without ensurepip; say so before half an environment is there."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        refuse(
            "this Python (%s) has no venv module.\n"
            "Install it: apt install python3-venv   (or python%d.%d-venv)" % (sys.executable, *sys.version_info[:2])
        )


def check_port(port: int) -> None:
    """A taken port is told before minutes are spent on setting up."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OverflowError:
            refuse("PORT=%d is not a port: take one from 1024 to 65500" % port)
        except OSError as error:
            refuse(
                "port %d of 127.0.0.1 cannot be used (%s).\n"
                "Stop what uses it (`make stop`, if it is a Strata) or take another: make run PORT=8090"
                % (port, error.strerror)
            )


def progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        width = 24
        filled = min(width, done * width // max(total, 1))
        line = "  [%s%s] %3d/%d %s" % ("#" * filled, "." * (width - filled), min(done, total), total, what)
        sys.stderr.write("\r\033[K" + line[: shutil.get_terminal_size().columns - 1])
    elif done == 1 or done % 10 == 0 or done >= total:
        sys.stderr.write("  %d/%d %s\n" % (min(done, total), total, what))
    sys.stderr.flush()


def pip(environment: Environment, arguments: list[str], total: int, log_name: str) -> None:
    """Run pip, show one line of progress, keep its words in a log; on failure show the end of it."""
    log_file = environment.folder / log_name
    command = [str(environment.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", *arguments]
    seen: set[str] = set()
    with log_file.open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            match = NAMED.match(line)
            if match and match.group(1) not in seen:
                seen.add(match.group(1))
                progress(len(seen), total, match.group(1))
            elif line.startswith("Installing collected packages"):
                progress(total, total, "unpacking")
        code = process.wait()
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if code:
        tail = "".join(log_file.read_text().splitlines(keepends=True)[-15:])
        refuse("installing failed (pip ended with %d). The end of %s:\n%s" % (code, log_file, tail))


def make(environment: Environment) -> None:
    """Create or update one environment."""
    started = time.monotonic()
    label = environment.folder.name
    if environment.python.exists() and environment.recorded().get("python") not in (
        None,
        environment.digests()["python"],
    ):
        sys.stderr.write("%s was made with another Python; making it anew\n" % label)
        shutil.rmtree(environment.folder)
    if not environment.python.exists() or not (environment.folder / "bin" / "pip").exists():
        check_venv_module()
        sys.stderr.write("Setting up %s ...\n" % label)
        command = [sys.executable, "-m", "venv", str(environment.folder)]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode:
            refuse("making %s failed:\n%s%s" % (label, made.stdout, made.stderr))
    environment.stamp.unlink(missing_ok=True)  # a half-made environment is never taken for a whole one
    total = len(set().union(*(PIN.findall(lock.read_text()) for lock in environment.locks)))
    sys.stderr.write("Installing %d locked packages into %s\n" % (total, label))
    arguments = ["--require-hashes"]
    for lock in environment.locks:
        arguments += ["-r", str(lock)]
    pip(environment, arguments, total, "setup.log")
    if environment.project:
        pip(environment, ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)], 1, "setup-project.log")
    environment.stamp.write_text(json.dumps(environment.digests(), indent=1) + "\n")
    sys.stderr.write("%s is ready (%.0f s)\n" % (label, time.monotonic() - started))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+", choices=sorted(ENVIRONMENTS))
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    stale = [ENVIRONMENTS[name] for name in options.names if not ENVIRONMENTS[name].fresh()]
    if not stale:
        return
    if options.port is not None:
        check_port(options.port)
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make`s at once take turns
        for environment in stale:
            if not environment.fresh():
                make(environment)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
