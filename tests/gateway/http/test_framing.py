"""Security catalogue part 0 and D01, D04, D05, D16, D17: what the parser must not let through."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.http.conftest import Wire, read_all

GET = "GET /a HTTP/1.1\r\nHost: a.test\r\n"
POST = "POST /a HTTP/1.1\r\nHost: a.test\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n"

FRAMING = {
    "CL and TE": POST + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE and CL": POST + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "TE gzip, chunked": POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "TE chunked, identity": POST + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "TE identity": POST + "Transfer-Encoding: identity\r\n\r\n",
    "TE xchunked": POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "TE chunked;q=1": POST + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "TE twice": POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE twice, other": POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "TE with vertical tab": POST + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "TE in HTTP/1.0": "POST /a HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before colon": POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "CL differing": POST + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "CL equal twice": POST + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "CL list": POST + "Content-Length: 3, 3\r\n\r\nabc",
    "CL +3": POST + "Content-Length: +3\r\n\r\nabc",
    "CL -1": POST + "Content-Length: -1\r\n\r\n",
    "CL 0x3": POST + "Content-Length: 0x3\r\n\r\nabc",
    "CL empty": POST + "Content-Length: \r\n\r\n",
    "CL huge": POST + "Content-Length: 99999999999999999999999\r\n\r\n",
    "chunk size overflow": CHUNKED + "10000000000000001\r\nx\r\n0\r\n\r\n",
    "chunk size not hexadecimal": CHUNKED + "zz\r\nx\r\n0\r\n\r\n",
    "chunk with bare LF": CHUNKED + "1\nx\r\n0\r\n\r\n",
    "chunk longer than said": CHUNKED + "1\r\nxyz\r\n0\r\n\r\n",
    "trailer": CHUNKED + "1\r\nx\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
    "bare LF": GET.replace("\r\n", "\n") + "\n",
    "obs-fold": GET + "X-A: 1\r\n 2\r\n\r\n",
    "NUL in a value": GET + "X-A: 1\x002\r\n\r\n",
    "CR in a value": GET + "X-A: 1\r2\r\n\r\n",
    "space in a name": GET + "X A: 1\r\n\r\n",
    "empty name": GET + ": 1\r\n\r\n",
    "HTTP/0.9": "GET /a\r\n\r\n",
    "HTTP/3.7": "GET /a HTTP/3.7\r\nHost: a.test\r\n\r\n",
    "no Host": "GET /a HTTP/1.1\r\n\r\n",
    "no Host in HTTP/1.0": "GET /a HTTP/1.0\r\n\r\n",
    "two Host": GET + "Host: b.test\r\n\r\n",
    "two equal Host": GET + "Host: a.test\r\n\r\n",
    "bad Host": "GET /a HTTP/1.1\r\nHost: a.test/evil\r\n\r\n",
    "Host with user": "GET /a HTTP/1.1\r\nHost: x@a.test\r\n\r\n",
    "Host list": "GET /a HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n",
    "absolute form of another authority": "GET http://b.test/a HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "absolute form of another scheme": "GET ftp://a.test/a HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "fragment": "GET /a#b HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "upgrade with a body": POST + "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    "garbage": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


class TestFraming:
    @pytest.mark.parametrize("case", FRAMING)
    async def test_it_is_refused_and_nothing_after_it_is_a_request(self, wire: Wire, case: str) -> None:
        answers = await wire.talk(FRAMING[case] + SMUGGLED)
        assert answers.statuses == [400]
        assert answers.problem["code"] == "bad-framing"
        assert answers.closed
        assert "/smuggled" not in [scope["path"] for scope in wire.app.requests]

    @pytest.mark.parametrize("case", FRAMING)
    async def test_it_is_refused_byte_by_byte_as_well(self, wire: Wire, case: str) -> None:
        raw = (FRAMING[case] + SMUGGLED).encode("latin-1")
        reader, writer = await wire.open()
        step = max(1, len(raw) // 60)
        try:
            for start in range(0, len(raw), step):
                writer.write(raw[start : start + step])
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        answers = await read_all(reader, 3.0)
        writer.close()
        assert answers.statuses == [400]
        assert "/smuggled" not in [scope["path"] for scope in wire.app.requests]

    async def test_what_is_well_framed_passes(self, wire: Wire) -> None:
        answers = await wire.talk(GET + "Connection: close\r\n\r\n")
        assert answers.statuses == [200]
        answers = await wire.talk(CHUNKED + "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 0.3)
        assert answers.statuses == [200]
        assert wire.app.bodies[-1] == b"abcde"

    async def test_the_absolute_form_of_the_same_authority_passes(self, wire: Wire) -> None:
        answers = await wire.talk("GET http://A.test/b?c=1 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        assert answers.statuses == [200]
        assert wire.app.requests[-1]["path"] == "/b"

    async def test_two_pipelined_requests_are_two(self, wire: Wire) -> None:
        answers = await wire.talk(GET + "\r\n" + GET + "Connection: close\r\n\r\n")
        assert answers.statuses == [200, 200]

    async def test_garbage_after_a_good_request_does_not_cost_its_answer(self, wire: Wire) -> None:
        answers = await wire.talk(GET + "\r\n" + "\x00\x01\r\n\r\n")
        assert answers.statuses == [200]
        assert answers.closed

    async def test_bytes_after_an_upgrade_are_never_a_request(self, wire: Wire) -> None:
        answers = await wire.talk(GET + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n" + SMUGGLED)
        assert answers.statuses == [200]
        assert answers.closed
        assert len(wire.app.requests) == 1

    async def test_bytes_after_connection_close_are_never_a_request(self, wire: Wire) -> None:
        answers = await wire.talk(GET + "Connection: close\r\n\r\n" + SMUGGLED)
        assert answers.statuses == [200]
        assert len(wire.app.requests) == 1

    async def test_the_next_connection_works_after_each_refusal(self, wire: Wire) -> None:
        await wire.talk(FRAMING["CL and TE"])
        assert (await wire.talk(GET + "Connection: close\r\n\r\n")).statuses == [200]


class TestMethods:
    @pytest.mark.parametrize("line", ["TRACE /a", "OPTIONS *", "OPTIONS /a", "get /a", "BREW /a", "PROPFIND /a"])
    async def test_an_unknown_method_is_405_with_allow(self, wire: Wire, line: str) -> None:
        answers = await wire.talk(f"{line} HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert answers.statuses == [405]
        assert b"allow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n" in answers.raw
        assert answers.problem["code"] == "method-not-allowed"

    async def test_connect_is_405(self, wire: Wire) -> None:
        answers = await wire.talk("CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n")
        assert answers.statuses == [405]
        assert wire.app.requests == []

    async def test_head_has_no_body(self, wire: Wire) -> None:
        answers = await wire.talk("HEAD /a HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        assert answers.statuses == [200]
        assert answers.raw.endswith(b"\r\n\r\n")


class TestSizes:
    @pytest.mark.parametrize(
        ("raw", "status", "code"),
        [
            (GET + "X-A: " + "a" * 8_200 + "\r\n\r\n", 431, "header-too-large"),
            (GET + "X-A: " + "a" * 500_000, 431, "header-too-large"),
            (GET + "".join(f"x-{i}: {'a' * 5_000}\r\n" for i in range(8)) + "\r\n", 431, "header-too-large"),
            (GET + "".join(f"x-{i}: 1\r\n" for i in range(101)) + "\r\n", 431, "header-too-large"),
            ("GET /" + "a" * 8_300 + " HTTP/1.1\r\nHost: a.test\r\n\r\n", 414, "uri-too-long"),
            ("GET /" + "a" * 500_000, 414, "uri-too-long"),
        ],
    )
    async def test_too_large_a_header(self, wire: Wire, raw: str, status: int, code: str) -> None:
        answers = await wire.talk(raw)
        assert answers.statuses == [status]
        assert answers.problem["code"] == code
        assert wire.app.requests == []

    async def test_the_largest_header_passes(self, wire: Wire) -> None:
        raw = GET + "".join(f"x-{i}: {'a' * 300}\r\n" for i in range(98)) + "Connection: close\r\n\r\n"
        assert (await wire.talk(raw)).statuses == [200]

    async def test_a_megabyte_of_chunk_extensions_is_refused_while_it_streams(self, wire: Wire) -> None:
        answers = await wire.talk(CHUNKED + "1;" + "a" * 1_000_000 + "\r\nx\r\n0\r\n\r\n")
        assert answers.statuses == [400]

    async def test_chunk_extensions_of_one_body_add_up(self, wire: Wire) -> None:
        reader, writer = await wire.open()
        writer.write(CHUNKED.encode())
        for _ in range(30):
            writer.write(b"1;" + b"a" * 300 + b"\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0)
        answers = await read_all(reader, 3.0)
        writer.close()
        assert answers.statuses == [400]

    async def test_many_small_chunks_are_no_extension(self, wire: Wire) -> None:
        answers = await wire.talk(CHUNKED + "1\r\nx\r\n" * 20_000 + "0\r\n\r\n", 1.0)
        assert answers.statuses == [200]
        assert wire.app.bodies[-1] == b"x" * 20_000

    async def test_an_early_answer_arrives_although_the_body_is_still_coming(self, wire: Wire) -> None:
        wire.app.early = True
        answers = await wire.talk(
            POST + "Content-Length: 400000\r\n\r\n" + "a" * 400_000 + GET + "Connection: close\r\n\r\n"
        )
        assert answers.statuses == [413, 413]

    async def test_an_endless_body_after_an_early_answer_is_cut(self, wire: Wire) -> None:
        wire.app.early = True
        answers = await wire.talk(POST + "Content-Length: 90000000\r\n\r\n" + "a" * 3_000_000)
        assert answers.statuses == [413]
        assert answers.closed
