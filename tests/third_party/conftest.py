from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = REPOSITORY / ".venv-foreign"
LOCKED = REPOSITORY / "requirements" / "foreign.txt"


@pytest.fixture(scope="session")
def foreign_python() -> Path:
    """The interpreter of the virtual environment with clients that others wrote; built on first use."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / "complete"
    with (Path(tempfile.gettempdir()) / "strata-foreign.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != LOCKED.read_text():
            if not python.exists():
                subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
            install = [
                python,
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                LOCKED,
            ]
            subprocess.run(install, check=True)
            done.write_text(LOCKED.read_text())
    return python
