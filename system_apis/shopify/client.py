"""Shopify's protocol: one GraphQL endpoint, points instead of rate limits, and errors that come with status 200.

Every way a call can fail becomes one of our error types, here and nowhere else:

    connection not made, 5xx                       Unreachable, Transient        T
    no whole answer to a mutation                  UnknownOutcome                U
    THROTTLED, 429                                 Throttled (seconds computed)  R
    401 (after one renewal), 402, 403, 404, 423,
    ACCESS_DENIED, SHOP_INACTIVE                   AuthRefused                   A
    userErrors                                     Invalid, Conflict, NotFound   V, X
    a document that Shopify does not understand    StrataError                   P

Source: shopify.dev/docs/api/usage/response-codes, /docs/apps/build/apis/graphql-admin/rate-limits
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from strata.calls import remaining_s
from strata.errors import AuthRefused, Conflict, FieldError, Invalid, NotFound, StrataError, Throttled, Transient
from system_apis.exchange import Exchange, Reply
from system_apis.shopify import wire
from system_apis.shopify.auth import Auth
from system_apis.shopify.backend import ShopifyConnection
from system_apis.shopify.documents import Document

T = TypeVar("T")

_NO_ENTRY: Final[Mapping[int, str]] = {
    401: "the access token is not accepted",
    402: "the shop is frozen until its bill is paid",
    403: "the app may not do this in the shop",
    404: "there is no such shop",
    423: "the shop is locked",
}
_REFUSING_CODES = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE"})
_CONFLICT_CODES = frozenset({"STALE_OBJECT", "TAKEN", "INVALID_COMPARE_DIGEST"})
_CONFLICT_WORDS = ("already", "closed", "cancelled", "canceled", "in progress", "has been")
_MISSING_WORDS = ("does not exist", "doesn't exist", "not found", "could not be found")


class Points:
    """What we know of the bucket of query points: what was there when we last heard, and how fast it fills.

    Source: FACTS of the rate limits page: a query may run when its requested cost is available.
    """

    def __init__(self) -> None:
        self._available = float("inf")
        self._restore_rate = 0.0
        self._heard_at = 0.0
        self._cost: dict[str, float] = {}

    def heard(self, name: str, cost: wire.Cost, now: float) -> None:
        if cost.requested_query_cost is not None:
            self._cost[name] = cost.requested_query_cost
        if cost.throttle_status is not None:
            self._available = cost.throttle_status.currently_available
            self._restore_rate = cost.throttle_status.restore_rate
            self._heard_at = now

    def cost_of(self, name: str) -> float:
        """The points that a document asked for when it ran last; 0 before it ever did."""
        return self._cost.get(name, 0.0)

    def wait_s(self, name: str, now: float) -> float:
        """How long until this document may run, in seconds; 0.0 = now, as far as we know."""
        short = self.cost_of(name) - self._available - self._restore_rate * (now - self._heard_at)
        return short / self._restore_rate if short > 0 and self._restore_rate > 0 else 0.0


class ShopifyClient:
    """Runs documents against one shop."""

    def __init__(self, connection: ShopifyConnection, exchange: Exchange, auth: Auth) -> None:
        self.connection = connection
        self._exchange = exchange
        self._auth = auth
        self.points = Points()
        self._url = f"{connection.url}/admin/api/{connection.api_version}/graphql.json"

    async def run(self, document: Document[T], variables: Mapping[str, object]) -> T:
        """Run a document and decode its data. Raises the errors of the table above, but for userErrors (`refuse`)."""
        body = msgspec.json.encode({"query": document.text, "variables": variables, "operationName": None})
        give_up = time.monotonic() + self.connection.max_wait_s
        while True:
            await self._wait(self.points.wait_s(document.name, time.monotonic()), give_up)
            reply = await self._post(document, body)
            envelope = self._envelope(reply, document)
            if envelope.extensions is not None and envelope.extensions.cost is not None:
                self.points.heard(document.name, envelope.extensions.cost, time.monotonic())
            if not envelope.errors:
                return self._data(envelope, document)
            if _codes(envelope.errors) != {"THROTTLED"}:
                raise _top_level(envelope.errors, self.connection.shop, document.name)
            await self._wait(max(0.05, self.points.wait_s(document.name, time.monotonic())), give_up)

    async def _wait(self, seconds: float, give_up: float) -> None:
        """Wait for points. Raises Throttled when that would take longer than the connection allows."""
        if seconds <= 0:
            return
        if time.monotonic() + seconds > give_up or seconds >= remaining_s(float("inf")):
            raise Throttled(
                f"The query points of {self.connection.shop} are used up for {seconds:.1f} s", retry_after_s=seconds
            )
        await asyncio.sleep(seconds)

    async def _post(self, document: Document[T], body: bytes) -> Reply:
        token = await self._auth.token()
        reply = await self._send(document, body, token)
        if reply.status == 401 and await self._auth.renew(token):
            reply = await self._send(document, body, await self._auth.token())
        return reply

    async def _send(self, document: Document[T], body: bytes, token: str) -> Reply:
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "x-shopify-access-token": token,
        }
        return await self._exchange.send(
            "POST", self._url, operation=document.name, effect=document.effect, headers=headers, content=body
        )

    def _envelope(self, reply: Reply, document: Document[T]) -> wire.Envelope:
        shop = self.connection.shop
        if reply.status in _NO_ENTRY:
            raise AuthRefused(f"Shopify refuses us at {shop}: {_NO_ENTRY[reply.status]}")
        if reply.status == 429:
            raise Throttled(f"Shopify asks for a pause at {shop}", retry_after_s=reply.retry_after_s or 1.0)
        if reply.status >= 500:
            raise Transient(f"Shopify answered {reply.status} at {shop}", retry_after_s=reply.retry_after_s)
        if reply.status != 200:
            raise StrataError(f"Shopify does not understand {document.name}: it answered {reply.status}")
        try:
            return msgspec.json.decode(reply.body, type=wire.Envelope)
        except msgspec.DecodeError as error:
            raise self._exchange.lost(document.name, document.effect, error) from error

    def _data(self, envelope: wire.Envelope, document: Document[T]) -> T:
        if not envelope.data or bytes(envelope.data) == b"null":
            raise Transient(f"Shopify answered {document.name} with nothing")
        try:
            return msgspec.json.decode(envelope.data, type=document.data)
        except msgspec.DecodeError as error:
            raise StrataError(f"Shopify's answer to {document.name} has another shape: {error}") from error


def _codes(errors: Iterable[wire.GraphqlError] | str) -> set[str]:
    if isinstance(errors, str):
        return {errors}
    return {error.extensions.code if error.extensions else "" for error in errors}


def _top_level(errors: list[wire.GraphqlError] | str, shop: str, name: str) -> StrataError:
    """The error of a document that was refused as a whole."""
    codes = _codes(errors)
    words = errors if isinstance(errors, str) else "; ".join(error.message for error in errors)
    if codes & _REFUSING_CODES:
        return AuthRefused(f"Shopify refuses {name} at {shop}: {words}")
    if "INTERNAL_SERVER_ERROR" in codes:
        return Transient(f"Shopify failed on {name} at {shop}")
    if "invalid global id" in words.lower():
        return NotFound(f"Shopify knows no record with this id ({name})")
    return StrataError(f"Shopify does not understand {name}: {words}")


def refuse(payload: wire.Payload | wire.FulfillmentPayload | None, what: str) -> None:
    """Raise what the userErrors of a mutation mean: Invalid, Conflict, NotFound; Transient for an empty answer."""
    if payload is None:
        raise Transient(f"Shopify answered {what} with nothing")
    if not payload.user_errors:
        return
    causes = tuple(
        FieldError(e.message, "/" + "/".join(e.field or ()), code=(e.code or "").lower()) for e in payload.user_errors
    )
    words = "; ".join(error.message for error in payload.user_errors)
    lower = words.lower()
    if any(word in lower for word in _MISSING_WORDS):
        raise NotFound(f"{what}: {words}", errors=causes)
    codes = {error.code for error in payload.user_errors}
    if codes & _CONFLICT_CODES or any(word in lower for word in _CONFLICT_WORDS):
        raise Conflict(f"{what}: {words}", errors=causes)
    raise Invalid(f"{what}: {words}", errors=causes)


_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", '"': '\\"'})


def search_value(text: str) -> str:
    """A value of Shopify's search syntax, quoted. The whole search string still travels as a GraphQL variable."""
    return f"'{text.translate(_ESCAPES)}'"
