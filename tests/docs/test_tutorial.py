"""The tutorial is followed as it is written: its commands, in its order, in one shell."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import free_port_block

ROOT = Path(__file__).resolve().parent.parent.parent
TUTORIAL = ROOT / "docs" / "tutorials" / "first-order.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> list[str]:
    """The commands of the tutorial, block by block."""
    return BLOCK.findall(TUTORIAL.read_text("utf-8"))


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    """The reader's environment, with a port and a data folder of its own in the places of the defaults."""
    folder = Path(tempfile.mkdtemp(prefix="strata-tutorial-"))
    data = str(folder / "data")
    # a `make` that runs these tests must not tell the reader's `make` anything
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STRATA_", "MAKE", "MFLAGS", "ARGS"))}
    environ = kept | {"PORT": str(free_port_block()), "DATA": data, "STRATA_DATA_DIR": data}
    yield environ
    subprocess.run(["make", "stop"], cwd=ROOT, env=environ, capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def test_it_starts_with_make_run_and_ends_with_make_stop() -> None:
    assert blocks()[0].strip() == "make run"
    assert blocks()[-1].strip() == "make stop"


@pytest.mark.timeout(240)
def test_a_reader_who_types_it_gets_what_it_says(environ: dict[str, str]) -> None:
    first, *others = blocks()
    terminal = subprocess.Popen(
        ["bash", "-c", first], cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert terminal.stdout is not None
        said: list[str] = []
        for line in terminal.stdout:
            said.append(line)
            if line.startswith("Ready."):
                break
        assert said[-1:] == ["Ready.\n"], "".join(said)

        script = "\n".join(others).replace("127.0.0.1:8080", f"127.0.0.1:{environ['PORT']}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = done.stdout
        assert "3 of 3 orders went all the way" in told
        assert '"number"' in told, "the web shop's answer"
        assert "erp is left alone" in told
        assert "it has not arrived yet, as expected" in told
        paused, resumed = told.split("erp goes on.")
        assert "waits until its system is back" in paused
        assert "Nothing failed and nothing waits." in resumed
        assert "Stopped." in resumed
    finally:
        if terminal.poll() is None:
            terminal.send_signal(signal.SIGINT)
        _wait(terminal)


def _wait(terminal: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while terminal.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if terminal.poll() is None:
        terminal.kill()
