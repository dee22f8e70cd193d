"""SuiteTalk REST: records by internal or external id, SuiteQL, and the place that every call takes in the account.

Every call holds a lease of the account (strata/governor.py) while it is in flight. A caller that goes away does not
end the call: NetSuite would go on with it anyway, so it is seen through and its place is free when it is over. A call
that was given up keeps its place until NetSuite itself has surely ended it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import Struct

from strata.calls import remaining_s
from strata.errors import StrataError, Transient, UnknownOutcome
from strata.governor import Governor, Lease
from system_apis.exchange import Effect, Exchange, Reply
from system_apis.netsuite.auth import Auth
from system_apis.netsuite.backend import NetSuiteConnection
from system_apis.netsuite.refusals import refusal
from system_apis.netsuite.wire import Rows

T = TypeVar("T")

_RECORD = "/services/rest/record/v1"
_SUITEQL = "/services/rest/query/v1/suiteql"
_AGAIN_AFTER_S = 0.2
_PAGE = 1000
_LAST_CALLS_S = 3.0
_TIMEOUTS = (httpx.ReadTimeout, httpx.WriteTimeout)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Written(Struct, frozen=True):
    """A record that was written: NetSuite tells its id in `Location` alone."""

    id: str


class _Request(Struct, frozen=True):
    method: str
    url: str
    operation: str
    effect: Effect
    headers: dict[str, str]
    content: bytes


def external(key: str) -> str:
    """The path segment of a record by its external id."""
    return f"eid:{quote(key, safe=':')}"


class NetSuiteClient:
    """Calls one account."""

    def __init__(self, connection: NetSuiteConnection, exchange: Exchange, auth: Auth, governor: Governor) -> None:
        self.connection = connection
        self.name = exchange.connection
        self._exchange = exchange
        self._auth = auth
        self._governor = governor
        self._account = f"netsuite:{connection.account}"
        self._calls: set[asyncio.Task[Reply]] = set()

    async def get(self, kind: str, key: str, shape: type[T], *, fields: str = "", expand: bool = False) -> T:
        """Read a record. key: its id, or `external(...)`. Raises NotFound, and what every call may raise."""
        query = {name: value for name, value in (("fields", fields), ("expandSubResources", "true" * expand)) if value}
        reply = await self.call("GET", f"{_RECORD}/{kind}/{key}", f"{kind}:GET", "read", query=query)
        if reply.status != 200:
            raise refusal(reply, f"{self.name} has no {kind} {key}")
        return self._decode(reply, f"{kind}:GET", "read", shape)

    async def put(self, kind: str, key: str, body: Struct, *, replace: str, what: str) -> Written:
        """Create the record of an external id, or change it. replace: sublists that are replaced, not added to."""
        reply = await self.call(
            "PUT", f"{_RECORD}/{kind}/{external(key)}", f"{kind}:PUT", "write", query={"replace": replace}, body=body
        )
        return self._written(reply, what)

    async def post(self, kind: str, body: Struct, *, what: str) -> Written:
        """Create a record that has no external id."""
        return self._written(await self.call("POST", f"{_RECORD}/{kind}", f"{kind}:POST", "write", body=body), what)

    async def patch(self, kind: str, key: str, body: Struct, *, what: str) -> Written:
        """Change members of a record; lines of sublists are added, or merged by their key."""
        reply = await self.call("PATCH", f"{_RECORD}/{kind}/{key}", f"{kind}:PATCH", "write", body=body)
        return self._written(reply, what)

    async def query(self, sql: str, shape: type[T], *, limit: int = _PAGE) -> list[T]:
        """The first `limit` rows of a SuiteQL query."""
        return (await self._rows(sql, shape, limit, 0)).items

    async def query_all(self, sql: str, shape: type[T]) -> list[T]:
        """All rows of a SuiteQL query; it must have an unambiguous ORDER BY."""
        found: list[T] = []
        while True:
            page = await self._rows(sql, shape, _PAGE, len(found))
            found += page.items
            if not page.has_more or not page.items:
                return found

    async def _rows(self, sql: str, shape: type[T], limit: int, offset: int) -> Rows[T]:
        reply = await self.call(
            "POST",
            _SUITEQL,
            "suiteql",
            "read",
            query={"limit": str(limit), "offset": str(offset)},
            headers={"prefer": "transient"},
            body={"q": sql},
        )
        if reply.status != 200:
            raise refusal(reply, f"{self.name} refuses a query")
        return self._decode(reply, "suiteql", "read", Rows[shape])

    def _written(self, reply: Reply, what: str) -> Written:
        if reply.status >= 300:
            raise refusal(reply, what)
        record_id = reply.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not record_id.isdigit():
            raise UnknownOutcome(f"{what}: NetSuite took it and did not say under which id")
        return Written(record_id)

    def _decode(self, reply: Reply, operation: str, effect: Effect, shape: type[T]) -> T:
        try:
            return msgspec.json.decode(reply.body, type=shape, strict=False)
        except msgspec.ValidationError as error:
            raise StrataError(f"NetSuite's answer to {operation} has another shape: {error}") from error
        except msgspec.DecodeError as error:
            raise self._exchange.lost(operation, effect, error) from error

    async def call(
        self,
        method: str,
        path: str,
        operation: str,
        effect: Effect,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Reply:
        """Make one call and answer whatever came back.

        Raises Throttled when no place was free in time, Unreachable, Transient (a read without an answer) and
        UnknownOutcome (a write without one).
        """
        url = f"{self.connection.url}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        sent = {"accept": "application/json", **(headers or {})}
        content = b""
        if body is not None:
            content = _ENCODER.encode(body)
            sent["content-type"] = "application/json"
        request = _Request(method, url, operation, effect, sent, content)
        task = asyncio.create_task(self._governed(request))
        self._calls.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    def _over(self, task: asyncio.Task[Reply]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever waits; when nobody does any more, that is not news

    async def _governed(self, request: _Request) -> Reply:
        options = self.connection
        left = remaining_s(options.wait_s + options.request_timeout_s) - options.request_timeout_s
        async with self._governor.lease(
            self._account,
            limit=options.concurrency,
            server_limit_s=options.server_limit_s,
            wait_s=max(0.1, min(options.wait_s, left)),
        ) as lease:
            reply, authorization = await self._send(lease, request)
            if reply.status == 401:
                await asyncio.sleep(_AGAIN_AFTER_S)
                await self._auth.renew(authorization)
                reply, _ = await self._send(lease, request)
            return reply

    async def _send(self, lease: Lease, request: _Request) -> tuple[Reply, str]:
        authorization = await self._auth.header(request.method, request.url)
        lease.sending()
        try:
            reply = await self._exchange.send(
                request.method,
                request.url,
                operation=request.operation,
                effect=request.effect,
                headers={**request.headers, "authorization": authorization},
                content=request.content,
            )
        except (Transient, UnknownOutcome, asyncio.CancelledError) as error:
            if timed_out(error):
                await lease.keep_until_limit(self.connection.connect_timeout_s)
            raise
        return reply, authorization

    async def aclose(self) -> None:
        """See the calls in flight through for some seconds, then leave them to NetSuite."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=_LAST_CALLS_S)
        left = list(self._calls)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def timed_out(error: BaseException) -> bool:
    """Whether the request may still be running at NetSuite: it was sent, and we stopped waiting.

    A connection that NetSuite closed is not that: nothing is behind it any more.
    """
    return isinstance(error, asyncio.CancelledError) or isinstance(error.__cause__, _TIMEOUTS)
