"""OpenAPI 3.1 documents as the gateway reads them: decoded, references followed, schemas kept as they are."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec
from msgspec import Struct

from gateway.core.route import ConfigurationError

Json = dict[str, object]
METHODS = ("get", "put", "post", "delete", "patch")


class Parameter(Struct, frozen=True):
    """place: `path`, `query` or `header`."""

    name: str
    place: str
    required: bool
    description: str
    schema: Json
    example: object = None


class Media(Struct, frozen=True):
    """One representation of a body. examples: name -> value."""

    media_type: str
    schema: Json
    examples: dict[str, object]


class Answer(Struct, frozen=True):
    """One row of an operation's answers. status: `200`, `4XX`, `default`."""

    status: str
    description: str
    media: tuple[Media, ...]


class Operation(Struct, frozen=True):
    """One operation of a document; scopes: of the `oauth2` security requirement."""

    operation_id: str
    method: str
    path: str
    summary: str
    description: str
    tag: str
    service: str
    scopes: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: tuple[Media, ...]
    body_required: bool
    answers: tuple[Answer, ...]


class Document(Struct, frozen=True):
    """An OpenAPI document. raw: its exact bytes; base_path: of its first server, without a trailing slash."""

    path: Path
    raw: bytes
    title: str
    version: str
    description: str
    base_path: str
    operations: tuple[Operation, ...]
    schemas: dict[str, Json]
    tags: dict[str, str]


class _Reader:
    """Walks one document; every complaint names the file and the place in it."""

    def __init__(self, path: Path, root: Json) -> None:
        self.path = path
        self.root = root

    def wrong(self, place: str, reason: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path.name}: {place}: {reason}")

    def table(self, value: object, place: str) -> Json:
        """A JSON object, its `$ref` followed."""
        seen = 0
        while isinstance(value, dict) and "$ref" in value:
            reference = cast("Json", value)["$ref"]
            seen += 1
            if seen > 10 or not isinstance(reference, str):
                raise self.wrong(place, "a reference leads in a circle")
            value = self.follow(reference, place)
        if not isinstance(value, dict):
            raise self.wrong(place, "an object is needed")
        return cast("Json", value)

    def follow(self, reference: str, place: str) -> object:
        """The value at a `#/...` pointer; other documents are not read (security catalogue M09)."""
        if not reference.startswith("#/"):
            raise self.wrong(place, f"the reference {reference} leaves the document")
        value: object = self.root
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            value = self.child(value, name)
            if value is None:
                raise self.wrong(place, f"the reference {reference} leads nowhere")
        return value

    @staticmethod
    def child(value: object, name: str) -> object:
        return cast("Json", value).get(name) if isinstance(value, dict) else None

    def text(self, table: Json, key: str, place: str, default: str | None = None) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(f"{place}.{key}", "a text is needed")
        return value

    def media(self, content: object, place: str) -> tuple[Media, ...]:
        found: list[Media] = []
        for kind, raw in self.table(content or {}, place).items():
            entry = self.table(raw, f"{place}.{kind}")
            examples: dict[str, object] = {}
            if "example" in entry:
                examples["example"] = entry["example"]
            for name, example in self.table(entry.get("examples", {}), place).items():
                examples[name] = self.table(example, place).get("value")
            found.append(Media(kind, cast("Json", entry.get("schema", {})), examples))
        return tuple(found)

    def parameter(self, raw: object, place: str) -> Parameter:
        table = self.table(raw, place)
        return Parameter(
            name=self.text(table, "name", place),
            place=self.text(table, "in", place),
            required=table.get("required") is True,
            description=self.text(table, "description", place, ""),
            schema=cast("Json", table.get("schema", {})),
            example=table.get("example"),
        )

    def scopes(self, raw: object, place: str) -> tuple[str, ...]:
        if not isinstance(raw, list) or not raw:
            raise self.wrong(place, "an operation without security is not published")
        for requirement in cast("list[object]", raw):
            names = self.table(requirement, place).get("oauth2")
            if isinstance(names, list) and names and all(isinstance(name, str) for name in cast("list[object]", names)):
                return tuple(cast("list[str]", names))
        raise self.wrong(place, "one `oauth2` requirement with at least one scope is needed")

    def operation(self, path: str, method: str, raw: object, shared: list[object]) -> Operation:
        place = f"{method.upper()} {path}"
        table = self.table(raw, place)
        tags = cast("list[str]", table.get("tags") or [])
        body = self.table(table["requestBody"], f"{place}.requestBody") if "requestBody" in table else {}
        answers: list[Answer] = []
        for status, answer in self.table(table.get("responses", {}), place).items():
            entry = self.table(answer, f"{place}.{status}")
            answers.append(
                Answer(status, self.text(entry, "description", place, ""), self.media(entry.get("content"), place))
            )
        return Operation(
            operation_id=self.text(table, "operationId", place),
            method=method.upper(),
            path=path,
            summary=self.text(table, "summary", place, ""),
            description=self.text(table, "description", place, ""),
            tag=tags[0] if tags else "",
            service=self.text({**self.root, **table}, "x-strata-service", place),
            scopes=self.scopes(table.get("security", self.root.get("security")), f"{place}.security"),
            parameters=tuple(
                self.parameter(entry, f"{place}.parameters")
                for entry in [*shared, *cast("list[object]", table.get("parameters") or [])]
            ),
            body=self.media(body.get("content"), f"{place}.requestBody"),
            body_required=body.get("required") is True,
            answers=tuple(answers),
        )


def read(path: Path) -> Document:
    """Read one document. Raises ConfigurationError with the file, the place and the reason."""
    try:
        raw = path.read_bytes()
        root = msgspec.json.decode(raw, type=dict[str, object])
    except OSError as error:
        raise ConfigurationError(f"{path.name}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name}: not a JSON object: {error}") from None
    reader = _Reader(path, root)
    if not reader.text(root, "openapi", "document").startswith("3.1"):
        raise reader.wrong("openapi", "version 3.1 is needed")
    info = reader.table(root.get("info"), "info")
    servers = root.get("servers")
    first = cast("list[object]", servers)[0] if isinstance(servers, list) and servers else None
    base_path = reader.text(reader.table(first, "servers[0]"), "url", "servers[0]").rstrip("/")
    if not base_path.startswith("/"):
        raise reader.wrong("servers[0].url", "a base path such as /web/v1 is needed")
    operations: list[Operation] = []
    for template, item in reader.table(root.get("paths"), "paths").items():
        entries = reader.table(item, template)
        shared = cast("list[object]", entries.get("parameters") or [])
        operations += [
            reader.operation(template, method, entries[method], shared) for method in METHODS if method in entries
        ]
    components = reader.table(root.get("components", {}), "components")
    tags = [reader.table(tag, "tags") for tag in cast("list[object]", root.get("tags") or [])]
    return Document(
        path=path,
        raw=raw,
        title=reader.text(info, "title", "info"),
        version=reader.text(info, "version", "info"),
        description=reader.text(info, "description", "info", ""),
        base_path=base_path,
        operations=tuple(operations),
        schemas={
            name: cast("Json", schema) for name, schema in reader.table(components.get("schemas", {}), "").items()
        },
        tags={reader.text(tag, "name", "tags"): reader.text(tag, "description", "tags", "") for tag in tags},
    )
