"""A search tree as SQL over the search columns of one kind of object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

from sandbox.shopify.search import LITERAL, Group, Negation, Node, Term, parse
from sandbox.shopify.state import SEPARATOR, epoch
from sandbox.shopify.tokens import words

FieldKind = Literal["time", "number", "keyword", "words", "list", "not_list", "flag", "values"]
NEVER = "0"
ALWAYS = "1"


class Field(msgspec.Struct, frozen=True):
    """How a search field meets a column. values: what a word means as SQL, for fields with words of their own."""

    kind: FieldKind
    column: str
    values: Mapping[str, str] = {}


class Warning_(msgspec.Struct, frozen=True, rename={"field_": "field"}):  # noqa: N801  # Warning is Python's own
    field_: str
    message: str


class Compiled(msgspec.Struct, frozen=True):
    """where: SQL with `?` for params. warnings: what of the query could not be used, in the vendor's words."""

    where: str
    params: list[object]
    warnings: list[Warning_]


def _values(column: str, *words_: str, **synonyms: str) -> Field:
    meanings = {word: f"{column} = '{word}'" for word in words_} | synonyms
    return Field("values", column, meanings)


TIMES = {"created_at": Field("time", "created_at"), "updated_at": Field("time", "updated_at")}
ORDER_FIELDS: dict[str, Field] = TIMES | {
    "id": Field("number", "id"),
    "processed_at": Field("time", "processed_at"),
    "name": Field("words", "name"),
    "email": Field("words", "email"),
    "tag": Field("list", "tags"),
    "tag_not": Field("not_list", "tags"),
    "customer_id": Field("number", "customer_id"),
    "po_number": Field("words", "po_number"),
    "source_name": Field("keyword", "source_name"),
    "source_identifier": Field("words", "source_identifier"),
    "confirmation_number": Field("keyword", "confirmation_number"),
    "sku": Field("list", "skus"),
    "gateway": Field("list", "gateways"),
    "discount_code": Field("list", "discount_codes"),
    "test": Field("flag", "test"),
    "total_price": Field("number", "total"),
    "current_total_price": Field("number", "total"),
    "subtotal_line_items_quantity": Field("number", "quantity"),
    "risk_level": Field("keyword", "risk"),
    "status": Field(
        "values",
        "status",
        {
            "open": "status = 'open'",
            "closed": "status = 'closed'",
            "cancelled": "status = 'cancelled'",
            "not_closed": "status <> 'closed'",
            "any": ALWAYS,
        },
    ),
    "financial_status": _values(
        "financial_status", "paid", "pending", "authorized", "partially_paid", "partially_refunded", "refunded",
        "voided", "expired", unpaid="financial_status IN ('authorized', 'pending', 'partially_paid')", any=ALWAYS,
    ),
    "fulfillment_status": _values(
        "fulfillment_status", "fulfilled", "unfulfilled", "scheduled", "on_hold", "request_declined", "in_progress",
        "restocked",
        partial="fulfillment_status = 'partially_fulfilled'",
        partially_fulfilled="fulfillment_status = 'partially_fulfilled'",
        shipped="fulfillment_status = 'fulfilled'",
        unshipped="fulfillment_status = 'unfulfilled'",
        any=ALWAYS,
    ),
}  # fmt: skip
CUSTOMER_FIELDS: dict[str, Field] = {
    "id": Field("number", "id"),
    "customer_date": Field("time", "created_at"),
    "created_at": Field("time", "created_at"),
    "updated_at": Field("time", "updated_at"),
    "email": Field("words", "email"),
    "phone": Field("words", "phone"),
    "first_name": Field("words", "first_name"),
    "last_name": Field("words", "last_name"),
    "tag": Field("list", "tags"),
    "tag_not": Field("not_list", "tags"),
    "state": Field("keyword", "state"),
    "orders_count": Field("number", "orders_count"),
    "total_spent": Field("number", "total_spent"),
    "country": Field("list", "country"),
}
PRODUCT_FIELDS: dict[str, Field] = TIMES | {
    "id": Field("number", "id"),
    "title": Field("words", "title"),
    "vendor": Field("words", "vendor"),
    "handle": Field("keyword", "handle"),
    "product_type": Field("words", "product_type"),
    "status": Field("keyword", "status"),
    "tag": Field("list", "tags"),
    "tag_not": Field("not_list", "tags"),
    "sku": Field("list", "skus"),
    "gift_card": Field("flag", "gift_card"),
}
VARIANT_FIELDS: dict[str, Field] = TIMES | {
    "id": Field("number", "id"),
    "sku": Field("keyword", "sku"),
    "barcode": Field("keyword", "barcode"),
    "product_id": Field("number", "product_id"),
    "vendor": Field("words", "vendor"),
    "title": Field("words", "title"),
}
FIELDS: dict[str, dict[str, Field]] = {
    "order": ORDER_FIELDS,
    "customer": CUSTOMER_FIELDS,
    "product": PRODUCT_FIELDS,
    "variant": VARIANT_FIELDS,
}
OWNER_TYPES = {"order": "Order", "customer": "Customer", "product": "Product", "variant": "ProductVariant"}
METAFIELD = re.compile(r"metafields\.([^.]+)\.(.+)")


