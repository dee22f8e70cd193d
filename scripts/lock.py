"""Renews requirements/*.txt: pinned, hashed, for every platform, without an address of any registry.

    python scripts/lock.py              keep the pins, add and drop what pyproject.toml says
    python scripts/lock.py --upgrade    take the newest versions
    python scripts/lock.py --check      write nothing; fail when a lock does not belong to pyproject.toml

Each lock starts with a digest of the requirements it was made from, so the check needs no network.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# lock -> (with the product's own dependencies?, dependency groups)
LOCKS = {
    "run": (True, ()),
    "dev": (True, ("dev",)),
    "foreign": (False, ("foreign",)),
    "build": (False, ("build",)),
}
HEADER = "# Made by `make lock` from pyproject.toml, inputs sha256:{digest}\n"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
ADDRESS = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host|file:/")


def path_of(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def digest(name: str) -> str:
    """Digest of what the lock is made from: the order of requirements does not matter, their text does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    own, groups = LOCKS[name]
    inputs = {
        "python": project["project"]["requires-python"],
        "own": sorted(project["project"]["dependencies"]) if own else [],
        "groups": [sorted(project["dependency-groups"][group]) for group in groups],
    }
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def compile_lock(name: str, *, upgrade: bool) -> None:
    own, groups = LOCKS[name]
    path = path_of(name)
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header"]
    command += ["pyproject.toml"] if own else []
    for group in groups:
        command += ["--group", f"pyproject.toml:{group}"]
    if name == "dev":
        command += ["--constraint", str(path_of("run").relative_to(ROOT))]  # one version of each, everywhere
    command += ["--upgrade"] if upgrade else []
    subprocess.run([*command, "--output-file", str(path.relative_to(ROOT))], cwd=ROOT, check=True)
    path.write_text(HEADER.format(digest=digest(name)) + path.read_text("utf-8"), "utf-8")


def problems() -> list[str]:
    """What is wrong with the locks as they are, in words."""
    found: list[str] = []
    pins: dict[str, dict[str, str]] = {}
    for name in LOCKS:
        path = path_of(name)
        if not path.exists():
            found.append(f"{path.name} is missing: run `make lock`")
            continue
        text = path.read_text("utf-8")
        pins[name] = dict(PIN.findall(text))
        if not text.startswith(HEADER.format(digest=digest(name))):
            found.append(f"{path.name} was not made from pyproject.toml as it is now: run `make lock`")
        if ADDRESS.search(text):
            found.append(f"{path.name} carries an address of a registry")
        found += [f"{path.name}: {pin} has no hash" for pin in _without_hash(text)]
    for package, version in pins.get("run", {}).items():
        if pins.get("dev", {}).get(package) != version:
            found.append(f"{package} is {version} in run.txt but not in dev.txt: run `make lock`")
    return found


def _without_hash(text: str) -> list[str]:
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", text)
    return [entry.split()[0] for entry in entries if PIN.match(entry) and "--hash=sha256:" not in entry]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    options = parser.parse_args()
    if not options.check:
        for name in LOCKS:
            compile_lock(name, upgrade=options.upgrade)
    found = problems()
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
