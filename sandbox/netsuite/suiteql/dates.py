"""Dates of SuiteQL: Oracle format models, and the marked text in which rows keep dates.

A date or time is `DATE_MARK` + `YYYY-MM-DD HH:MM:SS`; it sorts in time and is never mistaken for a string.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta

DATE_MARK = "\x01"
KEPT = re.compile(DATE_MARK + r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
STORED = "%Y-%m-%d %H:%M:%S"
ACCOUNT_FORMAT = "MM/DD/YYYY"
ELEMENTS = (
    "YYYY", "RRRR", "YY", "RR", "MONTH", "MON", "MM", "MI", "DDD", "DD", "DAY", "DY", "D", "HH24", "HH12", "HH",
    "SS", "AM", "PM", "A.M.", "P.M.", "IW", "WW", "Q", "FF3", "FF6", "FF",
)  # fmt: skip
_WORDS = "|".join(re.escape(element) for element in sorted(ELEMENTS, key=len, reverse=True))
TOKEN = re.compile(rf'"[^"]*"|{_WORDS}|.', re.IGNORECASE | re.DOTALL)


class BadFormat(ValueError):
    """A format model, or a text that does not fit it."""


def is_date(value: object) -> bool:
    """Whether this is a date as rows keep them, and not a text that happens to begin with the mark."""
    return isinstance(value, str) and len(value) == 20 and KEPT.fullmatch(value) is not None


def stored(moment: datetime) -> str:
    return DATE_MARK + moment.strftime(STORED) if moment.year >= 1000 else f"{DATE_MARK}{moment.isoformat(' ')}"


def moment_of(value: str) -> datetime:
    return datetime.strptime(value[1:], STORED)  # noqa: DTZ007  # the account's own time


def shown(value: str) -> str:
    """As query results show dates: M/D/YYYY, without the time."""
    moment = moment_of(value)
    return f"{moment.month}/{moment.day}/{moment.year}"


def tokens(model: str) -> tuple[list[str], bool]:
    """Elements of a format model, and whether FM takes the padding off."""
    fill = re.sub("FM", "", model, flags=re.I)
    return TOKEN.findall(fill), fill != model


def to_text(value: str, model: str) -> str:
    """TO_CHAR of a date."""
    moment = moment_of(value)
    parts, bare = tokens(model)
    return "".join(_show(part, moment, bare=bare) for part in parts)


def _show(part: str, moment: datetime, *, bare: bool) -> str:
    if part.startswith('"'):
        return part.strip('"')
    number = {
        "YYYY": (moment.year, 4),
        "RRRR": (moment.year, 4),
        "YY": (moment.year % 100, 2),
        "RR": (moment.year % 100, 2),
        "MM": (moment.month, 2),
        "DDD": (moment.timetuple().tm_yday, 3),
        "DD": (moment.day, 2),
        "D": (moment.isoweekday() % 7 + 1, 1),
        "HH24": (moment.hour, 2),
        "HH12": ((moment.hour + 11) % 12 + 1, 2),
        "HH": ((moment.hour + 11) % 12 + 1, 2),
        "MI": (moment.minute, 2),
        "SS": (moment.second, 2),
        "IW": (moment.isocalendar()[1], 2),
        "WW": ((moment.timetuple().tm_yday - 1) // 7 + 1, 2),
        "Q": ((moment.month - 1) // 3 + 1, 1),
        "FF": (0, 6),
        "FF3": (0, 3),
        "FF6": (0, 6),
    }.get(part.upper())
    if number is not None:
        return str(number[0]) if bare else str(number[0]).zfill(number[1])
    word = {
        "MONTH": calendar.month_name[moment.month],
        "MON": calendar.month_abbr[moment.month],
        "DAY": calendar.day_name[moment.weekday()],
        "DY": calendar.day_abbr[moment.weekday()],
        "AM": "AM" if moment.hour < 12 else "PM",
        "PM": "AM" if moment.hour < 12 else "PM",
        "A.M.": "A.M." if moment.hour < 12 else "P.M.",
        "P.M.": "A.M." if moment.hour < 12 else "P.M.",
    }.get(part.upper())
    if word is None:
        return part
    if part.isupper():
        word = word.upper()
    elif part.islower():
        word = word.lower()
    return word.ljust(9) if part.upper() in ("MONTH", "DAY") and not bare else word


NUMBERS = {
    "YYYY": ("year", 4), "RRRR": ("year", 4), "YY": ("short_year", 2), "RR": ("short_year", 2), "MM": ("month", 2),
    "DD": ("day", 2), "HH24": ("hour", 2), "HH12": ("hour12", 2), "HH": ("hour12", 2), "MI": ("minute", 2),
    "SS": ("second", 2), "DDD": ("year_day", 3), "FF": ("fraction", 9), "FF3": ("fraction", 3), "FF6": ("fraction", 6),
}  # fmt: skip


def from_text(text: str, model: str) -> str:
    """TO_DATE and TO_TIMESTAMP. Raises BadFormat."""
    found: dict[str, int] = {}
    at = 0
    text = text.strip()
    half: str | None = None
    for part in tokens(model)[0]:
        name = part.upper()
        if name in NUMBERS:
            field, width = NUMBERS[name]
            match = re.compile(rf"\d{{1,{width}}}").match(text, at)
            if match is None:
                if at >= len(text) and field in ("hour", "hour12", "minute", "second", "fraction"):
                    continue  # a time that is not given is midnight
                raise BadFormat(f"'{text}' does not fit '{model}'")
            found[field] = int(match[0])
            at = match.end()
        elif name in ("MON", "MONTH"):
            names = [n.lower() for n in (calendar.month_name if name == "MONTH" else calendar.month_abbr)]
            match = re.compile(r"[A-Za-z]+").match(text, at)
            if match is None or match[0].lower() not in names[1:]:
                raise BadFormat(f"'{text}' does not fit '{model}'")
            found["month"] = names.index(match[0].lower())
            at = match.end()
        elif name in ("AM", "PM", "A.M.", "P.M."):
            half = text[at : at + len(name)].upper().replace(".", "")
            at += len(name)
        else:
            literal = part.strip('"') if part.startswith('"') else part
            if at < len(text) and (text[at : at + len(literal)] == literal or not text[at].isalnum()):
                at += len(literal)
            elif at < len(text):
                raise BadFormat(f"'{text}' does not fit '{model}'")
    if at < len(text):
        raise BadFormat(f"'{text}' is longer than '{model}'")
    return stored(_moment(found, half, text))


def _moment(found: dict[str, int], half: str | None, text: str) -> datetime:
    year = found.get("year", found.get("short_year", 0) + 2000)
    hour = found.get("hour", found.get("hour12", 0) % 12 + (12 if half == "PM" else 0))
    try:
        day = datetime(year, found.get("month", 1), found.get("day", 1))  # noqa: DTZ001  # the account's own time
        if "year_day" in found:
            day += timedelta(days=found["year_day"] - 1)
        return day.replace(hour=hour, minute=found.get("minute", 0), second=found.get("second", 0))
    except ValueError as error:
        raise BadFormat(f"'{text}' is no date: {error}") from error


def truncated(value: str, unit: str) -> str:
    """TRUNC of a date to a day, month, quarter, year or ISO week."""
    moment = moment_of(value).replace(hour=0, minute=0, second=0)
    match unit.upper():
        case "DD" | "DDD" | "J":
            pass
        case "MM" | "MON" | "MONTH":
            moment = moment.replace(day=1)
        case "Q":
            moment = moment.replace(month=(moment.month - 1) // 3 * 3 + 1, day=1)
        case "YYYY" | "YEAR" | "YY" | "Y":
            moment = moment.replace(month=1, day=1)
        case "IW":
            moment -= timedelta(days=moment.weekday())
        case _:
            raise BadFormat(f"unit '{unit}'")
    return stored(moment)


def months_later(value: str, months: int) -> str:
    """ADD_MONTHS: the last day of a month stays the last day."""
    moment = moment_of(value)
    index = moment.year * 12 + moment.month - 1 + months
    year, month = index // 12, index % 12 + 1
    last = calendar.monthrange(year, month)[1]
    at_end = moment.day == calendar.monthrange(moment.year, moment.month)[1]
    return stored(moment.replace(year=year, month=month, day=last if at_end else min(moment.day, last)))
