"""All checks that need no running service, one after another; every one runs, then it tells which failed.

python scripts/check.py            all
python scripts/check.py types      one
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
BIN = Path(PYTHON).parent
CHECKS: dict[str, tuple[list[str], ...]] = {
    "lint": ([str(BIN / "ruff"), "check", "."], [str(BIN / "ruff"), "format", "--check", "."]),
    "types": ([str(BIN / "basedpyright")],),
    "imports": ([str(BIN / "lint-imports")],),
    "contracts": ([str(BIN / "strata"), "contracts", "--check"],),
    "coverage": ([PYTHON, "-m", "sandbox", "coverage", "--check"],),
    "locks": ([PYTHON, "scripts/lock.py", "--check"],),
    "tree": ([PYTHON, "scripts/tree.py"],),
    "docs": ([PYTHON, "scripts/docs.py", "--check"],),
}


def main() -> int:
    names = sys.argv[1:] or list(CHECKS)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        print(f"no such check: {', '.join(unknown)}; there are: {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    failed: list[str] = []
    for name in names:
        began = time.monotonic()
        print(f"== {name}", flush=True)
        codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in CHECKS[name]]
        if any(codes):
            failed.append(name)
        print(f"   {name}: {'FAILED' if name in failed else 'ok'} ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else f"all {len(names)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
