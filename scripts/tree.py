"""What must never be in the tree: addresses of package registries, paths of one machine, large files, bare credentials.

python scripts/tree.py        exit code 1 and one line for each finding
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST_BYTES = 3_000_000
_HOSTS = ("pypi", "org"), ("files.pythonhosted", "org"), ("registry.npmjs", "org"), ("registry.yarnpkg", "com")
RULES = {
    "an address of a package registry": re.compile("|".join(re.escape(".".join(host)) for host in _HOSTS)),
    "a path of one machine": re.compile(r"(?<![\w.:/-])/(?:work|root|home/[a-z][\w-]*|Users/[A-Za-z][\w-]*)/[\w.]"),
    "a private key": re.compile(r"-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----\s*\n[A-Za-z0-9+/]"),
}
# vendors' own texts and data that came with their licence may name hosts and hold sample keys
EXEMPT = re.compile(r"^(?:tests/.*/(?:data|vectors)/|sandbox/.*/schema/|LICENSE$)")


def tracked() -> list[str]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [name for name in names.decode().split("\0") if name and (ROOT / name).is_file()]


def findings(name: str, content: bytes) -> list[str]:
    """What is wrong with one file, a line for each."""
    found = [f"{name}: larger than {LARGEST_BYTES} bytes"] if len(content) > LARGEST_BYTES else []
    if EXEMPT.search(name) or b"\0" in content[:8192]:
        return found
    text = content.decode("utf-8", "replace")
    for what, rule in RULES.items():
        for match in rule.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{name}:{line}: {what}: {match.group()[:80]!r}")
    return found


def main() -> int:
    found = [finding for name in tracked() for finding in findings(name, (ROOT / name).read_bytes())]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
