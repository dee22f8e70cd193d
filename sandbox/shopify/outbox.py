"""Webhook delivery from a durable outbox: written with the change it tells of, sent after the commit, retried.

Five seconds per attempt, one to connect; anything but 2xx is a failure, redirects too; eight retries over four hours on
the sandbox clock with exponential back-off; a subscription whose delivery was given up without any success since is
deleted. No order is promised.

Source: shopify.dev/docs/apps/build/webhooks, changelog "updates to webhook retry mechanism".
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from sandbox.core.faults import Faults
from sandbox.shopify.engine.schema import VERSION
from sandbox.shopify.model import Delivery, Subscription
from sandbox.shopify.state import State

log = logging.getLogger("sandbox.shopify")
RETRIES = 8
# 56 s, doubled each time: the eight sum to four hours
FIRST_RETRY_S = 14_400 / (2**RETRIES - 1)
ATTEMPT_S = 5.0
CONNECT_S = 1.0
SHUFFLE_MS = 2000.0
KEPT = 5_000
DDL = """
CREATE TABLE IF NOT EXISTS webhook_queue (delivery INTEGER PRIMARY KEY, due REAL NOT NULL);
CREATE INDEX IF NOT EXISTS webhook_queue_due ON webhook_queue (due);
"""


def topic_enum(topic: str) -> str:
    """orders/create -> ORDERS_CREATE."""
    return topic.replace("/", "_").upper()


def signature(secret: str, body: bytes) -> str:
    """X-Shopify-Hmac-Sha256: base64 of the HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def retry_after_s(attempts: int) -> float | None:
    """Sandbox seconds until the next attempt after so many; None when it is given up."""
    return FIRST_RETRY_S * 2 ** (attempts - 1) if attempts <= RETRIES else None


