from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.address import client_address, inside, limit_key, networks, shortened

PROXIES = networks(["10.0.0.0/8", "fd00::/8"])


class TestTheTrustedWalk:
    def test_a_stranger_cannot_choose_its_address(self) -> None:
        assert client_address("203.0.113.7", [b"9.9.9.9"], PROXIES) == "203.0.113.7"

    def test_a_proxy_is_believed_about_the_one_before_it(self) -> None:
        assert client_address("10.0.0.1", [b"9.9.9.9, 203.0.113.7"], PROXIES) == "203.0.113.7"

    def test_proxies_in_a_row_are_walked_through(self) -> None:
        assert client_address("10.0.0.1", [b"203.0.113.7", b"10.0.0.2"], PROXIES) == "203.0.113.7"

    @pytest.mark.parametrize("value", [b"", b"unknown", b"not an address, 10.0.0.2", b"\xff"])
    def test_where_the_chain_breaks_the_last_good_one_counts(self, value: bytes) -> None:
        assert inside(client_address("10.0.0.1", [value], PROXIES), PROXIES)

    @given(st.lists(st.binary(max_size=40), max_size=4))
    def test_any_header_gives_an_answer(self, values: list[bytes]) -> None:
        assert client_address("10.0.0.1", values, PROXIES)


class TestKeys:
    def test_an_ipv6_client_is_its_64(self) -> None:
        assert limit_key("2001:db8:1:2::1") == limit_key("2001:db8:1:2:ffff::9")
        assert limit_key("2001:db8:1:2::1") != limit_key("2001:db8:1:3::1")

    def test_a_mapped_address_is_the_ipv4_one(self) -> None:
        assert limit_key("::ffff:203.0.113.7") == limit_key("203.0.113.7") == "203.0.113.7"

    def test_logs_get_it_shortened(self) -> None:
        assert shortened("203.0.113.7") == "203.0.113.0"
        assert shortened("2001:db8:1:2::1") == "2001:db8:1::"
        assert shortened("nonsense") == ""
