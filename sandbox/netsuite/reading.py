"""Records as the record API shows them: links, references with refName, enumerations, sublists as links or lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from sandbox.netsuite.account import RECORD
from sandbox.netsuite.records import Doc, Records, lines_of, ref_id
from sandbox.netsuite.schema import Field, RecordType
from sandbox.netsuite.types import TYPES
from sandbox.netsuite.writing import line_key

SINGULAR = "application/vnd.oracle.resource+json; type=singular"
COLLECTION = "application/vnd.oracle.resource+json; type=collection"


@lru_cache(maxsize=512)
def country_name(code: str) -> str:
    import pycountry  # noqa: PLC0415  # its database takes a while to load

    country = pycountry.countries.get(alpha_2=code)
    return code if country is None else str(country.name)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportAttributeAccessIssue]


class Reader:
    """Shows records with links that begin with `base` (scheme, host and port of the caller)."""

    def __init__(self, records: Records, base: str) -> None:
        self._records = records
        self._base = base

    def href(self, kind: str, key: str, *below: str) -> str:
        return "/".join((f"{self._base}{RECORD}/{kind}/{key}", *below))

    def self_link(self, kind: str, key: str, *below: str) -> list[dict[str, str]]:
        return [{"rel": "self", "href": self.href(kind, key, *below)}]

    def show(
        self,
        record: RecordType,
        doc: Doc,
        *,
        expand: bool = False,
        simple_enums: bool = False,
        only: Collection[str] | None = None,
    ) -> Doc:
        """One record. only: lower-case names of the fields asked for; links and id are always there."""
        key: str = doc["id"]
        shown: Doc = {"links": self.self_link(record.name, key)}
        view = _View(self, expand=expand, simple_enums=simple_enums)
        for field in record.fields:
            if only is not None and field.name.lower() not in only and field.name != "id":
                continue
            value = self._records.title(record.name, doc) if field.name == "refName" else doc.get(field.name)
            if field.kind == "sublist":
                shown[field.name] = view.sublist(field, lines_of(doc, field.name), record.name, key)
            elif value is not None:
                shown[field.name] = view.value(field, value, record.name, key)
        return shown

    def sublist_page(self, record: RecordType, doc: Doc, field: Field) -> Doc:
        """`/{type}/{id}/{sublist}`: the lines as links."""
        lines: list[Doc] = lines_of(doc, field.name)
        items = [{"links": self._line_link(record.name, doc["id"], field, line)} for line in lines]
        return {
            "links": self.self_link(record.name, doc["id"], field.name),
            "count": len(items),
            "hasMore": False,
            "items": items,
            "offset": 0,
            "totalResults": len(items),
        }

    def line(self, record: RecordType, doc: Doc, field: Field, line: Doc) -> Doc:
        view = _View(self, expand=False, simple_enums=False)
        return view.line(field, line, record.name, doc["id"])

    def _line_link(self, kind: str, key: str, field: Field, line: Doc) -> list[dict[str, str]]:
        return self.self_link(kind, key, field.name, line_key(field, line) or "")

    def reference(self, field: Field, value: Any) -> Doc:
        """A stored reference with its link and the name of what it points to."""
        key = ref_id(value) or ""
        served = tuple(kind for kind in field.to if kind in TYPES)
        found = self._records.resolve(served, key) if served else None
        if found is None:
            return {"links": [], "id": key}
        kind, doc = found
        return {"links": self.self_link(kind, key), "id": key, "refName": self._records.title(kind, doc)}

    def page(
        self, path: str, keys: Sequence[tuple[str, str]], *, limit: int, offset: int, total: int, query: str = ""
    ) -> Doc:
        """A page of a collection: (type, id) of its items, ids and links only."""
        items = [{"links": self.self_link(kind, key), "id": key} for kind, key in keys]
        links = page_links(f"{self._base}{path}", limit=limit, offset=offset, total=total, query=query)
        more = offset + len(items) < total
        return {
            "links": links,
            "count": len(items),
            "hasMore": more,
            "items": items,
            "offset": offset,
            "totalResults": total,
        }


def page_links(url: str, *, limit: int, offset: int, total: int, query: str = "") -> list[dict[str, str]]:
    """next, previous, first, last and self of a page, where they apply (Oracle section_156414087576)."""

    def link(rel: str, at: int) -> dict[str, str]:
        return {"rel": rel, "href": f"{url}?{query}limit={limit}&offset={at}"}

    links: list[dict[str, str]] = []
    if offset + limit < total:
        links.append(link("next", offset + limit))
        links.append(link("last", (total - 1) // limit * limit))
    if offset > 0:
        links.append(link("previous", max(offset - limit, 0)))
        links.append(link("first", 0))
    links.append(link("self", offset))
    return links


class _View:
    def __init__(self, reader: Reader, *, expand: bool, simple_enums: bool) -> None:
        self._reader = reader
        self._expand = expand
        self._simple = simple_enums

    def value(self, field: Field, value: Any, kind: str, key: str, *below: str) -> Any:
        match field.kind:
            case "ref":
                return self._reader.reference(field, value)
            case "enum":
                chosen = ref_id(value) or ""
                if self._simple:
                    return chosen
                name = country_name(chosen) if field.name.lower().endswith("country") else field.values.get(chosen)
                return {"id": chosen, "refName": name or chosen}
            case "subrecord":
                links = self._reader.self_link(kind, key, *below, field.name)
                if not self._expand:
                    return {"links": links}
                return {"links": links, **self._members(field, value, kind, key, *below, field.name)}
            case _:
                return value

    def _members(self, field: Field, doc: Doc, kind: str, key: str, *below: str) -> Doc:
        return {
            inner.name: self.value(inner, doc[inner.name], kind, key, *below)
            for inner in field.fields
            if doc.get(inner.name) is not None
        }

    def sublist(self, field: Field, lines: list[Doc], kind: str, key: str) -> Doc:
        links = self._reader.self_link(kind, key, field.name)
        if not self._expand:
            return {"links": links}
        items = [self.line(field, line, kind, key) for line in lines]
        return {"links": links, "items": items, "totalResults": len(items)}

    def line(self, field: Field, line: Doc, kind: str, key: str) -> Doc:
        name = line_key(field, line) or ""
        links = self._reader.self_link(kind, key, field.name, name)
        return {"links": links, **self._members(field, line, kind, key, field.name, name)}
