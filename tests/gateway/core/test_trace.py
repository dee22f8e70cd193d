from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.trace import parse, sane_request_id, traceparent

TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = b"00f067aa0ba902b7"
GOOD = b"00-" + TRACE + b"-" + SPAN + b"-01"


class TestTraceparent:
    def test_a_valid_one_is_continued(self) -> None:
        caller = parse([GOOD], [b"a=1", b"b=2"])
        assert caller is not None
        assert (caller.trace_id, caller.span_id, caller.flags) == (TRACE.decode(), SPAN.decode(), 1)
        assert caller.state == b"a=1,b=2"
        assert traceparent(caller.trace_id, caller.span_id, caller.flags) == GOOD

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"00-" + b"0" * 32 + b"-" + SPAN + b"-01",
            b"00-" + TRACE + b"-" + b"0" * 16 + b"-01",
            b"00-" + TRACE.upper() + b"-" + SPAN + b"-01",
            b"ff-" + TRACE + b"-" + SPAN + b"-01",
            GOOD + b"-extra",
            GOOD[:-1],
            b" " + GOOD,
        ],
    )
    def test_anything_else_starts_a_new_trace(self, value: bytes) -> None:
        assert parse([value], [b"a=1"]) is None

    def test_two_are_none(self) -> None:
        assert parse([GOOD, GOOD], []) is None

    def test_a_higher_version_is_read_as_far_as_it_is_known(self) -> None:
        caller = parse([b"cc-" + TRACE + b"-" + SPAN + b"-01-what-comes"], [])
        assert caller is not None
        assert caller.trace_id == TRACE.decode()

    def test_the_random_flag_is_kept_and_unknown_ones_are_not(self) -> None:
        caller = parse([GOOD[:-2] + b"ff"], [])
        assert caller is not None
        assert caller.flags == 3


class TestTracestate:
    @pytest.mark.parametrize("state", [b"a", b"A=1", b"a=1,a=2", b"a=\xff", b"a=1\n", b"=1"])
    def test_a_broken_one_is_dropped_whole(self, state: bytes) -> None:
        caller = parse([GOOD], [state])
        assert caller is not None
        assert caller.state == b""

    def test_more_than_32_members_are_dropped(self) -> None:
        caller = parse([GOOD], [b",".join(b"k%d=1" % i for i in range(33))])
        assert caller is not None
        assert caller.state == b""

    def test_long_members_go_first_and_order_is_kept(self) -> None:
        long = b"long=" + b"x" * 200
        short = [b"k%d=%s" % (i, b"y" * 30) for i in range(10)]
        caller = parse([GOOD], [b",".join([long, *short])])
        assert caller is not None
        assert caller.state == b",".join(short)

    @given(st.lists(st.binary(max_size=80), max_size=3), st.lists(st.binary(max_size=600), max_size=3))
    def test_whatever_comes_stays_within_bounds(self, parents: list[bytes], states: list[bytes]) -> None:
        caller = parse([GOOD, *parents][:1], states)
        assert caller is not None
        assert len(caller.state) <= 512
        assert caller.state.isascii()


class TestRequestId:
    @pytest.mark.parametrize(
        "value", [None, b"", b"short", b"x" * 129, b"has space 12", b"a\r\nb: c12345", b"\xffabcdefgh"]
    )
    def test_an_odd_one_is_replaced(self, value: bytes | None) -> None:
        assert sane_request_id(value) is None

    def test_a_sane_one_is_kept(self) -> None:
        assert sane_request_id(b"order-123.abc_~X") == "order-123.abc_~X"
