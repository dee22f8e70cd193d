"""SQL functions as Oracle has them, for SQLite: '' is NULL, numbers are exact decimals, case is Unicode."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.netsuite.suiteql import dates
from sandbox.netsuite.suiteql.dates import ACCOUNT_FORMAT, BadFormat, is_date
from sandbox.netsuite.types_items import ITEM_TYPE_LABELS
from sandbox.netsuite.types_transactions import ORDER_STATUS, SHIP_STATUS, SOURCES

Value = str | int | float | None
TYPE_LABELS = {"SalesOrd": "Sales Order", "ItemShip": "Item Fulfillment"}
STATUS_LABELS = {"SalesOrd": ORDER_STATUS, "ItemShip": SHIP_STATUS}
# numbers of NetSuite carry 15 digits; what a float has beyond them is noise
DIGITS = 15


def number_of(value: Value) -> Decimal:
    """A number, or a text that is one. Raises ValueError."""
    if isinstance(value, float):
        return Decimal(f"{value:.{DIGITS}g}")
    try:
        return Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"'{value}' is not a number") from error


def plain(number: Decimal) -> int | float:
    """A number as SQLite keeps it."""
    if number == number.to_integral_value() and abs(number) < 2**63:
        return int(number)
    return float(number)


def number_text(value: int | float) -> str:
    """A number as results show it: no exponent, no trailing zeros."""
    text = format(number_of(value) + 0, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_of(value: Value) -> str:
    if isinstance(value, str):
        return dates.shown(value) if is_date(value) else value
    return "" if value is None else number_text(value)


def _or_null(text: str) -> str | None:
    return text or None


def _concat(left: Value, right: Value) -> str | None:
    return _or_null(text_of(left) + text_of(right))


def _add(left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    if isinstance(left, str) and is_date(left):
        return _days_later(left, number_of(right))
    if isinstance(right, str) and is_date(right):
        return _days_later(right, number_of(left))
    return plain(number_of(left) + number_of(right))


def _subtract(left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    if isinstance(left, str) and is_date(left):
        if isinstance(right, str) and is_date(right):
            gap = dates.moment_of(left) - dates.moment_of(right)
            return plain(Decimal(gap // timedelta(seconds=1)) / 86_400)
        return _days_later(left, -number_of(right))
    return plain(number_of(left) - number_of(right))


def _days_later(value: str, days: Decimal) -> str:
    seconds = int((days * 86_400).to_integral_value(ROUND_HALF_UP))
    return dates.stored(dates.moment_of(value) + timedelta(seconds=seconds))


def _multiply(left: Value, right: Value) -> Value:
    return None if left is None or right is None else plain(number_of(left) * number_of(right))


def _divide(left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    divisor = number_of(right)
    if not divisor:
        raise ValueError("divisor is equal to zero")
    return plain(number_of(left) / divisor)


def _to_char(value: Value, model: str | None = None) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and is_date(value):
        return dates.to_text(value, model or ACCOUNT_FORMAT)
    if model is None:
        return text_of(value)
    return _formatted(number_of(value), model)


def _formatted(number: Decimal, model: str) -> str:
    """TO_CHAR of a number with 9, 0, comma, point and FM."""
    bare = model.upper().startswith("FM")
    mask = model[2:] if bare else model
    whole, point, fraction = mask.partition(".")
    if not re.fullmatch(r"[90,]*", whole) or not re.fullmatch(r"[90]*", fraction):
        raise BadFormat(f"number format '{model}'")
    digits = f"{abs(number):.{len(fraction)}f}" if point else str(abs(number).to_integral_value(ROUND_HALF_UP))
    left, _, right = digits.partition(".")
    wanted = whole.replace(",", "")
    least = len(wanted) - wanted.find("0") if "0" in wanted else 0
    left = left.lstrip("0").rjust(least, "0")
    if len(left) > len(wanted):
        return "#" * (len(mask) + 1)
    if "," in whole:
        left = f"{int(left or 0):,}" if left else left
    if bare:
        kept = fraction.rfind("0") + 1
        while len(right) > kept and right.endswith("0"):
            right = right[:-1]
    text = ("-" if number < 0 else "") + left + (f".{right}" if point else "")
    return text if bare else text.rjust(len(mask) + 1)


def _to_date(value: Value, model: str | None = None) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and is_date(value):
        return value
    return dates.from_text(text_of(value), model or ACCOUNT_FORMAT)


def _trunc(value: Value, unit: Value = None) -> Value:
    if value is None:
        return None
    if isinstance(value, str) and is_date(value):
        return dates.truncated(value, "DD" if unit is None else str(unit))
    step = Decimal(1).scaleb(-int(unit or 0))
    return plain(number_of(value).quantize(step, ROUND_DOWN))


def _round(value: Value, places: Value = 0) -> Value:
    if value is None:
        return None
    return plain(number_of(value).quantize(Decimal(1).scaleb(-int(places or 0)), ROUND_HALF_UP))


def _substr(value: Value, start: int, length: int | None = None) -> str | None:
    if value is None:
        return None
    text = text_of(value)
    begin = start - 1 if start > 0 else (len(text) + start if start < 0 else 0)
    if begin < 0:
        return None
    return _or_null(text[begin:] if length is None else text[begin : begin + max(length, 0)])


def _instr(value: Value, part: Value, start: int = 1, nth: int = 1) -> int | None:
    if value is None or part is None:
        return None
    text, wanted = text_of(value), text_of(part)
    at = start - 2
    for _ in range(nth):
        at = text.find(wanted, at + 1)
        if at < 0:
            return 0
    return at + 1


def _pad(value: Value, width: int, fill: Value, *, left: bool) -> str | None:
    if value is None or width <= 0:
        return None
    text, filler = text_of(value), text_of(fill) or " "
    if len(text) >= width:
        return text[:width]
    padding = (filler * width)[: width - len(text)]
    return padding + text if left else text + padding


def _trim(value: Value, characters: Value = " ", side: str = "BOTH") -> str | None:
    if value is None:
        return None
    text, chars = text_of(value), text_of(characters)
    strip = {"LEADING": text.lstrip, "TRAILING": text.rstrip}.get(side, text.strip)
    return _or_null(strip(chars))


def _extract(part: str, value: Value) -> int | None:
    if not isinstance(value, str) or not is_date(value):
        return None
    return int(getattr(dates.moment_of(value), part.lower()))


def _translate(value: Value, old: Value, new: Value) -> str | None:
    if value is None:
        return None
    before, after = text_of(old), text_of(new)
    table = {ord(c): (after[i] if i < len(after) else None) for i, c in reversed(list(enumerate(before)))}
    return _or_null(text_of(value).translate(table))


def _months_between(left: Value, right: Value) -> Value:
    if not (isinstance(left, str) and isinstance(right, str) and is_date(left) and is_date(right)):
        return None
    one, other = dates.moment_of(left), dates.moment_of(right)
    months = (one.year - other.year) * 12 + one.month - other.month
    return plain(Decimal(months) + Decimal(one.day - other.day) / 31)


def _last_day(value: Value) -> str | None:
    if not isinstance(value, str) or not is_date(value):
        return None
    first = dates.truncated(value, "MM")
    return dates.stored(dates.moment_of(dates.months_later(first, 1)) - timedelta(days=1))


def _status(kind: Value, letter: Value) -> str | None:
    """BUILTIN.DF(transaction.status), such as `Sales Order : Pending Fulfillment`."""
    label = STATUS_LABELS.get(str(kind), {}).get(str(letter))
    return None if label is None else f"{TYPE_LABELS[str(kind)]} : {label}"


def _label(table: str, value: Value) -> Value:
    labels = {"type": TYPE_LABELS, "source": SOURCES, "itemtype": ITEM_TYPE_LABELS}[table]
    return labels.get(str(value), value) if value is not None else None


def _one(function: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """NULL in, NULL out."""
    return lambda value: None if value is None else function(value)


def _two(function: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    """NULL in, NULL out."""
    return lambda left, right: None if left is None or right is None else function(left, right)


def _modulus(left: Value, right: Value) -> Value:
    divisor = number_of(right)
    return plain(number_of(left) % divisor) if divisor else left


def _pad_left(value: Value, width: int, fill: Value = " ") -> str | None:
    return _pad(value, width, fill, left=True)


def _pad_right(value: Value, width: int, fill: Value = " ") -> str | None:
    return _pad(value, width, fill, left=False)


def _trim_left(value: Value, characters: Value = " ") -> str | None:
    return _trim(value, characters, "LEADING")


def _trim_right(value: Value, characters: Value = " ") -> str | None:
    return _trim(value, characters, "TRAILING")


def _text(value: Value) -> str | None:
    return _or_null(text_of(value))


def _replace(value: Value, old: Value, new: Value = None) -> str | None:
    if value is None or old is None:
        return text_of(value) or None
    return _or_null(text_of(value).replace(text_of(old), text_of(new)))


def _regexp_replace(value: Value, pattern: Value, replacement: Value = None) -> str | None:
    if value is None or pattern is None:
        return text_of(value) or None
    text = re.sub(r"\\(\d)", r"\\g<\1>", text_of(replacement))
    return _or_null(re.sub(text_of(pattern), text, text_of(value)))


def _regexp_substr(value: Value, pattern: Value) -> str | None:
    if value is None or pattern is None:
        return None
    found = re.search(text_of(pattern), text_of(value))
    return None if found is None else _or_null(found[0])


# name in SuiteQL -> (fewest and most arguments, function)
SCALARS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "UPPER": (1, 1, _one(lambda v: text_of(v).upper())),
    "LOWER": (1, 1, _one(lambda v: text_of(v).lower())),
    "INITCAP": (1, 1, _one(lambda v: text_of(v).title())),
    "LENGTH": (1, 1, _one(lambda v: len(text_of(v)))),
    "SUBSTR": (2, 3, _substr),
    "INSTR": (2, 4, _instr),
    "REPLACE": (2, 3, _replace),
    "LPAD": (2, 3, _pad_left),
    "RPAD": (2, 3, _pad_right),
    "LTRIM": (1, 2, _trim_left),
    "RTRIM": (1, 2, _trim_right),
    "TRIM": (1, 3, _trim),
    "CONCAT": (2, 2, _concat),
    "TRANSLATE": (3, 3, _translate),
    "ASCII": (1, 1, _one(lambda v: ord(text_of(v)[0]))),
    "CHR": (1, 1, _one(lambda v: chr(int(number_of(v))))),
    "REGEXP_REPLACE": (2, 3, _regexp_replace),
    "REGEXP_SUBSTR": (2, 2, _regexp_substr),
    "TO_CHAR": (1, 2, _to_char),
    "TO_DATE": (1, 2, _to_date),
    "TO_TIMESTAMP": (1, 2, _to_date),
    "TO_NUMBER": (1, 1, _one(lambda v: plain(number_of(v)))),
    "TRUNC": (1, 2, _trunc),
    "ROUND": (1, 2, _round),
    "ABS": (1, 1, _one(lambda v: plain(abs(number_of(v))))),
    "CEIL": (1, 1, _one(lambda v: int(number_of(v).to_integral_value("ROUND_CEILING")))),
    "FLOOR": (1, 1, _one(lambda v: int(number_of(v).to_integral_value("ROUND_FLOOR")))),
    "SIGN": (1, 1, _one(lambda v: (number_of(v) > 0) - (number_of(v) < 0))),
    "MOD": (2, 2, _two(_modulus)),
    "POWER": (2, 2, _two(lambda a, b: plain(number_of(a) ** number_of(b)))),
    "SQRT": (1, 1, _one(lambda v: plain(number_of(v).sqrt()))),
    "ADD_MONTHS": (2, 2, _two(lambda d, n: dates.months_later(str(d), int(number_of(n))))),
    "LAST_DAY": (1, 1, _last_day),
    "MONTHS_BETWEEN": (2, 2, _months_between),
    # the engine's own
    "_ADD": (2, 2, _add),
    "_SUBTRACT": (2, 2, _subtract),
    "_MULTIPLY": (2, 2, _multiply),
    "_DIVIDE": (2, 2, _divide),
    "_NEGATE": (1, 1, _one(lambda v: plain(-number_of(v)))),
    "_EXTRACT": (2, 2, _extract),
    "_STATUS": (2, 2, _status),
    "_LABEL": (2, 2, _label),
    "_TEXT": (1, 1, _text),
}
# these SQLite does as Oracle does
NATIVE = {"COALESCE": (2, 99), "NULLIF": (2, 2)}
WINDOW_ONLY = {"ROW_NUMBER": (0, 0), "RANK": (0, 0), "DENSE_RANK": (0, 0), "LAG": (1, 3), "LEAD": (1, 3)}
AGGREGATES = {"COUNT": "COUNT", "SUM": "ns_sum", "AVG": "ns_avg", "MIN": "MIN", "MAX": "MAX"}


class _Sum:
    """SUM in decimals; NULL when there was nothing to add. A window function too."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.count = 0

    def step(self, value: Value) -> None:
        if value is not None:
            self.total += number_of(value)
            self.count += 1

    def inverse(self, value: Value) -> None:
        if value is not None:
            self.total -= number_of(value)
            self.count -= 1

    def value(self) -> Value:
        return plain(self.total) if self.count else None

    def finalize(self) -> Value:
        return self.value()


