"""The record collection filter `q`: `field OPERATOR value`, joined by AND and OR, with parentheses.

Operators by kind of field: Oracle section_1545222128. Dates are written in the account's format (`1/31/2026`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from sandbox.netsuite.errors import NsError, bad_parameter
from sandbox.netsuite.records import Doc, ref_id
from sandbox.netsuite.schema import Field, RecordType

Test = Callable[[Doc], bool]
TOKEN = re.compile(r'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|(\[[^\]]*\])|([^\s()"\[\]]+))')
OPERATORS = {
    "boolean": ("IS", "IS_NOT"),
    "number": (
        "EQUAL",
        "EQUAL_NOT",
        "GREATER",
        "GREATER_NOT",
        "GREATER_OR_EQUAL",
        "GREATER_OR_EQUAL_NOT",
        "LESS",
        "LESS_NOT",
        "LESS_OR_EQUAL",
        "LESS_OR_EQUAL_NOT",
        "BETWEEN",
        "BETWEEN_NOT",
        "ANY_OF",
        "ANY_OF_NOT",
        "WITHIN",
        "WITHIN_NOT",
    ),
    "string": (
        "IS", "IS_NOT", "CONTAIN", "CONTAIN_NOT", "START_WITH", "START_WITH_NOT", "END_WITH", "END_WITH_NOT", "ANY_OF",
    ),
    "date": (
        "AFTER", "AFTER_NOT", "BEFORE", "BEFORE_NOT", "ON", "ON_NOT", "ON_OR_AFTER", "ON_OR_AFTER_NOT",
        "ON_OR_BEFORE", "ON_OR_BEFORE_NOT",
    ),
    "ref": ("ANY_OF", "ANY_OF_NOT", "EQUAL", "EQUAL_NOT", "IS", "IS_NOT"),
}  # fmt: skip
EMPTY = ("EMPTY", "EMPTY_NOT")


class Token(msgspec.Struct, frozen=True):
    text: str
    quoted: bool = False


def invalid(detail: str) -> NsError:
    return bad_parameter(f"Invalid query filter: {detail}", query="q")


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise invalid(f"unreadable at position {at + 1}.")
        if match[3] is not None:
            found.append(Token(re.sub(r"\\(.)", r"\1", match[3]), quoted=True))
        else:
            found.append(Token(next(group for group in match.groups() if group)))
        at = match.end()
    return found


class _Parser:
    def __init__(self, record: RecordType, text: str) -> None:
        self._record = record
        self._tokens = tokens(text)
        self._at = 0

    def parse(self) -> Test:
        if not self._tokens:
            raise invalid("the filter is empty.")
        test = self._either()
        if self._at < len(self._tokens):
            raise invalid(f"unexpected '{self._tokens[self._at].text}'.")
        return test

    def _peek(self) -> str | None:
        if self._at >= len(self._tokens) or self._tokens[self._at].quoted:
            return None
        return self._tokens[self._at].text

    def _next(self, what: str) -> Token:
        if self._at >= len(self._tokens):
            raise invalid(f"{what} expected at the end.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _either(self) -> Test:
        tests = [self._all()]
        while (word := self._peek()) is not None and word.upper() == "OR":
            self._at += 1
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda doc: any(test(doc) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while (word := self._peek()) is not None and word.upper() == "AND":
            self._at += 1
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda doc: all(test(doc) for test in tests)

    def _one(self) -> Test:
        if self._peek() == "(":
            self._at += 1
            test = self._either()
            if self._next("')'").text != ")":
                raise invalid("')' expected.")
            return test
        name = self._next("a field").text
        field = self._record.field(name)
        if field is None or field.kind in ("sublist", "subrecord"):
            raise invalid(f"'{name}' is not a filterable field of {self._record.name}.")
        operator = self._next("an operator").text.upper()
        if operator in EMPTY:
            wanted = operator == "EMPTY"
            return lambda doc: (doc.get(field.name) in (None, "")) == wanted
        return self._comparison(field, operator)

    def _comparison(self, field: Field, operator: str) -> Test:
        kind = family(field)
        if operator not in OPERATORS[kind]:
            raise invalid(f"operator {operator} does not fit the field '{field.name}'.")
        positive, negated = (operator[:-4], True) if operator.endswith("_NOT") else (operator, False)
        values = self._values(positive, field)
        test = _TESTS[kind](field, positive, values)
        return (lambda doc: not test(doc)) if negated else test

    def _values(self, operator: str, field: Field) -> list[str]:
        first = self._next(f"a value for '{field.name}'")
        if operator in ("BETWEEN", "WITHIN", "ANY_OF") and not first.quoted and first.text.startswith("["):
            return [part.strip().strip('"') for part in first.text[1:-1].split(",") if part.strip()]
        if operator in ("BETWEEN", "WITHIN"):
            if (self._peek() or "").upper() == "AND":
                self._at += 1
            return [first.text, self._next("a second value").text]
        if operator == "ANY_OF":
            return [part.strip() for part in first.text.split(",") if part.strip()]
        return [first.text]


def family(field: Field) -> str:
    """Which operators a field takes."""
    if field.name == "id":
        return "number"
    return {
        "integer": "number",
        "datetime": "date",
        "enum": "ref",
    }.get(field.kind, field.kind)


def _boolean(field: Field, _operator: str, values: list[str]) -> Test:
    wanted = values[0].lower() in ("true", "t")
    if values[0].lower() not in ("true", "false", "t", "f"):
        raise invalid(f"'{values[0]}' is not true or false.")
    return lambda doc: bool(doc.get(field.name, False)) == wanted


def _as_number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise invalid(f"'{text}' is not a number.") from error


def _number(field: Field, operator: str, values: list[str]) -> Test:
    wanted = [_as_number(value) for value in values]

    def test(doc: Doc) -> bool:  # noqa: PLR0911  # one per operator
        value = doc.get(field.name)
        if value is None:
            return False
        number = Decimal(value)
        match operator:
            case "EQUAL" | "ANY_OF":
                return number in wanted
            case "GREATER":
                return number > wanted[0]
            case "GREATER_OR_EQUAL":
                return number >= wanted[0]
            case "LESS":
                return number < wanted[0]
            case "LESS_OR_EQUAL":
                return number <= wanted[0]
            case _:
                return wanted[0] <= number <= wanted[-1]

    return test


def _string(field: Field, operator: str, values: list[str]) -> Test:
    wanted = [value.lower() for value in values]

    def test(doc: Doc) -> bool:
        # strings are compared without case, as searches in NetSuite are
        text = str(doc.get(field.name) or "").lower()
        match operator:
            case "CONTAIN":
                return wanted[0] in text
            case "START_WITH":
                return text.startswith(wanted[0])
            case "END_WITH":
                return text.endswith(wanted[0])
            case _:
                return text in wanted

    return test


def account_date(text: str) -> date:
    """A date in the account's format M/D/YYYY, with or without a time that is passed over; ISO is not taken."""
    try:
        return datetime.strptime(text.split(" ", maxsplit=1)[0], "%m/%d/%Y").date()  # noqa: DTZ007  # a calendar date
    except ValueError as error:
        raise invalid(f"'{text}' is not a date of the form M/D/YYYY.") from error


