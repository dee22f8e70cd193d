"""What the HTTP client says of a failed request decides whether a write is looked up before it is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from strata import http
from tests.conftest import free_port

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def backend(behave: Behaviour) -> AsyncIterator[str]:
    server = await asyncio.start_server(behave, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    await writer.drain()


async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    await reader.read()
    writer.close()


async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.transport.abort()


async def stops_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
    writer.close()


NOTHING_WAS_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TestWhatFailureSays:
    async def test_an_answer_is_an_answer(self) -> None:
        async with backend(answers) as url, http.client(url) as client:
            assert (await client.put("/x", content=b"1")).text == "ok"

    async def test_a_refused_connection_sent_nothing(self) -> None:
        async with http.client(f"http://127.0.0.1:{free_port()}") as client:
            with pytest.raises(httpx.ConnectError):
                await client.put("/x", content=b"1")

    @pytest.mark.parametrize("behave", [never_answers, breaks_off, stops_in_the_middle])
    async def test_a_request_that_was_sent_is_never_told_as_not_sent(self, behave: Behaviour) -> None:
        async with backend(behave) as url, http.client(url, timeout_s=0.3) as client:
            with pytest.raises(httpx.RequestError) as failure:
                await client.put("/x", content=b"1")
        assert not isinstance(failure.value, NOTHING_WAS_SENT)

    async def test_the_time_limit_is_the_one_that_was_set(self) -> None:
        async with backend(never_answers) as url, http.client(url, timeout_s=0.3, connect_timeout_s=5) as client:
            with pytest.raises(httpx.ReadTimeout):
                async with asyncio.timeout(1.5):
                    await client.put("/x", content=b"1")
