"""The one place that decides how we speak HTTP to backends: httpx's API over a faster transport."""

from __future__ import annotations

from datetime import timedelta

import httpx
from pyreqwest.client import ClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport


class _Transport(httpx.AsyncBaseTransport):
    """pyreqwest's adapter, mended in two places that decide whether a write may have happened (contract C3).

    pyreqwest names everything that goes wrong before an answer a connect error, also a connection that broke after the
    request was sent; only the chain of causes tells. And it adds httpx's four timeouts up into one: the limits of the
    client below are the only ones that count here.
    """

    def __init__(self, inner: HttpxTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {key: value for key, value in request.extensions.items() if key != "timeout"}
        try:
            return await self._inner.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.TimeoutException) as error:
            if "client error (Connect)" in repr(error.__cause__):
                timed_out = isinstance(error, httpx.TimeoutException)
                kind = httpx.ConnectTimeout if timed_out else httpx.ConnectError
                raise kind("the backend was not reached", request=request) from error
            if isinstance(error, httpx.PoolTimeout):
                raise
            if isinstance(error, httpx.TimeoutException):
                raise httpx.ReadTimeout("no answer in time", request=request) from error
            raise httpx.ReadError("the connection broke before the answer", request=request) from error

    async def aclose(self) -> None:
        await self._inner.aclose()


def client(
    base_url: str = "",
    *,
    timeout_s: float = 30.0,
    connect_timeout_s: float = 5.0,
    connections: int = 20,
    user_agent: str = "Strata/0.1",
) -> httpx.AsyncClient:
    """An HTTP client for one backend account.

    timeout_s: the whole exchange; connect_timeout_s: until the connection stands. httpx.ConnectError, ConnectTimeout
    and PoolTimeout mean that nothing was sent; any other httpx.TransportError that it may have been. Follows no
    redirect, reads no proxy from the environment, keeps no cookies. Close it with `aclose()`.
    """
    builder = (
        ClientBuilder()
        .timeout(timedelta(seconds=timeout_s))
        .connect_timeout(timedelta(seconds=connect_timeout_s))
        .max_connections(connections)
        .pool_timeout(timedelta(seconds=timeout_s))
        .pool_idle_timeout(timedelta(seconds=30))
        .no_proxy()
        .http1_only()
    )
    return httpx.AsyncClient(
        base_url=base_url,
        transport=_Transport(HttpxTransport(builder.build())),
        timeout=None,  # noqa: S113  # set on the transport above
        follow_redirects=False,
        trust_env=False,
        headers={"user-agent": user_agent},
    )
