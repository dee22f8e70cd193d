"""Logs stay bounded, and whoever has one open goes on writing to it."""

from __future__ import annotations

from pathlib import Path

from strata.launch.logs import put_aside


class TestPutAside:
    def test_a_large_log_is_emptied_and_its_content_kept_once(self, tmp_path: Path) -> None:
        path = tmp_path / "strata.log"
        with path.open("ab", buffering=0) as writer:
            writer.write(b"old\n" * 100)
            assert put_aside(path, 100)
            writer.write(b"new\n")
            assert path.read_bytes() == b"new\n"
            assert (tmp_path / "strata.log.1").read_bytes() == b"old\n" * 100
            writer.write(b"newer\n" * 100)
            assert put_aside(path, 100)
        assert (tmp_path / "strata.log.1").read_bytes() == b"new\n" + b"newer\n" * 100
        assert sorted(p.name for p in tmp_path.iterdir()) == ["strata.log", "strata.log.1"]

    def test_a_small_one_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "strata.log"
        path.write_bytes(b"a line\n")
        assert not put_aside(path, 100)
        assert path.read_bytes() == b"a line\n"

    def test_one_that_is_gone_is_no_error(self, tmp_path: Path) -> None:
        assert not put_aside(tmp_path / "none.log", 100)
