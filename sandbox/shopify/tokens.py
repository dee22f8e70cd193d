"""Words as search sees them: lower case, letters and digits only."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words of a text: "Bob.Norman@example.com" -> bob, norman, example, com."""
    return WORD.findall(text.lower())


def tokens(*texts: str | None) -> str:
    """Texts as a column in which a phrase can be found: words between single spaces, texts apart by a bar."""
    found = [" ".join(words(text)) for text in texts if text]
    return f" {' | '.join(found)} " if found else ""
