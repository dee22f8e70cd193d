"""Shopify's webhooks: verified on the raw body, kept in the journal, answered. Nothing else happens before the answer.

Source: shopify.dev/docs/apps/build/webhooks (verify-deliveries, delivery-structure): `X-Shopify-Hmac-Sha256` is the
base64 of HMAC-SHA256 over the raw body with the app's client secret; after a rotation the old secret is used for up to
an hour; the answer must come within 5 s; a delivery that fails comes again with the same `X-Shopify-Webhook-Id`, and a
subscription whose deliveries failed 8 times in a row is deleted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Struct
from opentelemetry import metrics

from strata import telemetry
from strata.canonical.events import ChannelOrderEvent
from strata.connections import Connection
from strata.context import Context
from strata.durable import InboundEvent
from strata.errors import FieldError, Invalid, NotFound, Poison, SignatureInvalid, StrataError
from system_apis.shopify import documents, mapping, wire
from system_apis.shopify.backend import ShopifyConnection
from system_apis.shopify.client import ShopifyClient, refuse

MAX_BODY_BYTES: Final = 1_048_576
CHECK_EVERY_S: Final = 30.0
_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 60.0

_deliveries = metrics.get_meter("strata.system_apis").create_counter(
    "strata.webhook.deliveries", unit="1", description="inbound webhooks by outcome"
)


class Delivery(Struct, frozen=True):
    """One delivery of a webhook. Header names in lower case."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """`X-Shopify-{name}`, or the unprefixed name that newer deliveries use; empty when there is none."""
        return self.headers.get(f"x-shopify-{name}") or self.headers.get(f"shopify-{name}", "")


def signed_by(delivery: Delivery, secrets: tuple[str, ...]) -> bool:
    """Whether the raw body was signed with one of the secrets; takes the same time whatever the signature says."""
    try:
        given = base64.b64decode(delivery.header("hmac-sha256"), validate=True)
    except (binascii.Error, ValueError):
        given = b""
    good = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), delivery.body, hashlib.sha256).digest()
        good |= hmac.compare_digest(expected, given)
    return good


def verify(delivery: Delivery, shop: ShopifyConnection) -> None:
    """Raise SignatureInvalid unless this shop's app signed the body and the delivery is of this shop."""
    if not signed_by(delivery, shop.signing_secrets):
        raise SignatureInvalid("The signature does not fit the body")
    if delivery.header("shop-domain").lower() != shop.domain:
        raise SignatureInvalid("The delivery is of another shop")


def inbound(delivery: Delivery, connection: str, shop: str) -> InboundEvent:
    """A verified delivery as an event of ours. Raises msgspec.MsgspecError when its body is not what it should be.

    A topic that is not in the table is a KeyError.
    """
    what = mapping.TOPICS[delivery.header("topic")]
    order = msgspec.json.decode(delivery.body, type=wire.OrderWebhook)
    key = mapping.order_key(shop, str(order.id))
    version = order.updated_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    event = ChannelOrderEvent(key=key, connection=connection, number=order.name, updated_at=version)
    return InboundEvent(
        source=f"shopify:{connection}",
        delivery_id=_delivery_id(delivery),
        type=f"channel_order.{what}",
        subject=key,
        version=f"{version}/{what}",  # versions have no finer grain than a second: `paid` is a fact beside `created`
        body=delivery.body,
        headers=_kept(delivery),
        data=msgspec.json.encode(event),
    )


def unreadable(delivery: Delivery, connection: str) -> InboundEvent:
    """A verified delivery that cannot be read, as it is kept for a person to look at."""
    return InboundEvent(
        source=f"shopify:{connection}",
        delivery_id=_delivery_id(delivery),
        type=f"channel_order.{mapping.TOPICS.get(delivery.header('topic'), 'unknown')}",
        subject=f"shopify:{connection}",
        body=delivery.body,
        headers=_kept(delivery),
    )


def reread(event: InboundEvent, connection: Connection) -> InboundEvent:
    """A quarantined event, read again after a person has mended its body. Raises Invalid when it still cannot be."""
    shop = connection.decode(ShopifyConnection)
    try:
        again = inbound(Delivery(event.headers, event.body), connection.name, shop.shop)
    except (msgspec.MsgspecError, KeyError, ValueError, RecursionError) as error:
        raise Invalid("The event still cannot be read", errors=(FieldError(_why(event.headers, error)),)) from error
    return msgspec.structs.replace(again, delivery_id=event.delivery_id, headers=event.headers)