class _Average(_Sum):
    def value(self) -> Value:
        return plain(self.total / self.count) if self.count else None


class _ListAgg:
    """LISTAGG(value, separator) WITHIN GROUP (ORDER BY key)."""

    def __init__(self) -> None:
        self.rows: list[tuple[Value, str]] = []
        self.separator = ""
        self.descending = False

    def step(self, value: Value, separator: Value, key: Value, descending: int) -> None:
        self.separator, self.descending = text_of(separator), bool(descending)
        if value is not None:
            self.rows.append((key, text_of(value)))

    def finalize(self) -> str | None:
        def order(row: tuple[Value, str]) -> tuple[int, float, str]:
            key = row[0]
            if key is None:
                return (2, 0.0, "")
            return (0, float(key), "") if isinstance(key, int | float) else (1, 0.0, key)

        self.rows.sort(key=order, reverse=self.descending)
        return _or_null(self.separator.join(text for _, text in self.rows))


def sqlite_name(name: str) -> str:
    return f"ns_{name.strip('_').lower()}" if not name.startswith("_") else f"ns_op_{name[1:].lower()}"


def install(db: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    for name, (fewest, most, function) in SCALARS.items():
        for count in range(fewest, most + 1):
            db.create_function(sqlite_name(name), count, function, deterministic=True)
    db.create_window_function("ns_sum", 1, _Sum)
    db.create_window_function("ns_avg", 1, _Average)
    db.create_aggregate("ns_listagg", 4, _ListAgg)  # pyright: ignore[reportArgumentType]  # typeshed wants one argument
    db.execute("PRAGMA case_sensitive_like = ON")
