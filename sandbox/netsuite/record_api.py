"""`/services/rest/record/v1`: the verbs on collections and records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from sandbox.core.http import Request, Response
from sandbox.netsuite.account import RECORD
from sandbox.netsuite.errors import Detail, NsError, bad_content, bad_parameter, no_instance
from sandbox.netsuite.metadata import Metadata
from sandbox.netsuite.qfilter import exact, parse
from sandbox.netsuite.reading import COLLECTION, SINGULAR, Reader
from sandbox.netsuite.records import DECODER, ENCODER, Doc, is_object, lines_of
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.service import Service
from sandbox.netsuite.types import TYPES
from sandbox.netsuite.writing import How, Validation, line_key

MAX_PAGE = 1000
INDEXED = frozenset({"externalId", "itemId"})
VALIDATIONS: dict[str, Validation] = {"error": "error", "strict": "error", "warning": "warning", "ignore": "ignore"}


class Call(msgspec.Struct, frozen=True):
    """A request in parts. segments: of the path below `record/v1`, decoded."""

    method: str
    segments: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    base_url: str


def call_of(request: Request, prefix: str) -> Call:
    raw = request.raw_path.decode("latin-1").partition("?")[0]
    below = raw[len(prefix) :].strip("/")
    segments = tuple(unquote(part) for part in below.split("/")) if below else ()
    query = dict(parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True))
    return Call(request.method, segments, query, dict(request.headers), request.body, request.base_url)


def method_not_allowed(method: str) -> NsError:
    return NsError(405, Detail(f"HTTP method {method} is not allowed for this resource.", "METHOD_NOT_ALLOWED"))


def invalid_url() -> NsError:
    return NsError(404, Detail("The requested resource does not exist.", "NOT_FOUND"))


def page_of(query: dict[str, str]) -> tuple[int, int]:
    """(limit, offset) of a collection. Raises NsError."""
    numbers: list[int] = []
    for name, default, lowest, highest in (("limit", MAX_PAGE, 1, MAX_PAGE), ("offset", 0, 0, 10**9)):
        text = query.get(name)
        if text is None:
            numbers.append(default)
        elif text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
            numbers.append(int(text))
        else:
            raise bad_parameter(f"Invalid value for the query parameter {name}. Provide a valid value.", query=name)
    limit, offset = numbers
    if offset % limit:
        raise bad_parameter("The offset must be divisible by the limit.", query="offset")
    return limit, offset


def flag(query: dict[str, str], name: str) -> bool:
    return query.get(name, "false").lower() == "true"


def how_of(call: Call) -> How:
    def validation(header: str, default: Validation) -> Validation:
        given = call.headers.get(header)
        if given is None:
            return default
        chosen = VALIDATIONS.get(given.lower())
        if chosen is None:
            raise bad_parameter(f"Invalid value for the header {header}.", header=header)
        return chosen

    replace = frozenset(name.strip().lower() for name in call.query.get("replace", "").split(",") if name.strip())
    return How(
        replace,
        validation("x-netsuite-propertynamevalidation", "warning"),
        validation("x-netsuite-propertyvaluevalidation", "error"),
    )


def body_of(call: Call) -> Any:
    if not call.body.strip():
        return {}
    try:
        body = DECODER.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_content() from error
    if not is_object(body):
        raise bad_content()
    return body


class RecordApi:
    """Answers calls on records."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._records = service.records
        self._metadata = Metadata()

    def answer(self, call: Call) -> Response:
        """Raises NsError for everything that NetSuite would refuse."""
        segments = call.segments
        if not segments:
            raise invalid_url()
        if segments[0] == "metadata-catalog":
            return self._metadata.answer(call.method, segments[1:], call.query, call.headers, call.base_url)
        record = self._service.type_named(segments[0])
        reader = Reader(self._records, call.base_url)
        if len(segments) == 1:
            return self._collection(record, call, reader)
        if len(segments) == 2:
            return self._record(record, segments[1], call, reader)
        if segments[2].startswith("!"):
            return self._action(record, call, reader)
        if call.method != "GET":
            raise method_not_allowed(call.method)
        return self._sublist(record, call, reader)

    # Collections ------------------------------------------------------------------------------------------------------

    def _collection(self, record: RecordType, call: Call, reader: Reader) -> Response:
        match call.method:
            case "GET":
                return self._list(record, call, reader)
            case "POST":
                key = self._service.create(record, body_of(call), how_of(call))
                return _written(reader.href(record.name, key))
            case "PATCH" | "PUT" | "DELETE":
                raise bad_parameter("Batch operations need the header Prefer: respond-async.", header="Prefer")
            case _:
                raise method_not_allowed(call.method)

    def _list(self, record: RecordType, call: Call, reader: Reader) -> Response:
        limit, offset = page_of(call.query)
        path = f"{RECORD}/{record.name}"
        if "ids" in call.query:
            return self._batch_read(record, call, reader)
        text = call.query.get("q")
        if text is None:
            counted = self._records.store.db.execute("SELECT count(*) FROM doc WHERE type=?", (record.name,))
            total: int = counted.fetchone()[0]
            sql = "SELECT id FROM doc WHERE type=? ORDER BY seq LIMIT ? OFFSET ?"
            rows = self._records.store.db.execute(sql, (record.name, limit, offset)).fetchall()
            keys = [row[0] for row in rows]
            query = ""
        else:
            found = self._search(record, text)
            total, keys = len(found), found[offset : offset + limit]
            query = f"q={quote(text)}&"
        page = reader.page(
            path, [(record.name, key) for key in keys], limit=limit, offset=offset, total=total, query=query
        )
        return _json(page, COLLECTION)

    def _search(self, record: RecordType, text: str) -> list[str]:
        test = parse(record, text)
        direct = exact(record, text, INDEXED)
        if direct is not None:
            candidates = self._records.find(record.name, direct[0], direct[1].lower())
        else:
            candidates = self._records.all(record.name)
        return [doc["id"] for doc in candidates if test(doc)]

    def _batch_read(self, record: RecordType, call: Call, reader: Reader) -> Response:
        """`ids=1,2,eid:x`, with `expandRecords=true` the records themselves (2026.1)."""
        wanted = [key.strip() for key in call.query["ids"].split(",") if key.strip()]
        docs = [self._service.load(record, key) for key in wanted[:MAX_PAGE]]
        page = reader.page(
            f"{RECORD}/{record.name}", [(record.name, d["id"]) for d in docs], limit=MAX_PAGE, offset=0, total=len(docs)
        )
        if flag(call.query, "expandRecords"):
            page["items"] = [self._show(record, doc, call, reader) for doc in docs]
        return _json(page, COLLECTION)

    # Records ----------------------------------------------------------------------------------------------------------

    def _record(self, record: RecordType, key: str, call: Call, reader: Reader) -> Response:
        external = key[4:] if key.lower().startswith("eid:") else None
        if external == "":
            raise bad_parameter("The external ID is empty.")
        match call.method:
            case "GET":
                return _json(self._show(record, self._service.load(record, key), call, reader), SINGULAR)
            case "PUT":
                if external is None:
                    raise bad_parameter("PUT is only supported with an external ID (eid:).")
                return self._upsert(record, external, call, reader)
            case "PATCH":
                before = self._service.load(record, key)
                clear = how_of(call).replace if flag(call.query, "replaceSelectedFields") else frozenset[str]()
                body = body_of(call)
                changed = self._service.update(record, before, body, how_of(call), clear=clear)
                return _written(reader.href(record.name, changed))
            case "DELETE":
                self._service.delete(record, self._service.load(record, key))
                return Response(204)
            case _:
                raise method_not_allowed(call.method)

    def _upsert(self, record: RecordType, external: str, call: Call, reader: Reader) -> Response:
        before = self._records.by_external_id(record.name, external)
        body, how = body_of(call), how_of(call)
        if before is None:
            key = self._service.create(record, body, how, external_id=external)
        else:
            key = self._service.update(record, before, body, how, external_id=before["externalId"])
        return _written(reader.href(record.name, key))

    def _show(self, record: RecordType, doc: Doc, call: Call, reader: Reader) -> Doc:
        fields = call.query.get("fields")
        only = None if not fields else {name.strip().lower() for name in fields.split(",")}
        if only is not None:
            for name in sorted(only):
                if record.field(name) is None:
                    raise bad_parameter(f"Invalid field '{name}' in the query parameter fields.", query="fields")
        return reader.show(
            record,
            doc,
            expand=flag(call.query, "expandSubResources"),
            simple_enums=flag(call.query, "simpleEnumFormat"),
            only=only,
        )

    def _sublist(self, record: RecordType, call: Call, reader: Reader) -> Response:
        doc = self._service.load(record, call.segments[1])
        field = record.field(call.segments[2])
        if field is None or field.kind not in ("sublist", "subrecord"):
            raise invalid_url()
        if field.kind == "subrecord":
            shown = reader.show(record, doc, expand=True, only={field.name.lower()})
            if field.name not in shown:
                raise no_instance()
            return _json(shown[field.name], SINGULAR)
        if len(call.segments) == 3:
            if flag(call.query, "expandSubResources"):
                shown = reader.show(record, doc, expand=True, only={field.name.lower()})
                return _json(shown[field.name], COLLECTION)
            return _json(reader.sublist_page(record, doc, field), COLLECTION)
        for line in lines_of(doc, field.name):
            if line_key(field, line) == call.segments[3] and len(call.segments) == 4:
                return _json(reader.line(record, doc, field, line), SINGULAR)
        raise no_instance()

    # Actions ----------------------------------------------------------------------------------------------------------

    def _action(self, record: RecordType, call: Call, reader: Reader) -> Response:
        if call.method != "POST":
            raise method_not_allowed(call.method)
        actions: dict[str, Callable[[RecordType, Doc, Call, Reader], Response]] = {
            "!transform": self._transform,
            "!attach": self._attach,
            "!detach": self._attach,
        }
        action = actions.get(call.segments[2])
        if action is None:
            raise invalid_url()
        return action(record, self._service.load(record, call.segments[1]), call, reader)

    def _transform(self, record: RecordType, doc: Doc, call: Call, reader: Reader) -> Response:
        if len(call.segments) != 4:
            raise invalid_url()
        target = self._service.type_named(call.segments[3])
        key = self._service.transform(record.name, doc, target.name, body_of(call), how_of(call))
        return _written(reader.href(target.name, key))

    def _attach(self, record: RecordType, doc: Doc, call: Call, _reader: Reader) -> Response:
        if len(call.segments) != 5 or call.segments[3] != "contact":
            raise invalid_url()
        contact = self._service.load(TYPES["contact"], call.segments[4])
        self._service.attach(record.name, doc, contact, detach=call.segments[2] == "!detach")
        return Response(204)


def _json(value: Any, kind: str) -> Response:
    return Response(200, ENCODER.encode(value), [("content-type", kind)])


def _written(href: str) -> Response:
    return Response(204, b"", [("location", href)])
