"""Runs the tests against real PostgreSQL and Redis: those of STRATA_TEST_*_URL, else the embedded and an installed one.

    python scripts/test.py [--require-services] [pytest arguments]

--require-services: fail when a test was skipped because a service was not there (what CI asks for).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
# first words of the reasons with which fixtures skip a test that has no service
SERVICE_REASONS = ("neither STRATA_TEST_",)
REDIS_REMEDY = (
    "No Redis was found, so tests that need one will be skipped. Install it (apt install redis-server, brew install\n"
    "redis) or name one: STRATA_TEST_REDIS_URL=redis://127.0.0.1:6379/0\n"
)


def skipped_for_services(report: Path) -> list[str]:
    """Tests of a JUnit report that were skipped because a service was not there."""
    found: list[str] = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314  # written by pytest just now
        skipped = case.find("skipped")
        if skipped is not None and (skipped.get("message") or "").startswith(SERVICE_REASONS):
            found.append(f"{case.get('classname')}.{case.get('name')}: {skipped.get('message')}")
    return found


def main() -> int:
    arguments = sys.argv[1:]
    required = "--require-services" in arguments
    arguments = [argument for argument in arguments if argument != "--require-services"]
    if "STRATA_TEST_REDIS_URL" not in os.environ and shutil.which("redis-server") is None:
        sys.stderr.write(REDIS_REMEDY)
    if not any(argument.startswith("-n") for argument in arguments):
        arguments = ["-n", "auto", "--dist", "loadgroup", *arguments]
    with tempfile.TemporaryDirectory(prefix="strata-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "not soak", "-q", f"--junitxml={report}", *arguments]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code == 0 and required:
            missed = skipped_for_services(report)
            if missed:
                print(f"{len(missed)} tests were skipped because a service was not there:", *missed, sep="\n  ")
                return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
