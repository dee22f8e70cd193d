"""The command line without a running Strata: help, refusals, exit codes, plain words."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from strata.cli import COMMANDS, main

STRATA = Path(sys.executable).with_name("strata")


def strata(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STRATA, *words], capture_output=True, text=True, check=False, timeout=60, env=environ or None
    )


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_explains_itself(self, command: str) -> None:
        result = CliRunner().invoke(main, [command, "--help"])
        assert result.exit_code == 0, result.output
        assert "Usage:" in result.output

    def test_the_list_has_a_line_for_each(self) -> None:
        listed = CliRunner().invoke(main, ["--help"]).output
        assert all(f"\n  {command} " in listed for command in COMMANDS)

    def test_it_answers_at_once(self) -> None:
        began = time.monotonic()
        assert strata("--version").returncode == 0
        assert time.monotonic() - began < 2, "0.05 s on an idle machine: nothing heavy is imported"


class TestNotRunning:
    @pytest.mark.parametrize(
        "words",
        [
            ("info",),
            ("info", "--json"),
            ("sandbox", "info", "--json"),
            ("items",),
            ("items", "show", "1"),
            ("retry", "1"),
            ("demo",),
            ("pause", "erp"),
            ("tables", "list"),
            ("connections", "test"),
        ],
    )
    def test_the_exit_code_is_3_and_the_words_are_plain(self, tmp_path: Path, words: tuple[str, ...]) -> None:
        done = strata(*words, "--data", str(tmp_path / "none"))
        assert done.returncode == 3, done.stderr
        assert "nothing runs on" in done.stderr
        assert "make run" in done.stderr
        assert done.stdout == ""

    def test_stop_has_nothing_to_do(self, tmp_path: Path) -> None:
        done = strata("stop", "--data", str(tmp_path / "none"))
        assert done.returncode == 0
        assert "Nothing runs" in done.stdout

    def test_reset_has_nothing_to_remove(self, tmp_path: Path) -> None:
        done = strata("reset", "--data", str(tmp_path / "none"))
        assert done.returncode == 0
        assert "nothing to remove" in done.stdout


class TestWrongUse:
    @pytest.mark.parametrize(
        "words",
        [
            ("nonsense",),
            ("retry",),
            ("retry", "1", "--all"),
            ("discard", "1"),
            ("edit", "1", "--file", "none.json"),
            ("demo", "--orders", "0"),
            ("serve", "gateway"),
            ("worker",),
        ],
    )
    def test_the_exit_code_is_2(self, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STRATA_DATABASE_URL", raising=False)
        result = CliRunner().invoke(main, list(words))
        assert result.exit_code == 2, result.output

    def test_a_wrong_setting_is_named(self) -> None:
        done = strata("worker", STRATA_WORKER_CAPACITY="many", PATH="/usr/bin:/bin")
        assert done.returncode == 1
        assert "STRATA_WORKER_CAPACITY" in done.stderr
        assert "Traceback" not in done.stderr


class TestRefusals:
    def test_a_folder_with_other_files_is_neither_used_nor_wiped(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("years of work")
        for command in ("run", "reset"):
            done = strata(command, "--data", str(tmp_path))
            assert done.returncode == 1, command
            assert "Traceback" not in done.stderr
        assert (tmp_path / "thesis.tex").read_text() == "years of work"

    def test_production_has_no_sandbox_and_says_what_it_needs(self, tmp_path: Path) -> None:
        environ = {"STRATA_PROFILE": "production", "PATH": "/usr/bin:/bin"}
        started = strata("run", "--data", str(tmp_path / "data"), **environ)
        assert started.returncode == 1
        assert "not complete for this profile" in started.stderr
        for variable in ("STRATA_DATABASE_URL", "STRATA_SECRET_KEY", "STRATA_CONNECTIONS_FILE"):
            assert variable in started.stderr, "all that is missing is told at once"
        assert not (tmp_path / "data").exists()
        shown = strata("sandbox", "info", "--json", "--data", str(tmp_path / "data"), **environ)
        assert shown.returncode == 1
        assert "no sandbox" in shown.stderr
