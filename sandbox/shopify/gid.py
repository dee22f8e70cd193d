"""Global ids: gid://shopify/Order/123."""

from __future__ import annotations

import re

from sandbox.shopify.errors import invalid_id

PATTERN = re.compile(r"gid://shopify/([A-Za-z]+)/(\d{1,19})(?:\?.*)?")


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def split(text: str) -> tuple[str, int]:
    """(type, digits). Raises GraphQLProblem for what is no global id."""
    match = PATTERN.fullmatch(text)
    if match is None:
        raise invalid_id(text)
    return match[1], int(match[2])


def number(text: str, kind: str) -> int | None:
    """The digits if the id is of this type, None if of another one. Raises GraphQLProblem for what is no global id."""
    found, digits = split(text)
    return digits if found == kind else None
