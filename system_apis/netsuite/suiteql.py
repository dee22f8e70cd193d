"""Queries in SuiteQL: fixed texts with literals, and literals come from the functions here and nowhere else.

SuiteQL over REST has no bind parameters, so every value is written as a literal that cannot end early: texts in single
quotes with quotes doubled, numbers by their digits, moments by TO_TIMESTAMP of digits. Identifiers are part of the
fixed texts; no value ever becomes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NewType
from zoneinfo import ZoneInfo

from strata.errors import BadParameter, FieldError

Literal = NewType("Literal", str)
"""SQL that is surely one literal, or a list of them."""

_STAMP = "%Y-%m-%d %H:%M:%S"
_STAMP_SQL = "YYYY-MM-DD HH24:MI:SS"


def text(value: str) -> Literal:
    """A text literal. Raises BadParameter for control characters: no key or address has any."""
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise BadParameter("A value holds control characters", errors=(FieldError("remove them", value=ascii(value)),))
    return Literal("'" + value.replace("'", "''") + "'")


def number(value: str | int) -> Literal:
    """A whole number, such as an internal id. Raises BadParameter for anything but digits."""
    digits = str(value)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise BadParameter("A NetSuite id has digits only", errors=(FieldError("not an id", value=digits[:40]),))
    return Literal(digits)


def texts(values: Iterable[str]) -> Literal:
    """A list of text literals for IN (...)."""
    return Literal(", ".join(text(value) for value in values))


def numbers(values: Iterable[str | int]) -> Literal:
    """A list of numbers for IN (...)."""
    return Literal(", ".join(number(value) for value in values))


def timestamp(local: str) -> Literal:
    """A moment as the account's clocks show it, `2026-01-31 10:00:00`. Raises BadParameter for another form."""
    try:
        moment = datetime.strptime(local, _STAMP)  # noqa: DTZ007  # the account's own wall clock
    except ValueError as error:
        raise BadParameter("A moment is not readable", errors=(FieldError(str(error), value=local[:40]),)) from error
    return Literal(f"TO_TIMESTAMP('{moment.strftime(_STAMP)}', '{_STAMP_SQL}')")


def local_lower_bound(moment: datetime, zone: ZoneInfo) -> str:
    """The account's wall clock at a moment, never later than it: an hour earlier while clocks are being changed."""
    local = moment.astimezone(zone)
    around = {(local + timedelta(hours=h)).replace(tzinfo=None).replace(tzinfo=zone).utcoffset() for h in (-2, 0, 2)}
    wall = local.replace(tzinfo=None)
    return (wall - timedelta(hours=1) if len(around) > 1 else wall).strftime(_STAMP)


def moment(local: str, zone: ZoneInfo) -> datetime:
    """The moment that the account's wall clock showed as `local`. Raises ValueError."""
    return datetime.strptime(local, _STAMP).replace(tzinfo=zone)


def fill(template: str, **literals: Literal) -> str:
    """A query: the template's `{names}` replaced by literals."""
    return template.format(**literals)
