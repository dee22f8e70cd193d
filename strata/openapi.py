"""The contracts as OpenAPI 3.1 documents: `openapi/{layer}/{name}.{version}.json`, generated and committed.

`write` makes them, `drift` tells what differs from the committed ones. Nobody edits them by hand.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from strata.contracts.operation import (
    Contract,
    Layer,
    Operation,
    Parameter,
    base_path,
    contract_of,
    operations_of,
    service_of,
)
from strata.errors import (
    BadParameter,
    ContentTooLarge,
    Forbidden,
    Invalid,
    NotFound,
    Poison,
    Problem,
    StrataError,
    Throttled,
    Transient,
    Unauthenticated,
)

OPENAPI = "3.1.1"
_REF = "#/components/schemas/{name}"


def contracts() -> tuple[type[Contract], ...]:
    """Every contract of the three layers."""
    found: list[type[Contract]] = []
    for layer in Layer:
        found.extend(importlib.import_module(f"strata.contracts.{layer}").CONTRACTS)
    return tuple(found)


def filename(contract: type[Contract]) -> str:
    """Where the document of a contract lives below `openapi/`."""
    declaring = contract_of(contract)
    return f"{declaring.layer}/{declaring.name}.{declaring.version}.json"


def document(contract: type[Contract]) -> dict[str, Any]:
    """The OpenAPI document of a contract, as plain data in a stable order."""
    declaring = contract_of(contract)
    operations = operations_of(declaring)
    types = [t for o in operations for t in (o.returns, o.body) if t is not None and t is not type(None)]
    types += [p.annotation for o in operations for p in (*o.path_params, *o.query)]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    schema_of = {id(kind): schema for kind, schema in zip([*types, Problem], schemas, strict=True)}
    if declaring.layer is Layer.EXPERIENCE:
        _hide_internal(components)
    scopes = {o.scope: f"Call operations that need `{o.scope}`" for o in operations}
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(declaring, one, schema_of)
    base = base_path(declaring)
    server: dict[str, Any] = {"url": base}
    if declaring.layer is Layer.SYSTEM:
        server = {
            "url": "/{connection}" + base,
            "variables": {"connection": {"default": "erp", "description": "name of the configured connection"}},
        }
    found: dict[str, Any] = {
        "openapi": OPENAPI,
        "info": {
            "title": declaring.title,
            "version": f"{declaring.version.removeprefix('v')}.0.0",
            "description": (declaring.__doc__ or "").strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [server],
        "tags": [{"name": declaring.name, "description": declaring.title}],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components)},
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}},
                }
            },
        },
        "x-strata-api": declaring.name,
        "x-strata-layer": str(declaring.layer),
        "x-strata-version": declaring.version,
    }
    if declaring.layer is not Layer.SYSTEM:
        found["x-strata-service"] = service_of(declaring)
    return json.loads(json.dumps(found))  # plain data: schemas come with tuples in them


def _hide_internal(components: dict[str, Any]) -> None:
    """Callers outside see no members that only our own services exchange."""
    for member in ("failure_class", "error"):
        components["Problem"]["properties"].pop(member, None)
    components.pop("FailureClass", None)


def _operation(contract: type[Contract], one: Operation, schema_of: dict[int, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.summary,
        "tags": [contract.name],
        "security": [{"oauth2": [one.scope]}],
    }
    if one.description:
        found["description"] = one.description
    parameters = [_parameter(p, "path", schema_of) for p in one.path_params]
    parameters += [_parameter(p, "query", schema_of) for p in one.query]
    if parameters:
        found["parameters"] = parameters
    if one.body is not None:
        body: dict[str, Any] = {"schema": schema_of[id(one.body)]}
        examples = {e.title: {"value": msgspec.to_builtins(e.body)} for e in one.examples if e.body is not None}
        if examples:
            body["examples"] = examples
        found["requestBody"] = {"required": True, "content": {"application/json": body}}
    found["responses"] = _responses(one, schema_of)
    return found


def _parameter(parameter: Parameter, where: str, schema_of: dict[int, Any]) -> dict[str, Any]:
    schema = dict(schema_of[id(parameter.annotation)])
    found: dict[str, Any] = {"name": parameter.name, "in": where, "required": parameter.default is UNSET}
    if parameter.description:
        found["description"] = parameter.description
    if parameter.default is not UNSET and parameter.default is not None:
        schema["default"] = msgspec.to_builtins(parameter.default)
    found["schema"] = schema
    return found


def _responses(one: Operation, schema_of: dict[int, Any]) -> dict[str, Any]:
    if one.returns is type(None):
        found: dict[str, Any] = {"204": {"description": "Done"}}
    else:
        content: dict[str, Any] = {"schema": schema_of[id(one.returns)]}
        examples = {e.title: {"value": msgspec.to_builtins(e.returns)} for e in one.examples}
        if examples:
            content["examples"] = examples
        found = {str(one.status): {"description": one.summary, "content": {"application/json": content}}}
    by_status: dict[int, dict[str, type[StrataError]]] = {}
    always = (BadParameter, Unauthenticated, Forbidden, Throttled, Transient, StrataError)
    with_body = (Invalid, Poison, ContentTooLarge) if one.body is not None else ()
    for error in (*one.errors, *always, *with_body, *(() if not one.path_params else (NotFound,))):
        by_status.setdefault(error.status, {})[error.slug] = error
    if one.body is not None:
        by_status.setdefault(415, {})["unsupported-media-type"] = BadParameter
    by_status.setdefault(429, {})["quota-exceeded"] = Throttled
    for status in sorted(by_status):
        slugs = sorted(by_status[status])
        titles = sorted({e.title for e in by_status[status].values()})
        found[str(status)] = {
            "description": "; ".join(titles),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "x-strata-problems": slugs,
        }
    return found


def encode(found: dict[str, Any]) -> str:
    """The document as it is committed."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> list[str]:
    """Write all documents and remove those without a contract. Answers the names that changed."""
    changed = drift(folder)
    for contract in contracts():
        path = folder / filename(contract)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(encode(document(contract)), "utf-8")
    known = {filename(c) for c in contracts()}
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in known:
            path.unlink()
    return changed


def drift(folder: Path) -> list[str]:
    """Names of the documents that differ from what the contracts say now, or have no contract."""
    expected = {filename(c): encode(document(c)) for c in contracts()}
    present = {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in folder.rglob("*.json")}
    return sorted(name for name in expected.keys() | present.keys() if expected.get(name) != present.get(name))
