"""`metadata-catalog`: which record types there are, and their JSON Schema or OpenAPI 3.0 form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.core.http import Response
from sandbox.netsuite.account import RECORD
from sandbox.netsuite.errors import Detail, NsError, no_type
from sandbox.netsuite.records import ENCODER, Doc
from sandbox.netsuite.schema import Field, RecordType
from sandbox.netsuite.types import TYPES, record_type

JSON_SCHEMA, SWAGGER = "application/schema+json", "application/swagger+json"
SCALARS: dict[str, Doc] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}
LINKS: Doc = {
    "title": "Links",
    "type": "array",
    "readOnly": True,
    "items": {"$ref": "{root}/nsLink"},
}


class Metadata:
    """Answers from the tables of types, so that what is described is what is served."""

    def answer(
        self, method: str, below: Sequence[str], query: dict[str, str], headers: dict[str, str], base: str
    ) -> Response:
        if method != "GET" or len(below) > 1:
            raise NsError(405, Detail(f"HTTP method {method} is not allowed for this resource.", "METHOD_NOT_ALLOWED"))
        accept = headers.get("accept", "application/json")
        if below:
            record = record_type(below[0])
            if record is None:
                raise no_type(below[0])
            chosen = [record]
        else:
            names = [name.strip() for name in query.get("select", "").split(",") if name.strip()]
            chosen = [self._named(name) for name in names] or list(TYPES.values())
        if SWAGGER in accept:
            return _answer(openapi(chosen, base), SWAGGER)
        if JSON_SCHEMA in accept and below:
            return _answer(json_schema(chosen[0], base), JSON_SCHEMA)
        items = [_entry(record, base) for record in chosen]
        if below:
            return _answer(items[0], "application/json")
        return _answer({"links": [_link("self", base, "")], "items": items}, "application/json")

    def _named(self, name: str) -> RecordType:
        record = record_type(name)
        if record is None:
            raise no_type(name)
        return record


def _answer(value: Any, kind: str) -> Response:
    return Response(200, ENCODER.encode(value), [("content-type", kind)])


def _link(rel: str, base: str, below: str, kind: str | None = None) -> Doc:
    link = {"rel": rel, "href": f"{base}{RECORD}/metadata-catalog{below}"}
    return link if kind is None else {**link, "mediaType": kind}


def _entry(record: RecordType, base: str) -> Doc:
    path = f"/{record.name}"
    kinds = ("application/json", SWAGGER, JSON_SCHEMA)
    rels = ("canonical", "alternate", "alternate")
    return {
        "name": record.name,
        "links": [_link(rel, base, path, kind) for rel, kind in zip(rels, kinds, strict=True)],
    }


def _property(field: Field, root: str) -> Doc:
    match field.kind:
        case "ref":
            served = [name for name in field.to if name in TYPES]
            target = served[0] if len(served) == 1 else "nsResource"
            return {"$ref": f"{root}/{target}" if root.startswith("#") else f"{root}/nsResource"}
        case "enum":
            values: Doc = {"type": "string"}
            if field.values:
                values["enum"] = list(field.values)
            return {"type": "object", "properties": {"id": values, "refName": {"type": "string"}}}
        case "sublist":
            lines = {"type": "object", "properties": _properties(field.fields, root)}
            return _collection(lines, root)
        case "subrecord":
            return {"type": "object", "properties": _properties(field.fields, root)}
        case _:
            shape = dict(SCALARS[field.kind])
            shape["title"] = field.label or field.name
            if field.readonly:
                shape["readOnly"] = True
            else:
                shape["nullable"] = True
            shape["x-ns-filterable"] = True
            return shape


def _collection(items: Doc, root: str) -> Doc:
    integer = {"type": "integer", "format": "int64", "readOnly": True}
    return {
        "type": "object",
        "properties": {
            "links": _links(root),
            "totalResults": integer,
            "count": integer,
            "hasMore": {"type": "boolean", "readOnly": True},
            "offset": integer,
            "items": {"type": "array", "items": items},
        },
    }


def _links(root: str) -> Doc:
    return {**LINKS, "items": {"$ref": f"{root}/nsLink"}}


def _properties(fields: Sequence[Field], root: str) -> Doc:
    return {"links": _links(root), **{field.name: _property(field, root) for field in fields}}


def json_schema(record: RecordType, base: str) -> Doc:
    """JSON Schema of a record; references lead to other entries of the catalogue."""
    root = f"{base}{RECORD}/metadata-catalog"
    return {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "type": "object",
        "properties": _properties(record.fields, root),
        "x-ns-filterable": [field.name for field in record.fields if field.kind not in ("sublist", "subrecord")],
    }


def openapi(records: Sequence[RecordType], base: str) -> Doc:
    """OpenAPI 3.0 of the chosen types, with the types that they refer to."""
    root = "#/components/schemas"
    paths: Doc = {}
    schemas: Doc = {"nsLink": NS_LINK, "nsResource": NS_RESOURCE, "nsError": NS_ERROR}
    waiting = list(records)
    while waiting:
        record = waiting.pop()
        if record.name in schemas:
            continue
        schemas[record.name] = {"type": "object", "properties": _properties(record.fields, root)}
        waiting += [TYPES[name] for name in sorted(_targets(record.fields)) if name not in schemas]
    for record in records:
        schemas[f"{record.name}Collection"] = _collection({"$ref": f"{root}/{record.name}"}, root)
        paths |= _paths(record, root)
    return {
        "openapi": "3.0.1",
        "info": {"title": "NetSuite REST Record API", "version": "v1"},
        "servers": [{"url": f"{base}{RECORD}"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _targets(fields: Sequence[Field]) -> set[str]:
    """Types that a single-target reference leads to, lines and subrecords included."""
    found: set[str] = set()
    for field in fields:
        served = [name for name in field.to if name in TYPES]
        if len(served) == 1:
            found.add(served[0])
        found |= _targets(field.fields)
    return found


def _paths(record: RecordType, root: str) -> Doc:
    error = {
        "description": "Error",
        "content": {"application/vnd.oracle.resource+json; type=error": _schema(root, "nsError")},
    }
    body = {"content": {"application/vnd.oracle.resource+json; type=singular": _schema(root, record.name)}}
    written = {"204": {"description": "No Content"}, "default": error}

    def read(name: str, kind: str) -> Doc:
        content = {f"application/vnd.oracle.resource+json; type={kind}": _schema(root, name)}
        return {"200": {"description": "OK", "content": content}, "default": error}

    key = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    query = [
        {"name": name, "in": "query", "schema": {"type": kind}}
        for name, kind in (("q", "string"), ("limit", "integer"), ("offset", "integer"))
    ]
    expand = {"name": "expandSubResources", "in": "query", "schema": {"type": "boolean"}}
    tags = [record.name]
    return {
        f"/{record.name}": {
            "get": {"tags": tags, "parameters": query, "responses": read(f"{record.name}Collection", "collection")},
            "post": {"tags": tags, "requestBody": body, "responses": written},
        },
        f"/{record.name}/{{id}}": {
            "get": {"tags": tags, "parameters": [key, expand], "responses": read(record.name, "singular")},
            "patch": {"tags": tags, "parameters": [key], "requestBody": body, "responses": written},
            "put": {"tags": tags, "parameters": [key], "requestBody": body, "responses": written},
            "delete": {"tags": tags, "parameters": [key], "responses": written},
        },
    }


def _schema(root: str, name: str) -> Doc:
    return {"schema": {"$ref": f"{root}/{name}"}}


NS_LINK: Doc = {
    "type": "object",
    "properties": {
        "rel": {"type": "string", "readOnly": True},
        "href": {"type": "string", "readOnly": True},
    },
}
NS_RESOURCE: Doc = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "externalId": {"type": "string"},
        "refName": {"type": "string"},
        "links": {"type": "array", "readOnly": True, "items": {"$ref": "#/components/schemas/nsLink"}},
    },
}
NS_ERROR: Doc = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "o:errorDetails": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    name: {"type": "string"}
                    for name in (
                        "detail",
                        "o:errorCode",
                        "o:errorPath",
                        "o:errorQueryParam",
                        "o:errorHeader",
                        "o:errorUrl",
                    )
                },
            },
        },
    },
}
