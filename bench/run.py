"""`make bench`: every measurement beside its baselines, one after another, never side by side.

    python -m bench.run [path durable gateway governor]

Writes bench/results/NAME.json with the machine and the time beside the figures. Exit code 1 when one failed or missed a
target. Compare ratios, not absolutes; a busy machine makes all of them worse.
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

import psutil

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
BENCHES = {
    "path": "one order's way through the house, beside the backend calls alone",
    "durable": "the journal beside DBOS on the same work",
    "gateway": "the gateway's data path beside a bare application and a plain proxy",
    "governor": "leases of an account's places beside the ideal rate",
}


def machine() -> dict[str, object]:
    """What the figures belong to."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def run(name: str) -> bool:
    """Run one; True when it worked and met its targets."""
    print(f"\n== {name}: {BENCHES[name]}", flush=True)
    about = machine()
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", f"bench.{name}", "--json", str(file)]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        figures = json.loads(file.read_text()) if file.exists() else None
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = {"bench": name, "what": BENCHES[name], "exit_code": code, "machine": about, "figures": figures}
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(f"   written: bench/results/{name}.json", flush=True)
    return code == 0 and figures is not None


def main() -> int:
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no such measurement: {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    if os.getloadavg()[0] > (os.cpu_count() or 1) / 2:
        print("This machine is busy: the figures will be worse than they are.", file=sys.stderr)
    failed = [name for name in names if not run(name)]
    print(f"\nfailed or missed: {', '.join(failed)}" if failed else f"\nall {len(names)} measured")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
