"""What the pages show, worked out from the compiled configuration. Pure."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

from msgspec import Struct

from gateway.portal.schema import Node, tree
from gateway.publishing.compile import PublishedApi
from gateway.publishing.documents import Answer, Media, Operation, Parameter


class Example(Struct, frozen=True):
    """A body to look at. text: indented JSON."""

    name: str
    text: str


class MediaView(Struct, frozen=True):
    media_type: str
    root: Node
    examples: tuple[Example, ...]


class ParameterView(Struct, frozen=True):
    parameter: Parameter
    node: Node


class AnswerView(Struct, frozen=True):
    """family: `ok` or `problem`, for its colour."""

    status: str
    description: str
    family: str
    media: tuple[MediaView, ...]


class OperationView(Struct, frozen=True):
    """One operation on a reference page. anchor: its fragment; path: with the base path; curl: to copy."""

    anchor: str
    operation: Operation
    path: str
    curl: str
    parameters: tuple[ParameterView, ...]
    body: tuple[MediaView, ...]
    good: tuple[AnswerView, ...]
    problems: tuple[AnswerView, ...]


class ReferenceView(Struct, frozen=True):
    """One reference page."""

    api: PublishedApi
    scopes: tuple[str, ...]
    operations: tuple[OperationView, ...]


def token_curl(token_url: str, scope: str) -> str:
    """The command that gets a token, to copy."""
    return (
        f"curl -s {shlex.quote(token_url)} \\\n"
        '  -u "$CLIENT_ID:$CLIENT_SECRET" \\\n'
        f"  -d grant_type=client_credentials -d scope={shlex.quote(scope)}"
    )


def reference(api: PublishedApi, public_url: str) -> ReferenceView:
    """The reference page of an API."""
    operations = tuple(_operation(api, operation, public_url) for operation in api.document.operations)
    scopes = sorted({scope for operation in api.document.operations for scope in operation.scopes})
    return ReferenceView(api, tuple(scopes), operations)


def _operation(api: PublishedApi, operation: Operation, public_url: str) -> OperationView:
    schemas = api.document.schemas
    answers = [_answer(api, answer) for answer in operation.answers]
    return OperationView(
        anchor=operation.operation_id,
        operation=operation,
        path=api.base_path + operation.path,
        curl=_curl(api, operation, public_url),
        parameters=tuple(
            ParameterView(parameter, tree(parameter.schema, schemas, parameter.name))
            for parameter in operation.parameters
        ),
        body=tuple(_media(api, media) for media in operation.body),
        good=tuple(answer for answer in answers if answer.family == "ok"),
        problems=tuple(answer for answer in answers if answer.family == "problem"),
    )


def _answer(api: PublishedApi, answer: Answer) -> AnswerView:
    family = "ok" if answer.status[:1] in {"1", "2", "3"} else "problem"
    media = () if family == "problem" else tuple(_media(api, entry) for entry in answer.media)
    return AnswerView(answer.status, answer.description, family, media)


def _media(api: PublishedApi, media: Media) -> MediaView:
    examples = tuple(
        Example(name, json.dumps(value, indent=2, ensure_ascii=False)) for name, value in media.examples.items()
    )
    return MediaView(media.media_type, tree(media.schema, api.document.schemas), examples)


def _curl(api: PublishedApi, operation: Operation, public_url: str) -> str:
    path = api.base_path + operation.path
    for parameter in operation.parameters:
        if parameter.place == "path":
            sample = parameter.example or tree(parameter.schema, api.document.schemas).example
            if sample:
                path = path.replace(f"{{{parameter.name}}}", quote(str(sample), safe=":"))
    lines = [f"curl -s {shlex.quote(public_url + path)}", '-H "Authorization: Bearer $TOKEN"']
    if operation.method != "GET":
        lines[0] = f"curl -s -X {operation.method} {shlex.quote(public_url + path)}"
    if operation.body:
        media = operation.body[0]
        sample = next(iter(media.examples.values()), None)
        lines.append(f"-H {shlex.quote(f'Content-Type: {media.media_type}')}")
        lines.append(f"-d {shlex.quote(json.dumps(sample, ensure_ascii=False))}" if sample else "-d @body.json")
    return " \\\n  ".join(lines)
