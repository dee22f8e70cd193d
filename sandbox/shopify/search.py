"""Shopify's search syntax: text into a tree, a tree into SQL.

Terms `field:value`, comparators `:>` `:>=` `:<` `:<=`, ranges `a..b`, lists `a,b`, phrases in single or double quotes,
prefixes `abc*`, existence `field:*`, `AND` (also by juxtaposition), `OR`, `NOT` and `-`, parentheses, backslash as
escape. Unknown fields are ignored with a warning. Source: shopify.dev/docs/api/usage/search-syntax.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec


class Term(msgspec.Struct, frozen=True):
    """field None: the default fields. quoted: a phrase, in which `*`, `,` and `..` mean themselves."""

    field: str | None
    operator: str
    value: str
    quoted: bool = False


class Group(msgspec.Struct, frozen=True):
    kind: Literal["and", "or"]
    parts: tuple[Node, ...]


class Negation(msgspec.Struct, frozen=True):
    part: Node


Node = Term | Group | Negation
OPERATORS = (">=", "<=", ">", "<")
# Stands before an escaped character that would otherwise mean something in an unquoted value.
LITERAL = "\ue000"


class _Token(msgspec.Struct, frozen=True):
    kind: Literal["open", "close", "and", "or", "not", "term"]
    term: Term | None = None


def parse(text: str) -> Node | None:
    """The tree of a query; None for an empty one. Never fails: what does not fit is taken as well as it can be."""
    parser = _Parser(_Lexer(text).tokens())
    return parser.disjunction()


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def tokens(self) -> list[_Token]:
        found: list[_Token] = []
        while True:
            while self.at < len(self.text) and self.text[self.at].isspace():
                self.at += 1
            if self.at >= len(self.text):
                return found
            char = self.text[self.at]
            if char in "()":
                self.at += 1
                found.append(_Token("open" if char == "(" else "close"))
            elif char == "-" and self.at + 1 < len(self.text) and not self.text[self.at + 1].isspace():
                self.at += 1
                found.append(_Token("not"))
            else:
                found.append(self._word())

    def _word(self) -> _Token:
        value, quoted, bare = self._value(stop_at_colon=True)
        if self.at < len(self.text) and self.text[self.at] == ":" and not quoted:
            self.at += 1
            return self._comparison(value)
        if bare in ("AND", "OR", "NOT"):
            return _Token("and" if bare == "AND" else "or" if bare == "OR" else "not")
        return _Token("term", Term(None, "=", value, quoted))

    def _comparison(self, field: str) -> _Token:
        while self.at < len(self.text) and self.text[self.at] == " ":  # `field: value` and `field: >=value` are met
            self.at += 1
        operator = next((op for op in OPERATORS if self.text.startswith(op, self.at)), "=")
        if operator != "=":
            self.at += len(operator)
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1
        value, quoted, _ = self._value(stop_at_colon=False)
        return _Token("term", Term(field.lower(), operator, value, quoted))

    def _value(self, *, stop_at_colon: bool) -> tuple[str, bool, str]:
        """(value, whether it was quoted, the text as written). Escapes are undone; an open quote ends at the end."""
        start = self.at
        if self.at < len(self.text) and self.text[self.at] in "'\"":
            quote = self.text[self.at]
            self.at += 1
            out = self._until(lambda c: c == quote, quoted=True)
            self.at += 1
            return out, True, self.text[start : self.at]
        out = self._until(lambda c: c.isspace() or c in "()" or (stop_at_colon and c == ":"))
        return out, False, self.text[start : self.at]

    def _until(self, stop: Callable[[str], bool], *, quoted: bool = False) -> str:
        out: list[str] = []
        while self.at < len(self.text) and not stop(self.text[self.at]):
            if self.text[self.at] == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                if not quoted and self.text[self.at] in "*,.":
                    out.append(LITERAL)
            out.append(self.text[self.at])
            self.at += 1
        return "".join(out)


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def _peek(self) -> str | None:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else None

    def disjunction(self) -> Node | None:
        parts = [part for part in [self._conjunction()] if part is not None]
        while self._peek() == "or":
            self.at += 1
            part = self._conjunction()
            if part is not None:
                parts.append(part)
        return _group("or", parts)

    def _conjunction(self) -> Node | None:
        parts: list[Node] = []
        while self._peek() not in (None, "or", "close"):
            if self._peek() == "and":
                self.at += 1
                continue
            part = self._factor()
            if part is not None:
                parts.append(part)
        return _group("and", parts)

    def _factor(self) -> Node | None:
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "not":
            part = self._factor() if self._peek() not in (None, "or", "and", "close") else None
            return None if part is None else Negation(part)
        if token.kind == "open":
            part = self.disjunction()
            if self._peek() == "close":
                self.at += 1
            return part
        return token.term


def _group(kind: Literal["and", "or"], parts: list[Node]) -> Node | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return Group(kind, tuple(parts))