def _why(headers: Mapping[str, str], error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"The topic {Delivery(headers, b'').header('topic')[:60]!r} is none that we subscribe to"
    return f"The body is not an order: {error}"


def _delivery_id(delivery: Delivery) -> str:
    return delivery.header("webhook-id") or f"sha256:{hashlib.sha256(delivery.body).hexdigest()}"


def _kept(delivery: Delivery) -> dict[str, str]:
    """The headers worth keeping; the signature is not, once it is verified."""
    return {
        name: value
        for name, value in delivery.headers.items()
        if name.removeprefix("x-").startswith("shopify-") and not name.endswith("hmac-sha256")
    }


class Ingress:
    """Takes the webhooks of all shops of this process."""

    def __init__(self, context: Context, shops: Mapping[str, ShopifyConnection]) -> None:
        self._context = context
        self._shops = shops

    async def take(self, connection: str, delivery: Delivery) -> None:
        """Verify a delivery and put it into the journal; when this returns it is committed.

        Raises NotFound, SignatureInvalid (nothing is kept), StoreUnavailable (the vendor delivers again).
        """
        shop = self._shops.get(connection)
        if shop is None:
            raise NotFound("There is no such webhook")
        try:
            verify(delivery, shop)
        except SignatureInvalid as error:
            self._count(connection, "refused")
            telemetry.log.warning(
                "security event",
                kind="webhook-signature-invalid",
                connection=connection,
                reason=error.detail,
                topic=delivery.header("topic")[:60],
                size_bytes=len(delivery.body),
            )
            raise
        try:
            event = inbound(delivery, connection, shop.shop)
        except (msgspec.MsgspecError, KeyError, ValueError, RecursionError) as error:
            await self._quarantine(connection, delivery, error)
            return
        try:
            received = await self._context.journal.receive(event)
        except Poison as error:  # a value that the journal cannot store, such as a NUL in a text
            await self._quarantine(connection, delivery, error)
            return
        self._count(connection, "duplicate" if received.duplicate else "accepted")

    async def _quarantine(self, connection: str, delivery: Delivery, error: Exception) -> None:
        reason = _why(delivery.headers, error)
        await self._context.journal.quarantine(unreadable(delivery, connection), reason)
        self._count(connection, "quarantined")

    @staticmethod
    def _count(connection: str, outcome: str) -> None:
        _deliveries.add(1, {"vendor": "shopify", "connection": connection, "outcome": outcome})

    def route(self) -> HTTPRouteHandler:
        """`POST /webhooks/{connection}` of the system service; the gateway publishes it."""

        @post("/webhooks/{connection:str}", status_code=200, request_max_body_size=MAX_BODY_BYTES)
        async def receive_webhook(request: Request[Any, Any, Any], connection: FromPath[str]) -> Response[bytes]:
            headers = {name.lower(): value for name, value in request.headers.items()}
            await self.take(connection, Delivery(headers, await request.body()))
            return Response(b"", status_code=200)

        return receive_webhook


async def ensure_webhooks(client: ShopifyClient, callback: str) -> tuple[str, ...]:
    """Create the webhook subscriptions that are missing, and answer their topics. Raises what the client raises."""
    there: set[tuple[str, str]] = set()
    after: str | None = None
    while True:
        page = (await client.run(documents.WEBHOOK_SUBSCRIPTIONS, {"after": after})).webhook_subscriptions
        there |= {(each.topic, each.uri) for each in page.nodes}
        if not page.page_info.has_next_page:
            break
        after = page.page_info.end_cursor
    wanted = [topic.upper().replace("/", "_") for topic in mapping.TOPICS]
    missing = tuple(topic for topic in wanted if (topic, callback) not in there)
    for topic in missing:
        subscription = {"uri": callback, "format": "JSON"}
        data = await client.run(documents.WEBHOOK_SUBSCRIPTION_CREATE, {"topic": topic, "subscription": subscription})
        refuse(data.webhook_subscription_create, f"{client.connection.shop} takes no subscription to {topic}")
    return missing


class Subscriber:
    """Keeps the subscriptions of one shop there: at start, and again twice a minute, in the background."""

    def __init__(self, connection: str, client: ShopifyClient) -> None:
        self._connection = connection
        self._client = client
        self._callback = f"{client.connection.callback_base.rstrip('/')}/webhooks/shopify/{connection}"
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; waits for nothing."""
        self._task = asyncio.create_task(self._run(), name=f"webhooks of {self._connection}")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause = _FIRST_RETRY_S
        while True:
            try:
                made = await ensure_webhooks(self._client, self._callback)
            except StrataError as error:
                telemetry.log.warning("webhooks not subscribed", connection=self._connection, detail=error.detail)
                await asyncio.sleep(max(pause, error.retry_after_s or 0.0))
                pause = min(pause * 2, _LONGEST_RETRY_S)
                continue
            if made:
                telemetry.log.info("webhooks subscribed", connection=self._connection, topics=list(made))
            pause = _FIRST_RETRY_S
            await asyncio.sleep(CHECK_EVERY_S)