def compile_query(kind: str, text: str, *, now: datetime, shop: str) -> Compiled:
    """SQL for a query over `{kind}_search`; an empty query meets everything."""
    tree = parse(text)
    compiler = _Compiler(kind, now, shop)
    where = ALWAYS if tree is None else compiler.node(tree)
    return Compiled(where, compiler.params, compiler.warnings)


class _Compiler:
    def __init__(self, kind: str, now: datetime, shop: str) -> None:
        self.kind = kind
        self.fields = FIELDS[kind]
        self.now = now
        self.shop = shop
        self.params: list[object] = []
        self.warnings: list[Warning_] = []

    def node(self, node: Node) -> str:
        match node:
            case Group(kind, parts):
                return "(" + f" {kind.upper()} ".join(self.node(part) for part in parts) + ")"
            case Negation(part):
                before = len(self.warnings)
                inner = self.node(part)
                # what is ignored stays ignored when it is negated
                return ALWAYS if len(self.warnings) > before and inner == ALWAYS else f"NOT COALESCE({inner}, 0)"
            case Term():
                return self.term(node)

    def term(self, term: Term) -> str:
        if term.field is None:
            return self._words("default_text", term.value, term.quoted)
        metafield = METAFIELD.fullmatch(term.field)
        if metafield is not None:
            return self._metafield(metafield[1], metafield[2], term)
        field = self.fields.get(term.field)
        if field is None:
            self.warnings.append(Warning_(term.field, "Invalid search field for this query."))
            return ALWAYS
        if term.value == "*" and not term.quoted:
            return f"({field.column} IS NOT NULL AND {field.column} <> '')"
        return KINDS[field.kind](self, field, term)

    def _each(self, term: Term, one: Callable[[str], str]) -> str:
        """A comma list means any of them."""
        values = [term.value] if term.quoted else _split(term.value)
        parts = [one(value) for value in values]
        return parts[0] if len(parts) == 1 else "(" + " OR ".join(parts) + ")"

    def _words(self, column: str, value: str, quoted: bool) -> str:
        prefix = not quoted and _is_prefix(value)
        found = words(value.replace(LITERAL, ""))
        if not found:
            return ALWAYS if prefix else NEVER
        self.params.append(f" {' '.join(found)}" + ("" if prefix else " "))
        return f"instr({column}, ?) > 0"

    def words(self, field: Field, term: Term) -> str:
        return self._each(term, lambda value: self._words(field.column, value, term.quoted))

    def keyword(self, field: Field, term: Term) -> str:
        def one(value: str) -> str:
            if not term.quoted and _is_prefix(value):
                text = _plain(value[:-1])
                self.params.extend([len(text), text])
                return f"substr({field.column}, 1, ?) = ?"
            self.params.append(_plain(value))
            return f"{field.column} = ?"

        return self._each(term, one)

    def list(self, field: Field, term: Term) -> str:
        def one(value: str) -> str:
            prefix = not term.quoted and _is_prefix(value)
            text = _plain(value[:-1] if prefix else value)
            self.params.append(SEPARATOR + text + ("" if prefix else SEPARATOR))
            return f"instr({field.column}, ?) > 0"

        # quoted lists of tags are met too: tag:'Wholesale,Repeat'
        if term.quoted and "," in term.value:
            parts = [one(value.strip()) for value in term.value.split(",")]
            return "(" + " OR ".join(parts) + ")"
        return self._each(term, one)

    def not_list(self, field: Field, term: Term) -> str:
        return f"NOT {self.list(field, term)}"

    def flag(self, field: Field, term: Term) -> str:
        wanted = term.value.lower() in ("true", "1", "yes")
        return f"{field.column} = {int(wanted)}"

    def values(self, field: Field, term: Term) -> str:
        def one(value: str) -> str:
            meaning = field.values.get(_plain(value))
            if meaning is None:
                self.warnings.append(Warning_(term.field or "", f"Input `{_plain(value)}` is not an accepted value."))
                return NEVER
            return meaning

        return self._each(term, one)

    def number(self, field: Field, term: Term) -> str:
        def bound(operator: str, text: str) -> str:
            try:
                value = Decimal(text.replace(LITERAL, "").rsplit("/", 1)[-1])
            except InvalidOperation:
                self.warnings.append(Warning_(term.field or "", f"Input `{text}` is not a valid number."))
                return NEVER
            if not value.is_finite():
                return NEVER
            whole = value == value.to_integral_value() and abs(value) < 2**62
            self.params.append(int(value) if whole else float(value))
            return f"{field.column} {operator} ?"

        return self._ranged(term, bound)

    def time(self, field: Field, term: Term) -> str:
        def bound(operator: str, text: str) -> str:
            span = _span(text.replace(LITERAL, ""), self.now)
            if span is None:
                self.warnings.append(Warning_(term.field or "", f"Input `{text}` is not a valid date."))
                return NEVER
            first, beyond = span
            if operator == "=":
                self.params.extend([first, beyond])
                return f"({field.column} >= ? AND {field.column} < ?)"
            # a date is a span: `<=2024` reaches to its end, `>2024` begins after it
            if operator in ("<=", ">"):
                self.params.append(beyond)
                return f"{field.column} {'<' if operator == '<=' else '>='} ?"
            self.params.append(first)
            return f"{field.column} {operator} ?"

        return self._ranged(term, bound)

    def _ranged(self, term: Term, bound: Callable[[str, str], str]) -> str:
        if term.operator != "=":
            return bound(term.operator, term.value)

        def one(value: str) -> str:
            low, dots, high = value.partition("..")
            if not dots:
                return bound("=", value)
            parts = [bound(op, text) for op, text in ((">=", low), ("<=", high)) if text and text != "*"]
            return "(" + " AND ".join(parts) + ")" if parts else ALWAYS

        return self._each(term, one)

    def _metafield(self, namespace: str, key: str, term: Term) -> str:
        self.params.append(f"{self.shop}:{OWNER_TYPES[self.kind]}:{namespace}:{key}:{term.value.replace(LITERAL, '')}")
        return (
            "id IN (SELECT CAST(json_extract(doc.body, '$.owner_id') AS INTEGER) FROM idx JOIN doc"
            " ON doc.type = idx.type AND doc.id = idx.id"
            " WHERE idx.type = 'metafield' AND idx.name = 'value' AND idx.value = ?)"
        )


