"""The lock files: pinned, hashed, of pyproject.toml as it is, without an address of any registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import lock, tree

PINNED = "demo==1.0 \\\n    --hash=sha256:00\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project whose locks are right."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.11"\ndependencies = ["demo"]\n'
        "[dependency-groups]\ndev = []\nforeign = []\nbuild = []\n"
    )
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    for name in lock.LOCKS:
        lock.path_of(name).write_text(lock.HEADER.format(digest=lock.digest(name)) + PINNED)
    return tmp_path


def test_those_of_this_tree_are_right() -> None:
    assert lock.problems() == []


def test_right_ones_have_no_problem(project: Path) -> None:
    assert lock.problems() == []


def test_a_changed_dependency_makes_them_stale(project: Path) -> None:
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace('["demo"]', '["demo", "more"]'))
    assert [p for p in lock.problems() if "run.txt was not made from" in p]


@pytest.mark.parametrize("line", ["--index-url https://example.com/simple", "demo @ https://example.com/demo.whl"])
def test_an_address_is_found(project: Path, line: str) -> None:
    with lock.path_of("run").open("a") as file:
        file.write(line + "\n")
    assert "run.txt carries an address of a registry" in lock.problems()


def test_a_pin_without_hash_is_found(project: Path) -> None:
    with lock.path_of("foreign").open("a") as file:
        file.write("bare==2.0\n")
    assert any("bare==2.0 has no hash" in problem for problem in lock.problems())


def test_two_versions_of_one_package_are_found(project: Path) -> None:
    path = lock.path_of("dev")
    path.write_text(path.read_text().replace("1.0", "1.1"))
    assert any("demo is 1.0 in run.txt but not in dev.txt" in problem for problem in lock.problems())


class TestTree:
    def test_a_registry_a_machine_path_and_a_private_key_are_found(self) -> None:
        host = ".".join(("pypi", "org"))
        key = "-----BEGIN PRIVATE KEY-----\nMIIE\n"
        text = f"one\nsee https://{host}/x\nopen('/{'root'}/x')\n{key}"
        assert [f.split(": ")[:2] for f in tree.findings("a.py", text.encode())] == [
            ["a.py:2", "an address of a package registry"],
            ["a.py:3", "a path of one machine"],
            ["a.py:4", "a private key"],
        ]

    def test_paths_of_urls_and_modules_are_not_machine_paths(self) -> None:
        text = b"/web/v1/orders, https://example.com/home/page, a/root/b, ~/.config"
        assert tree.findings("a.md", text) == []

    def test_a_large_file_is_found(self) -> None:
        assert tree.findings("a.bin", b"\0" * (tree.LARGEST_BYTES + 1)) == [
            f"a.bin: larger than {tree.LARGEST_BYTES} bytes"
        ]