class Outbox:
    """secret: of the app, for signatures. concurrency: deliveries at a time, asked before each."""

    def __init__(self, state: State, faults: Faults, secret: str, concurrency: Callable[[], int]) -> None:
        self._state = state
        self._faults = faults
        self._secret = secret
        self._concurrency = concurrency
        self._wake = asyncio.Event()
        self._sending: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._client: Client | None = None
        self._since_pruned = 0
        self.muted = False
        state.store.script(DDL)
        state.clock.on_change(self._poke)

    # Writing -----------------------------------------------------------------------------------------------------

    def emit(self, shop: str, topic: str, body: Callable[[], dict[str, Any]], event_id: str) -> None:
        """Queue the webhooks of one happening, in the transaction of the change itself."""
        if self.muted:
            return
        found = self._state.subscriptions.find("topic", f"{shop}:{topic_enum(topic)}")
        if not found:
            return
        whole = body()
        text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        for subscription in found:
            wanted = subscription.include_fields
            own = (
                text if not wanted else json.dumps({k: v for k, v in whole.items() if k in wanted}, ensure_ascii=False)
            )
            self._queue(subscription, topic, own, event_id)

    def _queue(self, subscription: Subscription, topic: str, body: str, event_id: str) -> None:
        now = self._state.clock.now()
        delay_ms = 0.0
        copies = 1
        lost = False
        for fault in self._faults.strike(operations=(topic,), account=subscription.shop, webhooks=True):
            match fault.kind:
                case "webhook_lost":
                    lost = True
                case "webhook_duplicate":
                    copies = 2
                case "webhook_delay":
                    delay_ms += fault.latency_ms or 0.0
                case _:
                    delay_ms += random.uniform(0, SHUFFLE_MS if fault.latency_ms is None else fault.latency_ms)
        webhook_id = str(uuid4())
        for _ in range(copies):
            number = self._state.store.next("webhook_delivery")
            due = now + timedelta(milliseconds=delay_ms)
            self._state.deliveries.put(
                Delivery(
                    id=number,
                    shop=subscription.shop,
                    subscription_id=subscription.id,
                    topic=topic,
                    uri=subscription.uri,
                    webhook_id=webhook_id,
                    event_id=event_id,
                    triggered_at=now,
                    body=body,
                    name=subscription.name,
                    status="lost" if lost else "pending",
                    next_at=None if lost else due,
                )
            )
            if not lost:
                self._schedule(number, due)
        self._state.store.after_commit(self._poke)

    def _schedule(self, number: int, due: datetime) -> None:
        self._state.store.db.execute("INSERT OR REPLACE INTO webhook_queue VALUES (?, ?)", (number, due.timestamp()))

    # Sending -----------------------------------------------------------------------------------------------------

    def _poke(self) -> None:
        self._wake.set()

    async def start(self) -> None:
        """Begin sending, in the running event loop."""
        self._wake = asyncio.Event()
        self._client = (
            ClientBuilder()
            .timeout(timedelta(seconds=ATTEMPT_S))
            .connect_timeout(timedelta(seconds=CONNECT_S))
            .follow_redirects(False)
            .no_proxy()
            .error_for_status(False)
            .danger_accept_invalid_certs(True)
            .build()
        )
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """What is being sent is given up and sent again at the next start."""
        tasks = [*self._tasks, *([self._loop] if self._loop else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loop = None
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            pause_s = self._send_due()
            try:
                await asyncio.wait_for(self._wake.wait(), pause_s)
            except TimeoutError:
                continue

    def _send_due(self) -> float | None:
        """Start what is due while there is room; answers real seconds until there may be more, None: until woken."""
        room = self._concurrency() - len(self._sending)
        if room <= 0:
            return None
        rows = self._state.store.db.execute(
            "SELECT delivery, due FROM webhook_queue ORDER BY due LIMIT ?", (room + len(self._sending) + 1,)
        ).fetchall()
        now = self._state.clock.now().timestamp()
        for number, due in rows:
            if number in self._sending:
                continue
            if due > now:
                return self._state.clock.real_seconds_until(datetime.fromtimestamp(due, UTC))
            if room == 0:
                return None
            room -= 1
            self._sending.add(number)
            task = asyncio.create_task(self._deliver(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return None

    async def _deliver(self, number: int) -> None:
        try:
            item = self._state.deliveries.get(number)
            if item is None or self._state.subscriptions.get(item.subscription_id) is None:
                # unsubscribed meanwhile (or all was reset)
                with self._state.store.transaction():
                    self._finish(number, item, "failed", None, "the subscription is gone")
                return
            status, error = await self._post(item)
            with self._state.store.transaction():
                self._record(item, status, error)
        except Exception:
            # Never lose the loop to a bug here: the delivery stays queued and is tried again later.
            log.exception("webhook delivery %d failed inside the sandbox", number)
            await asyncio.sleep(1)
        finally:
            self._sending.discard(number)
            self._wake.set()

    def headers(self, item: Delivery) -> dict[str, str]:
        """As the vendor sends them."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": item.topic,
            "X-Shopify-Hmac-Sha256": signature(self._secret, item.body.encode()),
            "X-Shopify-Shop-Domain": f"{item.shop}.myshopify.com",
            "X-Shopify-API-Version": VERSION,
            "X-Shopify-Webhook-Id": item.webhook_id,
            "X-Shopify-Event-Id": item.event_id,
            "X-Shopify-Triggered-At": item.triggered_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
            "X-Shopify-Test": "false",
        }
        return headers | ({"X-Shopify-Name": item.name} if item.name else {})

    async def _post(self, item: Delivery) -> tuple[int | None, str | None]:
        """(status, None) or (None, what went wrong)."""
        if self._client is None:
            return None, "the sandbox is stopping"
        try:
            request = self._client.post(item.uri).headers(self.headers(item)).body_bytes(item.body.encode()).build()
            response = await request.send()
        except PyreqwestError as error:
            return None, f"{type(error).__name__}: {error}"[:300]
        return response.status, None

    def _record(self, item: Delivery, status: int | None, error: str | None) -> None:
        known = self._state.deliveries.get(item.id)
        if known is None:
            return
        item = known
        item.attempts += 1
        item.last_at = self._state.clock.now()
        subscription = self._state.subscriptions.get(item.subscription_id)
        if status is not None and 200 <= status < 300:
            if subscription is not None and _stale(subscription, item.last_at):
                subscription.last_success_at = item.last_at
                self._state.subscriptions.put(subscription)
            self._finish(item.id, item, "delivered", status, None)
            return
        pause_s = retry_after_s(item.attempts)
        if pause_s is not None:
            item.last_status, item.last_error = status, error
            item.next_at = item.last_at + timedelta(seconds=pause_s)
            self._state.deliveries.put(item)
            self._schedule(item.id, item.next_at)
            return
        self._finish(item.id, item, "failed", status, error)
        last = subscription.last_success_at if subscription else None
        if subscription is not None and (last is None or last < item.triggered_at):
            log.warning(
                "webhook subscription %d of %s is deleted: %s never answered", subscription.id, item.shop, item.uri
            )
            self._state.subscriptions.delete(subscription.id)

    def _finish(self, number: int, item: Delivery | None, status: str, code: int | None, error: str | None) -> None:
        self._state.store.db.execute("DELETE FROM webhook_queue WHERE delivery=?", (number,))
        if item is None:
            return
        item.status, item.last_status, item.last_error, item.next_at = status, code, error, None
        self._state.deliveries.put(item)
        self._since_pruned += 1
        if self._since_pruned >= KEPT // 10:
            self._since_pruned = 0
            self._prune()

    def _prune(self) -> None:
        """Keep the newest finished deliveries; disk is bounded though orders are many."""
        self._state.store.db.execute(
            "DELETE FROM doc WHERE type='webhook_delivery' AND seq <="
            " (SELECT max(seq) FROM doc WHERE type='webhook_delivery') - ?"
            " AND CAST(id AS INTEGER) NOT IN (SELECT delivery FROM webhook_queue)",
            (KEPT,),
        )


def _stale(subscription: Subscription, now: datetime) -> bool:
    """Successes are noted at most every ten seconds."""
    last = subscription.last_success_at
    return last is None or now - last > timedelta(seconds=10)
