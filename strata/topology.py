"""Where services are: in this process or at a URL. Nothing else knows.

A service is found by its name: `system-{vendor}`, `process-{family}`, `experience-{audience}`. Its factory is the
function `create` in `{layer}_apis.{name}.factory`, named as a string, so that this module imports no layer and a new
backend edits no existing file.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from strata import http, telemetry
from strata.calls import Answer, ASGIApp, InProcess, OverNetwork, Receive, Request, Scope, Send, Upstream, remaining_s
from strata.context import Context, WorkerParts
from strata.contracts.operation import Contract, Layer, Operation, base_path, contract_of, operations_of, service_of
from strata.errors import NotFound, StrataError, from_problem
from strata.internal import CALLER_STATE
from strata.proxy import NetworkApp

C = TypeVar("C", bound=Contract)


def factory_module(service: str) -> str:
    """The module that makes a service's app: `system-netsuite` -> `system_apis.netsuite.factory`."""
    layer, _, name = service.partition("-")
    return f"{layer}_apis.{name.replace('-', '_')}.factory"


def services_of(layer: Layer) -> tuple[str, ...]:
    """The services of a layer that the installed code can serve: one for each folder with a factory."""
    package = f"{layer}_apis"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        return ()
    folders = [m.name for m in pkgutil.iter_modules(spec.submodule_search_locations) if m.ispkg]
    found = [f"{layer}-{name.replace('_', '-')}" for name in sorted(folders)]
    return tuple(s for s in found if importlib.util.find_spec(factory_module(s)) is not None)


class Topology:
    """Answers clients and apps for services, embedded or remote."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._apps: dict[str, ASGIApp] = {}
        self._upstreams: dict[tuple[str, str], Upstream] = {}

    def system(self, connection: str, contract: type[C], *, caller: str = "") -> C:
        """A typed client of the system API behind a connection. Raises NotFound for a connection nobody configured."""
        try:
            vendor = self._context.connections[connection].vendor
        except KeyError:
            raise NotFound(f"There is no connection called {connection}") from None
        return self._client(contract, f"system-{vendor}", f"/{quote(connection)}{base_path(contract)}", caller)

    def offering(self, contract: type[Contract]) -> tuple[str, ...]:
        """Names of the connections whose backend offers a capability, in the order of their configuration."""
        declaring = contract_of(contract)
        found: list[str] = []
        for name, connection in self._context.connections.items():
            backend = importlib.import_module(f"system_apis.{connection.vendor}.backend").BACKEND
            if declaring in backend.capabilities:
                found.append(name)
        return tuple(found)

    def process(self, contract: type[C], *, caller: str = "") -> C:
        """A typed client of a process API."""
        return self._client(contract, service_of(contract), base_path(contract), caller)

    def worker_parts(self) -> WorkerParts:
        """Everything that the installed process families bring to a worker."""
        parts: list[WorkerParts] = []
        for service in services_of(Layer.PROCESS):
            module = importlib.import_module(factory_module(service))
            parts.append(module.worker_parts(self._context))
        return WorkerParts(
            tuple(d for p in parts for d in p.definitions),
            tuple(s for p in parts for s in p.schedules),
            tuple(s for p in parts for s in p.subscriptions),
        )

    def local(self, service: str) -> ASGIApp:
        """The app of a service in this process, made at the first call. Raises NotFound when nobody can make it."""
        app = self._apps.get(service)
        if app is None:
            try:
                module = importlib.import_module(factory_module(service))
            except ModuleNotFoundError as error:
                raise NotFound(f"There is no service called {service}") from error
            app = self._apps[service] = cast("ASGIApp", module.create(self._context))
        return app

    def app(self, service: str, *, caller: str = "gateway") -> ASGIApp:
        """A service as an ASGI app for the gateway, embedded or remote; calls are marked as coming from `caller`."""
        url = self._context.settings.service_urls.get(service)
        if url is not None:
            remote = NetworkApp(service, url, self._context.tokens, caller)
            self._context.on_shutdown(remote.aclose)
            return remote
        local = self.local(service)

        async def marked(scope: Scope, receive: Receive, send: Send) -> None:
            state = dict(scope.get("state") or {})
            state[CALLER_STATE] = caller
            await local({**scope, "state": state}, receive, send)

        return marked

    def _upstream(self, service: str, caller: str) -> Upstream:
        key = (service, caller)
        found = self._upstreams.get(key)
        if found is None:
            settings = self._context.settings
            url = settings.service_urls.get(service)
            if url is None:
                found = InProcess(service, self.local(service), caller)
            else:
                client = http.client(url, timeout_s=settings.call_timeout_s, connections=100)
                self._context.on_shutdown(client.aclose)
                found = OverNetwork(service, client, self._context.tokens, caller)
            self._upstreams[key] = found
        return found

    def _client(self, contract: type[C], service: str, prefix: str, caller: str) -> C:
        upstream = self._upstream(service, caller or self._context.settings.service_name)
        client = client_type(contract_of(contract))()
        client.bind(upstream, prefix, self._context.settings.call_timeout_s)
        return cast("C", client)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def encode(operation: Operation, prefix: str, arguments: dict[str, Any]) -> Request:
    """The request of a call: arguments by name into path, query and body; query values at their default stay out."""
    path = operation.path
    for parameter in operation.path_params:
        path = path.replace(f"{{{parameter.name}}}", quote(_text(arguments[parameter.name]), safe=":"))
    query = [
        (p.name, _text(arguments[p.name]))
        for p in operation.query
        if p.name in arguments and arguments[p.name] is not None and arguments[p.name] != p.default
    ]
    body = b"" if operation.body is None else msgspec.json.encode(arguments["body"])
    return Request(operation.method, prefix + path, urlencode(query).encode(), body)


def decode(operation: Operation, decoder: msgspec.json.Decoder[Any] | None, answer: Answer) -> Any:
    """The typed result of a call. Raises the error that the other side raised."""
    if answer.status >= 400:
        raise from_problem(answer.body, answer.status)
    if decoder is None:
        return None
    try:
        return decoder.decode(answer.body)
    except msgspec.DecodeError as error:
        raise StrataError(f"The answer of {operation.id} does not fit its contract") from error


class _Bound:
    """Base of generated clients: where the calls go."""

    def bind(self, upstream: Upstream, prefix: str, timeout_s: float) -> None:
        self._upstream = upstream
        self._prefix = prefix
        self._timeout_s = timeout_s

    async def invoke(
        self, operation: Operation, decoder: msgspec.json.Decoder[Any] | None, arguments: dict[str, Any]
    ) -> Any:
        request = encode(operation, self._prefix, arguments)
        with telemetry.span(f"call {operation.id}", {"strata.path": operation.path}):
            answer = await self._upstream.call(request, remaining_s(self._timeout_s))
        return decode(operation, decoder, answer)


def _method(operation: Operation) -> Any:
    decoder = None if operation.returns is type(None) else msgspec.json.Decoder(operation.returns)
    names = tuple(p.name for p in operation.path_params)

    async def call(self: _Bound, *args: Any, **kwargs: Any) -> Any:
        return await self.invoke(operation, decoder, dict(zip(names, args, strict=False)) | kwargs)

    call.__name__ = operation.id
    return call


@cache
def client_type(contract: type[Contract]) -> type[Any]:
    """A class that has the methods of a contract and sends each of them over the wire."""
    methods = {operation.id: _method(operation) for operation in operations_of(contract)}
    return type(f"{contract.__name__}Client", (_Bound, contract), methods)
