"""Serves contracts: from the operations of a contract follow the Litestar routes of the service that implements it.

Input is taken strictly: JSON only where JSON is due, no coercion in bodies, unknown and duplicate members refused, all
of it answered as RFC 9457 problems. A service accepts calls only from the layer above.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET, Struct
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from strata import strictjson, telemetry
from strata.calls import ASGIApp, Receive, Scope, Send, deadline_var, identity_var
from strata.context import Context
from strata.contracts.operation import Contract, Layer, Operation, Parameter, base_path, contract_of, operations_of
from strata.errors import (
    BadParameter,
    ContentTooLarge,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Poison,
    Problem,
    StrataError,
    Unauthenticated,
    problem_type,
    to_problem,
)
from strata.identity import STATE_KEY, Identity
from strata.internal import CALLER_STATE, IDENTITY_HEADER, TIMEOUT_HEADER, TOKEN_HEADER, unpack_identity
from strata.proxy import answer_problem

ABOVE: dict[str, tuple[str, ...]] = {
    Layer.SYSTEM: ("process", "worker", "strata", "gateway"),
    Layer.PROCESS: ("experience", "process", "worker", "strata"),
    Layer.EXPERIENCE: ("gateway",),
}
"""First words of the names of the services that may call a layer. `strata` is the embedded form and the command line;
the gateway reaches a system API only through the one ingress that it publishes."""


class Mount(Struct, frozen=True):
    """An implementation of a contract, and the connection it answers for (system APIs only)."""

    service: Contract
    connection: str = ""

    @property
    def prefix(self) -> str:
        """Base path of the contract within the service."""
        own = base_path(type(self.service))
        return f"/{self.connection}{own}" if self.connection else own


def identity() -> Identity | None:
    """Who makes the current request, as the gateway proved it; None for work that no outside caller started."""
    return identity_var.get()


def service(context: Context, name: str, mounts: Sequence[Mount], routes: Sequence[HTTPRouteHandler] = ()) -> ASGIApp:
    """The app of a service: its mounted contracts, and plain `routes` such as webhooks.

    Raises TypeError when an implementation leaves an operation of its contract out.
    """
    handlers: list[HTTPRouteHandler] = [*routes]
    for mount in mounts:
        for operation in operations_of(type(mount.service)):
            handlers.append(_route(mount, operation))
    app = Litestar(
        route_handlers=handlers,
        openapi_config=None,
        exception_handlers={Exception: _problem_response},
        debug=False,
        logging_config=None,
        request_max_body_size=16 * 1024 * 1024,
    )
    return _Door(context, name, cast("ASGIApp", app))


def _route(mount: Mount, operation: Operation) -> HTTPRouteHandler:
    implementation = type(mount.service)
    declaring = contract_of(implementation)
    method = getattr(mount.service, operation.id)
    if getattr(implementation, operation.id) is declaring.__dict__[operation.id]:
        raise TypeError(f"{implementation.__name__} does not serve {declaring.__name__}.{operation.id}")
    take = _Input(operation)
    encoder = msgspec.json.Encoder(decimal_format="string")
    layer = declaring.layer

    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        _may_call(_caller_of(request), layer)
        path, keywords = await take(request)
        result = await method(*path, **keywords)
        if operation.returns is type(None):
            return Response(b"", status_code=204)
        return Response(encoder.encode(result), status_code=operation.status, media_type="application/json")

    path = operation.path
    for parameter in operation.path_params:
        path = path.replace(f"{{{parameter.name}}}", f"{{{parameter.name}:str}}")
    return HTTPRouteHandler(
        mount.prefix + path,
        http_method=HttpMethod(operation.method),
        status_code=operation.status,
        name=f"{mount.prefix}:{operation.id}",
    )(handle)


def _caller_of(request: Request[Any, Any, Any]) -> str:
    state = cast("dict[str, Any]", dict(request.scope).get("state") or {})
    return str(state.get(CALLER_STATE, ""))


def _may_call(caller: str, layer: Layer) -> None:
    first = caller.partition("-")[0]
    if not first:
        raise Unauthenticated("This API is not reachable from outside the house")
    if first not in ABOVE[layer] or (layer is Layer.SYSTEM and first == "gateway"):
        raise Forbidden(f"{caller} is not of the layer above")


class _Input:
    """Takes the arguments of an operation out of a request, strictly."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._decoder = None if operation.body is None else msgspec.json.Decoder(operation.body)

    async def __call__(self, request: Request[Any, Any, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional path parameters and keyword arguments. Raises BadParameter, Invalid, Poison, ContentTooLarge."""
        errors: list[FieldError] = []
        path = [self._one(p, request.path_params[p.name], "path", errors) for p in self._operation.path_params]
        keywords: dict[str, Any] = {}
        given = request.query_params
        known = {p.name: p for p in self._operation.query}
        for name in given:
            if name not in known:
                errors.append(FieldError("there is no such parameter", f"/query/{name}"))
        for name, parameter in known.items():
            values = given.getall(name, [])
            if len(values) > 1:
                errors.append(FieldError("given more than once", f"/query/{name}"))
            elif values:
                keywords[name] = self._one(parameter, values[0], "query", errors)
            elif parameter.default is UNSET:
                errors.append(FieldError("is missing", f"/query/{name}"))
        if errors:
            raise BadParameter("A parameter is not valid", errors=tuple(errors))
        if self._decoder is not None:
            keywords["body"] = await self._body(request, self._decoder)
        return path, keywords

    @staticmethod
    def _one(parameter: Parameter, text: str, where: str, errors: list[FieldError]) -> Any:
        try:
            if "\x00" in text:
                raise msgspec.ValidationError("holds a NUL character")
            return msgspec.convert(text, parameter.annotation, strict=False)
        except msgspec.ValidationError as error:
            errors.append(FieldError(str(error), f"/{where}/{parameter.name}", value=text[:80]))
            return None

    async def _body(self, request: Request[Any, Any, Any], decoder: msgspec.json.Decoder[Any]) -> Any:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise _UnsupportedMediaType("The body must be application/json")
        raw = await request.body()
        if len(raw) > self._operation.max_body_bytes:
            raise ContentTooLarge(f"The body is larger than {self._operation.max_body_bytes} bytes")
        strictjson.check(raw)
        try:
            value = decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise Invalid("The body does not fit the contract", errors=(FieldError(str(error)),)) from error
        except msgspec.DecodeError as error:
            raise Poison("The body is not JSON", errors=(FieldError(str(error)),)) from error
        unknown = strictjson.unknown_members(msgspec.json.decode(raw), self._operation.body)
        if unknown:
            raise Invalid(
                "The body has members that the contract does not know",
                errors=tuple(FieldError("there is no such member", pointer) for pointer in unknown),
            )
        return value


class _UnsupportedMediaType(BadParameter):
    slug, status, title = "unsupported-media-type", 415, "This media type is not taken"


class _Door:
    """What every request passes on its way in: who calls, until when, in which trace."""

    def __init__(self, context: Context, name: str, app: ASGIApp) -> None:
        self._context = context
        self._name = name
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = dict(scope.get("state") or {})
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["path"] == "/healthz" and scope["method"] == "GET":
            await answer_json(send, b'{"status":"alive"}')
            return
        deadline: float | None = None
        if CALLER_STATE not in state:
            try:
                state[CALLER_STATE] = self._caller(headers)
                if IDENTITY_HEADER in headers and state[CALLER_STATE]:
                    state[STATE_KEY] = unpack_identity(headers[IDENTITY_HEADER])
            except StrataError as error:
                await answer_problem(send, to_problem(error, internal=False))
                return
            if headers.get(TIMEOUT_HEADER, b"").isdigit():
                deadline = time.monotonic() + int(headers[TIMEOUT_HEADER]) / 1000
        scope = {**scope, "state": state}
        async with AsyncExitStack() as stack:
            if "traceparent" not in state and b"traceparent" in headers:
                stack.enter_context(telemetry.continued({"traceparent": headers[b"traceparent"].decode("latin-1")}))
            tokens = [identity_var.set(state.get(STATE_KEY))]
            if deadline is not None:
                reset = deadline_var.set(deadline)
                stack.callback(deadline_var.reset, reset)
            stack.callback(identity_var.reset, tokens[0])
            stack.enter_context(telemetry.span(f"{self._name} {scope['method']}", kind=SpanKind.SERVER))
            await self._app(scope, receive, send)

    def _caller(self, headers: dict[bytes, bytes]) -> str:
        token = headers.get(TOKEN_HEADER)
        if token is None:
            return ""
        return self._context.tokens.verify(token.decode("latin-1"), self._name)


async def answer_json(send: Send, body: bytes) -> None:
    """Answer 200 with a JSON document."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _problem_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The problem document of whatever a handler raised."""
    internal = bool(_caller_of(request))
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowedException):
        problem = Problem(problem_type("method-not-allowed"), "Method not allowed", 405, code="method-not-allowed")
        headers = {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
    elif isinstance(error, NotFoundException):
        problem = to_problem(NotFound("There is nothing at this path"), internal=internal)
    elif isinstance(error, HTTPException) and error.status_code == 413:
        problem = to_problem(ContentTooLarge(), internal=internal)
    elif isinstance(error, HTTPException) and 400 <= error.status_code < 500:
        problem = to_problem(BadParameter("The request cannot be read"), internal=internal)
    else:
        if not isinstance(error, StrataError):
            telemetry.log.error("unforeseen error", path=request.scope["path"], exc_info=error)
        problem = to_problem(error, internal=internal)
    problem.instance = request.scope["path"]
    current = trace.get_current_span().get_span_context()
    if current.is_valid:
        problem.trace_id = f"{current.trace_id:032x}"
    if problem.retry_after_s is not UNSET:
        headers["retry-after"] = str(max(1, round(problem.retry_after_s)))
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )
