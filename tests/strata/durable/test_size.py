"""The engine stays small enough to be read in one sitting: beyond this, reopen decision 6."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "strata" / "durable"
ENGINE = ("definition", "journal", "operate", "retry", "run", "store", "worker")
"""Without types.py and __init__.py, which are the face, and without the tables, which are data."""
LIMIT = 1100


def code_lines(text: str) -> int:
    """Lines with code on them: no blank line, no comment, no docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


class TestSize:
    def test_the_engine_in_python_stays_small(self) -> None:
        sizes = {name: code_lines((FOLDER / f"{name}.py").read_text()) for name in ENGINE}
        print(sizes, sum(sizes.values()))
        assert sum(sizes.values()) <= LIMIT, sizes

    def test_its_functions_in_the_database_stay_small_too(self) -> None:
        text = (FOLDER / "schema" / "0002_functions.sql").read_text()
        lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("--")]
        print(len(lines))
        assert len(lines) <= 400
