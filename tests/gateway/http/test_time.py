"""Security catalogue D06 and D25: nobody may hold a connection by being slow."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from gateway.core.admit import WireLimits
from tests.gateway.http.conftest import FAST, Echo, Wire, a_wire, read_all

GET = b"GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a.test\r\n"


class TestSlowHeader:
    async def test_half_a_header_then_silence_is_408(self, wire: Wire) -> None:
        answers = await wire.talk(b"GET /a HTTP/1.1\r\nHost: a.test\r\n")
        assert answers.statuses == [408]
        assert answers.problem["code"] == "request-timeout"
        assert answers.closed

    async def test_a_byte_now_and_then_is_408(self, wire: Wire) -> None:
        reader, writer = await wire.open()
        writer.write(b"GET /a HTTP/1.1\r\nHost: a.test\r\nX-A: ")
        begun = time.monotonic()
        reading = asyncio.create_task(read_all(reader, 3.0))
        while not reading.done() and time.monotonic() - begun < 3:
            writer.write(b"a")
            await asyncio.sleep(0.05)
        answers = await reading
        assert answers.statuses == [408]
        assert time.monotonic() - begun < 3
        writer.close()


class TestSlowBody:
    async def test_one_byte_then_silence_is_408_and_the_application_learns_of_it(self, wire: Wire) -> None:
        answers = await wire.talk(POST + b"Content-Length: 100\r\n\r\nx")
        assert answers.statuses == [408]
        assert answers.closed
        assert wire.app.bodies == []

    async def test_below_the_floor_is_408(self, wire: Wire) -> None:
        reader, writer = await wire.open()
        writer.write(POST + b"Content-Length: 100000\r\n\r\n")
        reading = asyncio.create_task(read_all(reader, 4.0))
        while not reading.done():
            writer.write(b"a" * 10)
            await asyncio.sleep(0.05)
        assert (await reading).statuses == [408]
        writer.close()

    async def test_above_the_floor_passes_however_long_it_takes(self, wire: Wire) -> None:
        reader, writer = await wire.open()
        writer.write(POST + b"Content-Length: 6000\r\nConnection: close\r\n\r\n")
        for _ in range(20):
            writer.write(b"a" * 300)
            await writer.drain()
            await asyncio.sleep(0.1)
        assert (await read_all(reader, 2.0)).statuses == [200]
        assert wire.app.bodies == [b"a" * 6000]
        writer.close()

    async def test_a_slow_application_is_not_the_clients_fault(self) -> None:
        class Slow(Echo):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await asyncio.sleep(2.0)
                await super().__call__(scope, receive, send)

        async with a_wire(Slow()) as wire:
            answers = await wire.talk(
                POST + b"Content-Length: 200000\r\nConnection: close\r\n\r\n" + b"a" * 200_000, 4.0
            )
            assert answers.statuses == [200]


class TestSlowReader:
    async def test_who_takes_nothing_is_dropped(self) -> None:
        app = Echo()
        app.answer = b"a" * 20_000_000
        async with a_wire(app, FAST) as wire:
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port, limit=1_024)
            writer.write(GET)
            await asyncio.sleep(1.2)  # the reader's buffer is full and nothing is taken from it
            answers = await read_all(reader, 3.0)
            assert answers.closed
            assert len(answers.raw) < 20_000_000
            writer.close()


class TestIdle:
    async def test_a_connection_without_a_byte_is_closed_without_an_answer(self, wire: Wire) -> None:
        answers = await wire.talk(b"")
        assert answers.closed
        assert answers.raw == b""

    async def test_an_idle_connection_is_closed(self, wire: Wire) -> None:
        answers = await wire.talk(GET)
        assert answers.statuses == [200]
        assert answers.closed

    async def test_empty_lines_are_no_request(self, wire: Wire) -> None:
        answers = await wire.talk(b"\r\n\r\n")
        assert answers.raw == b""
        assert answers.closed


class TestManyConnections:
    async def test_one_address_has_a_cap_and_gets_its_places_back(self) -> None:
        async with a_wire(Echo(), WireLimits(connections_per_address=3)) as wire:
            open_ones = [await wire.open() for _ in range(3)]
            for reader, writer in open_ones:
                writer.write(GET)
                assert await reader.readuntil(b"\r\n\r\n")
            refused = await wire.talk(GET, 0.5)
            assert refused.closed
            assert refused.statuses == []
            open_ones[0][1].close()
            await asyncio.sleep(0.05)
            assert (await wire.talk(GET, 0.2)).statuses == [200]
            for _, writer in open_ones:
                writer.close()

    async def test_a_trusted_proxy_brings_the_connections_of_many(self) -> None:
        async with a_wire(Echo(), WireLimits(connections_per_address=1), proxies=("127.0.0.0/8",)) as wire:
            open_ones = [await wire.open() for _ in range(5)]
            for reader, writer in open_ones:
                writer.write(GET)
                assert await reader.readuntil(b"\r\n\r\n")
                writer.close()


class TestEarlyEnds:
    async def test_a_reset_in_the_middle_leaves_the_server_well(self, wire: Wire) -> None:
        for raw in (b"GET /a HT", POST + b"Content-Length: 10\r\n\r\nabc", GET):
            _, writer = await wire.open()
            writer.write(raw)
            await writer.drain()
            writer.transport.abort()
        await asyncio.sleep(0.05)
        assert (await wire.talk(GET, 0.2)).statuses == [200]
