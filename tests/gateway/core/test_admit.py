from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.admit import (
    accepts,
    answer_headers,
    canonical_path,
    check_header,
    check_query,
    forwarded,
    media_type,
)
from gateway.core.problem import ProblemError


class TestCanonicalPath:
    @pytest.mark.parametrize(
        "raw",
        [
            b"/a/../b",
            b"/a/./b",
            b"/..",
            b"/a/%2e%2e/b",
            b"/a/%2E./b",
            b"/a/%252e%252e/b",
            b"/a/..;/b",
            b"/a;x=y/b",
            b"/a%3bx/b",
            b"/a\\b",
            b"/a%5cb",
            b"//a",
            b"/a//b",
            b"/a%2fb",
            b"/a%2Fb",
            b"/a%00b",
            b"/a%0d%0ab",
            b"/a%7fb",
            b"/a%c0%af",
            b"/a%ff",
            b"/a%zz",
            b"/a%2",
            b"/a%c2%85b",
            b"a/b",
            b"",
            b"/\xc3\xa4",
            b"/" + b"/".join([b"a"] * 65),
        ],
    )
    def test_what_two_readers_could_understand_differently_is_refused(self, raw: bytes) -> None:
        with pytest.raises(ProblemError) as refused:
            canonical_path(raw)
        assert refused.value.slug == "invalid-path"

    def test_a_plain_path_is_itself(self) -> None:
        assert canonical_path(b"/web/v1/orders/sh:demo:order:1") == (
            "/web/v1/orders/sh:demo:order:1",
            b"/web/v1/orders/sh:demo:order:1",
            ["web", "v1", "orders", "sh:demo:order:1"],
        )

    def test_escapes_have_one_spelling(self) -> None:
        assert canonical_path(b"/a%3ab/%23100%31")[1] == b"/a:b/%231001"

    def test_a_trailing_slash_is_an_empty_last_segment(self) -> None:
        assert canonical_path(b"/a/")[2] == ["a", ""]

    def test_too_long_is_414(self) -> None:
        with pytest.raises(ProblemError) as refused:
            canonical_path(b"/" + b"a" * 8_200)
        assert refused.value.slug == "uri-too-long"

    @given(st.binary(max_size=60))
    def test_whatever_comes_is_refused_or_in_one_form(self, raw: bytes) -> None:
        try:
            decoded, encoded, segments = canonical_path(b"/" + raw)
        except ProblemError:
            return
        assert canonical_path(encoded) == (decoded, encoded, segments)
        assert unquote(encoded.decode()) == decoded
        assert ".." not in segments
        assert not any("\\" in segment or "/" in segment or "\x00" in segment for segment in segments)

    @given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
    def test_segments_survive_when_they_may(self, parts: list[str]) -> None:
        try:
            found = canonical_path(("/" + "/".join(quote(part, safe="") for part in parts)).encode())[2]
        except (ProblemError, UnicodeEncodeError):
            return
        assert found == parts


class TestQuery:
    @pytest.mark.parametrize(
        "query",
        [
            b"a=1&a=2",
            b"a=1;b=2",
            b"a=%zz",
            b"a=%00",
            b"a=%ff",
            b"\xe4=1",
            b"&".join(b"a%d=1" % i for i in range(101)),
        ],
    )
    def test_ambiguity_is_refused(self, query: bytes) -> None:
        with pytest.raises(ProblemError) as refused:
            check_query(query, frozenset())
        assert refused.value.slug == "invalid-parameter"

    def test_a_list_may_repeat(self) -> None:
        check_query(b"a=1&a=2&b=3", frozenset({"a"}))

    def test_a_plus_and_an_escape_name_the_same_parameter(self) -> None:
        with pytest.raises(ProblemError):
            check_query(b"a+b=1&a%20b=2", frozenset())