def _date(field: Field, operator: str, values: list[str]) -> Test:
    wanted = account_date(values[0]).isoformat()

    def test(doc: Doc) -> bool:
        value = doc.get(field.name)
        if not value:
            return False
        day = str(value)[:10]
        match operator:
            case "AFTER":
                return day > wanted
            case "BEFORE":
                return day < wanted
            case "ON_OR_AFTER":
                return day >= wanted
            case "ON_OR_BEFORE":
                return day <= wanted
            case _:
                return day == wanted

    return test


def _ref(field: Field, _operator: str, values: list[str]) -> Test:
    wanted = set(values)
    return lambda doc: ref_id(doc.get(field.name)) in wanted


_TESTS: dict[str, Callable[[Field, str, list[str]], Test]] = {
    "boolean": _boolean,
    "number": _number,
    "string": _string,
    "date": _date,
    "ref": _ref,
}


def parse(record: RecordType, text: str) -> Test:
    """The filter as a test on records. Raises NsError (INVALID_PARAMETER on `q`)."""
    return _Parser(record, text).parse()


def exact(record: RecordType, text: str, names: frozenset[str]) -> tuple[str, str] | None:
    """(field, value) if the filter is one `field IS value` on an indexed field: then no scan is needed."""
    found = tokens(text)
    if len(found) != 3 or found[1].text.upper() != "IS":
        return None
    field: Any = record.field(found[0].text)
    return (field.name, found[2].text) if field is not None and field.name in names else None
