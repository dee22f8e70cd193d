"""The Shopify simulator as one vendor of the sandbox: routes, limits, credentials, seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast
from uuid import uuid4

import msgspec
from graphql import OperationType

from sandbox.core.company import STORES
from sandbox.core.faults import Fault
from sandbox.core.http import Request, Response, json_response
from sandbox.core.vendor import Context as Place
from sandbox.core.vendor import Limits, Urls
from sandbox.shopify import coverage, rest_api, seed
from sandbox.shopify.auth import UNKNOWN, Auth, Caller
from sandbox.shopify.context import Context
from sandbox.shopify.engine import schema
from sandbox.shopify.engine.execute import Engine
from sandbox.shopify.engine.throttle import Bucket
from sandbox.shopify.outbox import Outbox
from sandbox.shopify.resolve.roots import FIELDS, type_name_of
from sandbox.shopify.resolve.shop import all_scopes
from sandbox.shopify.state import State

API = re.compile(r"/admin/api(?:/(?P<version>\d{4}-\d{2}|unstable))?/(?P<rest>.+)")
OAUTH = "/admin/oauth/access_token"
SCOPES = "/admin/oauth/access_scopes.json"
# restore rate in points per second, REST bucket and its rate; the GraphQL bucket is 20 seconds of the rate
PLANS: dict[str, tuple[float, float, float]] = {
    "standard": (100, 40, 2),
    "advanced": (200, 80, 4),
    "plus": (1000, 400, 20),
    "commerce_components": (2000, 800, 40),
}


class ShopifyLimits(Limits, forbid_unknown_fields=True, omit_defaults=True):
    """plan gives the rates; restore_rate, bucket_size, rest_bucket, rest_rate override it one by one.

    max_query_cost: points one query may request. webhook_concurrency: deliveries at a time.
    """

    plan: Literal["standard", "advanced", "plus", "commerce_components"] = "plus"
    restore_rate: Annotated[float, msgspec.Meta(gt=0)] | None = None
    bucket_size: Annotated[float, msgspec.Meta(gt=0)] | None = None
    rest_bucket: Annotated[float, msgspec.Meta(gt=0)] | None = None
    rest_rate: Annotated[float, msgspec.Meta(gt=0)] | None = None
    max_query_cost: Annotated[int, msgspec.Meta(gt=0)] = 1000
    webhook_concurrency: Annotated[int, msgspec.Meta(gt=0, le=1000)] = 10


class GraphQLRequest(msgspec.Struct):
    query: str | None = None
    variables: dict[str, Any] | str | None = None
    operationName: str | None = None  # noqa: N815  # the name on the wire


def create(place: Place) -> Shopify:
    return Shopify(place)


class Shopify:
    """See `sandbox.core.vendor.Vendor`."""

    name = "shopify"
    limits_type: type[Limits] = ShopifyLimits
    tls_names: Sequence[str] = ("*.myshopify.com", "*.localhost")

    def __init__(self, place: Place) -> None:
        self.context = place
        self.limits: Limits = ShopifyLimits()
        self.state = State(place.store, place.clock)
        self.shops = tuple(store.subdomain for store in STORES)
        self.auth = Auth(self.state, place.secrets, self.shops)
        self.engine = Engine(schema.build(FIELDS, type_name_of), FIELDS)
        self.outbox = Outbox(
            self.state, place.faults, self.auth.client_secret, lambda: self._limits.webhook_concurrency
        )
        self._points: dict[str, Bucket] = {}
        self._calls: dict[str, Bucket] = {}

    @property
    def _limits(self) -> ShopifyLimits:
        return cast(ShopifyLimits, self.limits)

    # Requests ----------------------------------------------------------------------------------------------------

    def identify(self, request: Request) -> tuple[Sequence[str], str | None]:
        """GraphQL: the root fields; REST: "GET orders.json" with digits as {id}; "oauth" for tokens."""
        caller = self.auth.caller(request)
        request.scratch["caller"] = caller
        account = caller.shop.subdomain if caller else self.auth.shop_of_host(request.host)
        if request.path == OAUTH:
            return ("oauth",), account
        match = API.fullmatch(request.path)
        if match is None:
            return (f"{request.method} {request.path}",), account
        if match["rest"] != "graphql.json":
            return (f"{request.method} {re.sub(r'[0-9]+', '{id}', match['rest'])}",), account
        wanted = self._graphql(request)
        names = self.engine.root_fields(wanted.query, wanted.operationName) if wanted and wanted.query else []
        return tuple(names) or ("graphql",), account

    def admit(self, request: Request) -> Response | None:
        return None

    def leave(self, request: Request) -> None:
        return None

    def handle(self, request: Request) -> Response:
        response = self._route(request)
        response.headers.append(("x-request-id", str(uuid4())))
        return response

    def _route(self, request: Request) -> Response:
        if request.path == OAUTH and request.method == "POST":
            return self.auth.grant(request, all_scopes())
        match = API.fullmatch(request.path)
        if match is None and request.path != SCOPES:
            return rest_api.not_found()
        caller = request.scratch.get("caller")
        if not isinstance(caller, Caller):
            return json_response({"errors": UNKNOWN}, 401)
        served = {"x-shopify-api-version": schema.VERSION, "x-shopid": str(caller.shop.id)}
        if match is not None and match["rest"] == "graphql.json":
            response = self._answer_graphql(request, caller)
        else:
            path = match["rest"] if match else "oauth/access_scopes.json"
            version = (match["version"] if match else None) or schema.VERSION
            response = self._answer_rest(request, caller, path, version)
        response.headers.extend(served.items())
        return response

    def _answer_rest(self, request: Request, caller: Caller, path: str, version: str) -> Response:
        bucket = self._call_bucket(caller.shop.subdomain)
        allowed = bucket.take(1)
        response = (
            rest_api.answer(self.state, caller.shop, request, path, version) if allowed else self._too_many(bucket)
        )
        response.headers.append(("x-shopify-shop-api-call-limit", f"{bucket.used}/{int(bucket.size)}"))
        return response

    def _too_many(self, bucket: Bucket) -> Response:
        rate = f"{bucket.rate:g}"
        text = f"Exceeded {rate} calls per second for api client. Reduce request rates to resume uninterrupted service."
        return json_response({"errors": text}, 429, {"retry-after": "2.0"})

    def _graphql(self, request: Request) -> GraphQLRequest | None:
        """The request's document and variables; None when the body cannot be read. Decoded once."""
        if "graphql" in request.scratch:
            known = request.scratch["graphql"]
            return known if isinstance(known, GraphQLRequest) else None
        wanted: GraphQLRequest | None
        try:
            if request.headers.get("content-type", "").startswith("application/graphql"):
                wanted = GraphQLRequest(query=request.body.decode())
            else:
                wanted = msgspec.json.decode(request.body, type=GraphQLRequest)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            wanted = None
        request.scratch["graphql"] = wanted
        return wanted

    def _answer_graphql(self, request: Request, caller: Caller) -> Response:
        if request.method != "POST":
            return rest_api.not_found()
        wanted = self._graphql(request)
        if wanted is None:
            return json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        variables = wanted.variables
        if isinstance(variables, str):
            # older clients send variables as a JSON text
            try:
                variables = msgspec.json.decode(variables or "{}", type=dict[str, Any])
            except msgspec.MsgspecError:
                return json_response({"errors": {"variables": "Required parameter missing or invalid"}}, 400)
        if not wanted.query:
            return json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        answer = self.engine.run(
            wanted.query,
            variables or {},
            wanted.operationName,
            self.context_for(caller.shop.subdomain, request.base_url),
            self._point_bucket(caller.shop.subdomain),
            max_single_cost=self._limits.max_query_cost,
            denied=lambda names, operation: _denied(caller, names, operation),
        )
        return json_response(answer)

    def context_for(self, shop: str, base_url: str = "") -> Context:
        """What resolvers and the seed work with. Raises KeyError for a shop that is not there."""
        found = self.state.shops.get(shop)
        if found is None:
            raise KeyError(shop)
        return Context(self.state, found, self.outbox.emit, base_url=base_url)

    def _point_bucket(self, shop: str) -> Bucket:
        rate = self._limits.restore_rate or PLANS[self._limits.plan][0]
        size = self._limits.bucket_size or rate * 20
        bucket = self._points.setdefault(shop, Bucket(self.context.clock, size, rate))
        bucket.resize(size, rate)
        return bucket

    def _call_bucket(self, shop: str) -> Bucket:
        _, size, rate = PLANS[self._limits.plan]
        size, rate = self._limits.rest_bucket or size, self._limits.rest_rate or rate
        bucket = self._calls.setdefault(shop, Bucket(self.context.clock, size, rate))
        bucket.resize(size, rate)
        return bucket

    def error(self, request: Request, kind: str, fault: Fault | None) -> Response:
        """The vendor's words for what went wrong on its side."""
        number = str(uuid4())
        graphql = request.path.endswith("/graphql.json")
        headers = {"x-request-id": number}
        if kind == "throttle":
            account = self.identify(request)[1] or self.shops[0]
            if not graphql:
                return self._too_many(self._call_bucket(account))
            from sandbox.shopify.engine.execute import throttled_answer  # noqa: PLC0415

            return json_response(throttled_answer(10, self._point_bucket(account)), 200, headers)
        if kind == "internal" and graphql:
            message = (
                "Internal error. Looks like something went wrong on our end.\n"
                f"Request ID: {number} (include this in support requests)."
            )
            extensions = {"code": "INTERNAL_SERVER_ERROR", "requestId": number}
            return json_response({"errors": [{"message": message, "extensions": extensions}]}, 200, headers)
        status = 503 if kind == "maintenance" else fault.status if fault and kind == "status" else 500
        texts = {503: "Service Unavailable", 502: "Bad Gateway", 504: "Gateway Timeout", 401: UNKNOWN, 404: "Not Found",
                 402: "Unavailable Shop", 423: "Locked", 429: "Too Many Requests"}  # fmt: skip
        return json_response({"errors": texts.get(status, "Internal Server Error")}, status, headers)

    # The sandbox's side ------------------------------------------------------------------------------------------

    def seed(self, options: bytes) -> object:
        wanted = msgspec.json.decode(options, type=seed.SeedOptions)
        for name in (wanted.shop, wanted.uninstall):
            if name is not None and self.state.shops.get(name) is None:
                raise msgspec.ValidationError(f"there is no shop {name!r}; there are {', '.join(self.shops)}")
        made: list[int] = []
        if wanted.orders:
            start = self.context.store.next("seed") if wanted.seed is None else wanted.seed
            maker = seed.OrderMaker(self.state, start, wanted)
            self.outbox.muted = not wanted.webhooks
            try:
                made = [maker.place(self.context_for) for _ in range(wanted.orders)]
            finally:
                self.outbox.muted = False
        if wanted.uninstall is not None:
            self._uninstall(wanted.uninstall)
        return {"orders": len(made), "ids": made[:1000]}

    def _uninstall(self, shop: str) -> None:
        from sandbox.shopify import rest  # noqa: PLC0415

        ctx = self.context_for(shop)
        ctx.emit("app/uninstalled", lambda: rest.shop(ctx.shop))
        for token in [t for t in self.state.access_tokens.all() if t.shop == shop]:
            self.state.access_tokens.delete(token.digest)

    def fill(self, seed: int) -> None:  # the argument is the company's seed
        from sandbox.shopify.seed import fill  # noqa: PLC0415

        fill(self.state, seed)

    def forget(self) -> None:
        self._points.clear()
        self._calls.clear()

    def info(self, urls: Urls) -> dict[str, object]:
        """Credentials for every way in; `shops` has them for each shop."""
        shops = [
            {
                "shop": f"{name}.myshopify.com",
                "base_url": urls.base_url,
                "access_token": self.auth.tokens[name],
                "token_url": f"{urls.base_url}{OAUTH}?shop={name}.myshopify.com",
            }
            for name in self.shops
        ]
        return {
            "base_url": urls.base_url,
            "tls_url": urls.tls_url,
            "ca_file": urls.ca_file,
            "control_url": urls.control_url,
            "shop": shops[0]["shop"],
            "webhook_secret": self.auth.client_secret,
            "auth": {
                "access_token": {"token": shops[0]["access_token"]},
                "client_credentials": {
                    "client_id": self.auth.client_id,
                    "client_secret": self.auth.client_secret,
                    "token_url": shops[0]["token_url"],
                },
            },
            "shops": shops,
            "api_version": schema.VERSION,
        }

    def coverage(self) -> str:
        return coverage.text(self.engine.schema, FIELDS)

    async def start(self, urls: Urls) -> None:
        await self.outbox.start()

    async def stop(self) -> None:
        await self.outbox.stop()


def _denied(caller: Caller, names: Sequence[str], operation: OperationType) -> list[dict[str, Any]]:
    """Root fields for which the token has no scope."""
    if caller.scopes is None:
        return []
    root = "Mutation" if operation is OperationType.MUTATION else "QueryRoot"
    errors: list[dict[str, Any]] = []
    for name in names:
        needed = schema.access_scopes().get(f"{root}.{name}")
        if needed is not None and not needed[1] & caller.scopes:
            extensions = {
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": needed[0],
            }
            message = f"Access denied for {name} field. Required access: {needed[0]}"
            errors.append({"message": message, "path": [name], "extensions": extensions})
    return errors
