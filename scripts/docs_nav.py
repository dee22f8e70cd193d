"""Navigation of the documentation from its folders: the four kinds and the decisions, each page by its title."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SECTIONS = (
    ("Tutorials", "tutorials"),
    ("How to", "how-to"),
    ("Reference", "reference"),
    ("Explanation", "explanation"),
    ("Decisions", "decisions"),
)


def title_of(page: Path) -> str:
    """The first heading of a page."""
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("# "):
            return line[2:].strip()
    return page.stem.replace("-", " ").capitalize()


def pages_of(docs: Path, folder: Path) -> list[Any]:
    """Pages of a folder, the index first, by file name; folders in it become sections of their own."""
    found: list[Any] = []
    entries = sorted(folder.iterdir(), key=lambda p: (p.name != "index.md", p.is_dir(), p.name))
    for entry in entries:
        if entry.is_dir():
            inner = pages_of(docs, entry)
            if inner:
                found.append({entry.name.replace("-", " ").capitalize(): inner})
        elif entry.suffix == ".md":
            found.append({title_of(entry): entry.relative_to(docs).as_posix()})
    return found


def on_config(config: Any) -> Any:
    """Called by mkdocs once the configuration is read."""
    docs = Path(config["docs_dir"])
    config["nav"] = [{title_of(docs / "index.md"): "index.md"}]
    config["nav"] += [{name: pages_of(docs, docs / folder)} for name, folder in SECTIONS if (docs / folder).is_dir()]
    return config