KINDS: dict[FieldKind, Callable[[_Compiler, Field, Term], str]] = {
    "time": _Compiler.time,
    "number": _Compiler.number,
    "keyword": _Compiler.keyword,
    "words": _Compiler.words,
    "list": _Compiler.list,
    "not_list": _Compiler.not_list,
    "flag": _Compiler.flag,
    "values": _Compiler.values,
}


def _plain(value: str) -> str:
    return value.replace(LITERAL, "").lower()


def _is_prefix(value: str) -> bool:
    return len(value) > 1 and value.endswith("*") and not value.endswith(LITERAL + "*")


def _split(value: str) -> list[str]:
    parts = re.split(rf"(?<!{LITERAL}),", value)
    return [part for part in parts if part] or [value]


def _span(text: str, now: datetime) -> tuple[int, int] | None:
    """The seconds [first, beyond) that a date means: `now`, a year, a month, a day, an instant, `-2d` from now."""
    text = text.strip()
    if text.lower() == "now":
        return epoch(now), epoch(now) + 1
    ago = re.fullmatch(r"-(\d{1,6})([dhm])", text)
    if ago is not None:
        unit = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}[ago[2]]
        first = epoch(now - int(ago[1]) * unit)
        return first, first + 1
    try:
        if re.fullmatch(r"\d{4}", text):
            return _epoch_of(int(text), 1), _epoch_of(int(text) + 1, 1)
        if month := re.fullmatch(r"(\d{4})-(\d{2})", text):
            year, number = int(month[1]), int(month[2])
            return _epoch_of(year, number), _epoch_of(year + number // 12, number % 12 + 1)
        when = datetime.fromisoformat(text)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        length = 86_400 if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else 1
        return epoch(when), epoch(when) + length
    except (ValueError, OverflowError):
        return None


def _epoch_of(year: int, month: int) -> int:
    return epoch(datetime(year, month, 1, tzinfo=UTC))
