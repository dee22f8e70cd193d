"""Setting up on a machine that lacks something: refused at once, with the remedy, and with nothing half made."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a fresh clone has, as far as setting up looks at it."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.py", tmp_path / "scripts")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def setup(clone: Path, *words: str, python_says: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; python_says: lines that run before, in place of a machine that lacks something."""
    before = clone / "before"
    before.mkdir(exist_ok=True)
    (before / "sitecustomize.py").write_text(python_says)
    return subprocess.run(
        [sys.executable, clone / "scripts" / "setup.py", *words],
        env={**os.environ, "PYTHONPATH": str(before)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_is_refused_with_the_remedy(clone: Path) -> None:
    done = setup(clone, "run", python_says="import sys; sys.version_info = (3, 9, 2, 'final', 0)")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "PYTHON=python3.11" in done.stderr
    assert not (clone / ".venv").exists()


def test_make_refuses_what_cannot_even_read_the_script(tmp_path: Path) -> None:
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\nexit 1\n")  # says no to the question for its version, as Python 2 does
    old.chmod(0o755)
    for python, words in ((str(old), "is Python 2"), (str(tmp_path / "none"), "there is no Python at")):
        done = subprocess.run(
            ["make", "run", f"PYTHON={python}"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert words in done.stderr
        assert "make run PYTHON=python3.11" in done.stderr


def test_a_missing_venv_module_is_refused_with_the_remedy(clone: Path) -> None:
    done = setup(clone, "run", python_says="import sys; sys.modules['ensurepip'] = None")
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (clone / ".venv").exists()


def test_a_taken_port_is_refused_before_anything_is_installed(clone: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        done = setup(clone, "run", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "make run PORT=" in done.stderr
    assert not (clone / ".venv").exists()


def test_what_is_up_to_date_is_left_alone_and_a_new_lock_makes_it_stale(clone: Path) -> None:
    made_of = subprocess.run(
        [sys.executable, "-c", "import json, setup; print(json.dumps(setup.ENVIRONMENTS['dev'].digests()))"],
        cwd=clone / "scripts",
        env={**os.environ, "PYTHONPATH": str(clone / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (clone / ".venv" / ".setup.json").write_text(json.dumps(json.loads(made_of)))
    for name in ("dev", "run"):  # the tools' environment serves for the product, too
        done = setup(clone, name)
        assert (done.returncode, done.stderr) == (0, ""), name
    with (clone / "requirements" / "run.txt").open("a") as lock:
        lock.write("# changed\n")
    with socket.socket() as listener:  # refused, so it wanted to install
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert setup(clone, "run", "--port", str(listener.getsockname()[1])).returncode == 1