class TestHeader:
    @pytest.mark.parametrize(
        ("headers", "slug"),
        [
            ([(b"x", b"a" * 8_193)], "header-too-large"),
            ([(b"x%d" % i, b"a" * 5_000) for i in range(7)], "header-too-large"),
            ([(b"x%d" % i, b"") for i in range(101)], "header-too-large"),
            ([(b"authorization", b"a"), (b"authorization", b"a")], "invalid-parameter"),
            ([(b"content-type", b"a"), (b"content-type", b"b")], "invalid-parameter"),
            ([(b"idempotency-key", b"a"), (b"idempotency-key", b"b")], "invalid-parameter"),
            ([(b"content-encoding", b"gzip")], "unsupported-media-type"),
            ([(b"content-encoding", b"identity, br")], "unsupported-media-type"),
        ],
    )
    def test_it_is_refused(self, headers: list[tuple[bytes, bytes]], slug: str) -> None:
        with pytest.raises(ProblemError) as refused:
            check_header(headers)
        assert refused.value.slug == slug

    def test_identity_is_no_coding(self) -> None:
        check_header([(b"content-encoding", b"identity"), (b"x", b"1"), (b"x", b"2")])


class TestForwarded:
    @pytest.mark.parametrize(
        "name",
        [
            b"connection",
            b"keep-alive",
            b"proxy-authorization",
            b"te",
            b"trailer",
            b"transfer-encoding",
            b"upgrade",
            b"strata-identity",
            b"strata_identity",
            b"x-strata-partner",
            b"x_strata_partner",
            b"x-forwarded-for",
            b"x_forwarded_host",
            b"forwarded",
            b"x-real-ip",
            b"x-original-url",
            b"x-rewrite-url",
            b"x-http-method-override",
            b"client-cert",
            b"x-ssl-client-dn",
            b"authorization",
            b"cookie",
            b"baggage",
            b"traceparent",
        ],
    )
    def test_a_client_cannot_say_this_to_a_service(self, name: bytes) -> None:
        assert forwarded([(name, b"x"), (b"accept", b"*/*")], keep_authorization=False) == [(b"accept", b"*/*")]

    def test_what_connection_names_stays_here(self) -> None:
        headers = [(b"connection", b"close, X-Tenant"), (b"x-tenant", b"a"), (b"x-other", b"b")]
        assert forwarded(headers, keep_authorization=False) == [(b"x-other", b"b")]

    def test_an_ingress_keeps_what_the_sender_proves_itself_with(self) -> None:
        headers = [(b"authorization", b"Basic x"), (b"x-shopify-hmac-sha256", b"y")]
        assert forwarded(headers, keep_authorization=True) == headers


class TestAnswers:
    def test_control_characters_never_leave(self) -> None:
        kept, dropped = answer_headers(
            [(b"location", b"/a\r\nset-cookie: x"), (b"x-a", b"1\x00"), (b"server", b"x"), (b"X-Ok", b"1")]
        )
        assert kept == [(b"x-ok", b"1")]
        assert dropped == 2

    @pytest.mark.parametrize(
        "name",
        [b"x-request-id", b"RateLimit", b"ratelimit-policy", b"x-content-type-options", b"Strict-Transport-Security"],
    )
    def test_what_the_gateway_says_is_said_once(self, name: bytes) -> None:
        assert answer_headers([(name, b"x"), (b"x-ok", b"1")]) == ([(b"x-ok", b"1")], 0)

    def test_what_connection_names_goes_no_further(self) -> None:
        headers = [(b"Connection", b"close, X-Hop"), (b"x-hop", b"a"), (b"x-ok", b"1")]
        assert answer_headers(headers) == ([(b"x-ok", b"1")], 0)

    @pytest.mark.parametrize("name", [b"", b"x a", b"x:y", b"x\r\nset-cookie", b"x\x00"])
    def test_a_name_that_is_no_token_never_leaves(self, name: bytes) -> None:
        assert answer_headers([(name, b"1")]) == ([], 1)


class TestMediaTypes:
    @pytest.mark.parametrize(
        ("accept", "good"),
        [
            (b"application/json", True),
            (b"text/html, */*;q=0.1", True),
            (b"application/*", True),
            (b"APPLICATION/JSON; q=1", True),
            (b"text/html", False),
            (b"application/json;q=0", False),
            (b"application/json;q=0, */*", False),
            (b"*/*;q=0", False),
            (b"application/json;q=x", False),
            (b"", False),
        ],
    )
    def test_accept(self, accept: bytes, good: bool) -> None:
        assert accepts(accept, frozenset({b"application/json"})) is good

    @given(st.binary(max_size=200))
    def test_any_accept_is_answered(self, accept: bytes) -> None:
        accepts(accept, frozenset({b"application/json"}))

    def test_parameters_are_left_out(self) -> None:
        assert media_type(b"Application/JSON; charset=utf-8") == b"application/json"
