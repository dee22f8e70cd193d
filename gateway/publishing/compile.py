"""Documents + publications -> one immutable configuration, or a refusal of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.core.rate import Plan
from gateway.core.route import ConfigurationError, Route, RouteTable
from gateway.publishing import documents, publications
from gateway.publishing.documents import Document, Operation
from gateway.publishing.publications import Api, Ingress

_PROBLEM = b"application/problem+json"


class PublishedApi(Struct, frozen=True):
    """One API as the portal and `strata info` show it. layer: `experience` or `process`."""

    name: str
    layer: str
    version: str
    base_path: str
    audience: str
    plans: tuple[str, ...]
    document: Document

    @property
    def reference_path(self) -> str:
        return f"/portal/apis/{self.name}/{self.version}"

    @property
    def openapi_path(self) -> str:
        return f"{self.reference_path}/openapi.json"


class Configuration(Struct, frozen=True):
    """What one gateway runs. digest: SHA-256 over everything that was compiled, the same on every node."""

    table: RouteTable
    apis: tuple[PublishedApi, ...]
    ingress: tuple[Ingress, ...]
    plans: Mapping[str, Plan]
    scopes: tuple[str, ...]
    digest: str


def compile_configuration(
    publications_file: Path,
    openapi_dir: Path,
    own_routes: tuple[Route, ...],
    services: Collection[str],
    plan_quotas: Mapping[str, int],
) -> Configuration:
    """Compile all of it. Raises ConfigurationError (file, place, reason) and changes nothing when any part is wrong.

    services: the upstreams that exist. plan_quotas: quotas from the settings, instead of the file's.
    """
    declared, raw = publications.read(publications_file)
    plans = dict(declared.plans)
    for name, quota in plan_quotas.items():
        if name not in plans:
            raise ConfigurationError(f"settings: the plan {name} has a quota but is not in {publications_file.name}")
        plans[name] = msgspec.structs.replace(plans[name], quota=quota)
    apis: list[PublishedApi] = []
    digest = hashlib.sha256(raw)
    digest.update(msgspec.json.encode(plans, order="deterministic"))
    for api in declared.apis:
        published = _publish(api, openapi_dir, plans, services)
        digest.update(published.document.raw)
        apis.append(published)
    names = [(api.name, api.version) for api in apis]
    if len(set(names)) != len(names):
        raise ConfigurationError(f"{publications_file.name}: an API and version is published twice")
    bodies = {(api.name, api.version): api.max_body_bytes for api in declared.apis}
    routes = [
        *own_routes,
        *(
            _route(api, operation, bodies[api.name, api.version])
            for api in apis
            for operation in api.document.operations
        ),
        *(_ingress(entry, services) for entry in declared.ingress),
    ]
    scopes = sorted({scope for route in routes for scope in route.scopes})
    return Configuration(RouteTable(routes), tuple(apis), declared.ingress, plans, tuple(scopes), digest.hexdigest())


def _publish(api: Api, folder: Path, plans: Mapping[str, Plan], services: Collection[str]) -> PublishedApi:
    document = documents.read(_inside(folder, api.document))
    where = f"API {api.name} {api.version}"
    for plan in api.plans:
        if plan not in plans:
            raise ConfigurationError(f"{where}: the plan {plan} is not declared")
    if not document.base_path.endswith(f"/{api.version}"):
        raise ConfigurationError(f"{where}: {document.path.name} has the base path {document.base_path}")
    if not document.operations:
        raise ConfigurationError(f"{where}: {document.path.name} has no operation")
    layers = {operation.service.partition("-")[0] for operation in document.operations}
    if len(layers) != 1 or not layers <= {"experience", "process"}:
        raise ConfigurationError(
            f"{where}: operations belong to {', '.join(sorted(layers))}; system APIs are never published"
        )
    for operation in document.operations:
        if operation.service not in services:
            raise ConfigurationError(f"{where}: {operation.operation_id} needs {operation.service}, which is not there")
    return PublishedApi(api.name, layers.pop(), api.version, document.base_path, api.audience, api.plans, document)


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ConfigurationError(f"{name}: outside the folder of contracts")
    return path


def _route(api: PublishedApi, operation: Operation, max_body_bytes: int) -> Route:
    answers = {media.media_type.encode() for answer in operation.answers for media in answer.media}
    lists = {p.name for p in operation.parameters if p.place == "query" and p.schema.get("type") == "array"}
    return Route(
        method=operation.method,
        path=api.base_path + operation.path,
        service=operation.service,
        kind="operation",
        operation=operation.operation_id,
        api=api.name,
        version=api.version,
        scopes=frozenset(operation.scopes),
        plans=api.plans,
        max_body_bytes=max_body_bytes if operation.body else 0,
        takes=frozenset(media.media_type.encode() for media in operation.body),
        answers=frozenset(answers - {_PROBLEM}),
        query_lists=frozenset(lists),
    )


def _ingress(entry: Ingress, services: Collection[str]) -> Route:
    parameters = {part[1:-1] for part in entry.path.split("/") if part.startswith("{")}
    for template in (entry.service, entry.upstream_path):
        for name in _names(template):
            if name not in parameters:
                raise ConfigurationError(f"ingress {entry.name}: {template} needs {{{name}}}, which the path lacks")
    for name in _names(entry.service):
        if name not in entry.values:
            raise ConfigurationError(f"ingress {entry.name}: values for {{{name}}} are needed to bound the services")
        for value in entry.values[name]:
            service = entry.service.replace(f"{{{name}}}", value)
            if service not in services:
                raise ConfigurationError(f"ingress {entry.name}: {service} is not there")
    for name in entry.values:
        if name not in parameters:
            raise ConfigurationError(f"ingress {entry.name}: values for {{{name}}}, which the path lacks")
    return Route(
        method="POST",
        path=entry.path,
        service=entry.service,
        kind="ingress",
        operation=entry.name,
        api=entry.name,
        max_body_bytes=entry.max_body_bytes,
        upstream_path=entry.upstream_path,
        allowed=dict(entry.values),
    )


def _names(template: str) -> Iterator[str]:
    for part in template.split("{")[1:]:
        yield part.partition("}")[0]
