"""Runs the tests that take long (`pytest -m soak`) and writes what each took and said.

    python scripts/soak.py [pytest arguments]

Writes bench/results/soak.json: outcome and duration of each test, and the figures it recorded with `record_property`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "bench" / "results" / "soak.json"
_OUTCOMES = ("failure", "error", "skipped")


def outcomes(report: Path) -> list[dict[str, Any]]:
    """What a JUnit report says, one entry for each test."""
    found: list[dict[str, Any]] = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314  # written by pytest just now
        outcome = next((name for name in _OUTCOMES if case.find(name) is not None), "passed")
        figures = {p.get("name"): p.get("value") for p in case.iter("property")}
        name = f"{case.get('classname')}::{case.get('name')}"
        found.append({"test": name, "outcome": outcome, "took_s": float(case.get("time") or 0), "figures": figures})
    return found


def main() -> int:
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="strata-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "soak", "-q", "-s", "--timeout=0", f"--junitxml={report}"]
        code = subprocess.run([*command, *sys.argv[1:]], cwd=ROOT, check=False).returncode
        tests = outcomes(report) if report.exists() else []
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "at": began.isoformat(timespec="seconds"),
        "took_s": round((datetime.now(UTC) - began).total_seconds()),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "exit_code": code,
        "tests": tests,
    }
    RESULT.write_text(json.dumps(document, indent=2) + "\n")
    print(f"written: {RESULT.relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
