"""The data folder: claimed once, private where it must be, wiped only when it is ours."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from strata.errors import Conflict, Invalid
from strata.launch.folder import MARKER, Client, Folder, Running
from strata.launch.process import ProcessId, this_process

RUNNING = Running(
    process=this_process(),
    profile="development",
    base_url="http://127.0.0.1:1",
    database_url="postgresql://",
    log_file="",
)
HOLD = """
import sys, time
from pathlib import Path
from strata.launch.folder import Folder
folder = Folder(Path(sys.argv[1]))
folder.claim()
print("held", flush=True)
time.sleep(60)
"""


class TestClaim:
    def test_a_new_folder_is_made_and_marked(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "a" / "data")
        folder.claim()
        assert folder.marked
        assert folder.locked
        assert folder.holder() == this_process()

    def test_a_folder_with_other_files_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(Invalid, match="DATA="):
            Folder(tmp_path).claim()
        assert not (tmp_path / MARKER).exists()

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(Invalid, match="not a folder"):
            Folder(tmp_path / "file").claim()

    def test_a_second_run_is_refused_in_plain_words(self, tmp_path: Path) -> None:
        first = Folder(tmp_path / "data")
        first.claim()
        first.keep_running(RUNNING)
        with pytest.raises(Conflict, match=r"already running .* at http://127.0.0.1:1 .*make stop"):
            Folder(tmp_path / "data").claim()

    def test_kill_9_of_the_holder_frees_it(self, tmp_path: Path) -> None:
        holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "data"], stdout=subprocess.PIPE)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        folder = Folder(tmp_path / "data")
        with pytest.raises(Conflict):
            folder.claim()
        holder.kill()
        holder.wait()
        assert not folder.locked
        folder.claim()
        assert folder.holder() == this_process()

    def test_release_lets_the_next_one_in(self, tmp_path: Path) -> None:
        first = Folder(tmp_path / "data")
        first.claim()
        first.release()
        Folder(tmp_path / "data").claim()


class TestFiles:
    def test_run_json_of_a_dead_process_tells_nothing(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "data")
        folder.claim()
        folder.keep_running(RUNNING)
        assert folder.running() == RUNNING
        dead = ProcessId(RUNNING.process.pid, RUNNING.process.started - 1000)
        folder.keep_running(Running(process=dead, profile="development", base_url="", database_url="", log_file=""))
        assert folder.running() is None

    def test_what_holds_secrets_is_for_the_owner_alone(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "data")
        folder.claim()
        folder.keep_running(RUNNING)
        folder.keep_clients((Client("web-app", "id", "secret", ("orders:read",), "standard"),))
        folder.secret()
        for name in ("run.json", "credentials.json", "secret.key"):
            assert stat.S_IMODE((folder.path / name).stat().st_mode) == 0o600, name

    def test_the_secret_stays_the_same(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "data")
        folder.claim()
        assert folder.secret() == Folder(tmp_path / "data").secret()
        assert len(folder.secret()) >= 32

    def test_a_broken_file_is_named(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "data")
        folder.claim()
        folder.credentials_file.write_text("{")
        with pytest.raises(Invalid, match=r"credentials\.json"):
            folder.clients()


class TestWipe:
    def test_it_removes_everything_and_says_what(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "data")
        folder.claim()
        (folder.postgres / "base").mkdir(parents=True)
        folder.secret()
        folder.release()
        assert folder.wipe() == ["postgres", "secret.key", "strata.lock"]
        assert not folder.path.exists()

    def test_a_folder_that_is_not_ours_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(Invalid, match="nothing was removed"):
            Folder(tmp_path).wipe()
        assert (tmp_path / "thesis.tex").exists()

    def test_a_link_is_unlinked_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "kept").touch()
        folder = Folder(tmp_path / "data")
        folder.claim()
        (folder.path / "link").symlink_to(tmp_path / "elsewhere")
        folder.release()
        folder.wipe()
        assert (tmp_path / "elsewhere" / "kept").exists()

    def test_a_folder_that_is_not_there_has_nothing_to_remove(self, tmp_path: Path) -> None:
        assert Folder(tmp_path / "none").wipe() == []
