"""Token-based authentication is verified to the letter."""

# tables of cases read best a case a line
from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.netsuite.oauth1 import BadSignature, TokenKeys, Verifier, base_string, base_url, form_pairs, sign

VECTORS = json.loads((Path(__file__).parent / "data" / "oauth1-vectors.json").read_text())
KEYS = TokenKeys(
    VECTORS["consumer_key"],
    VECTORS["consumer_secret"],
    VECTORS["token_id"],
    VECTORS["token_secret"],
    VECTORS["realm"],
)
AT = datetime.fromtimestamp(int(VECTORS["timestamp"]), UTC)


def header(signature: str, **more: str) -> str:
    members = {
        "realm": KEYS.realm,
        "oauth_consumer_key": KEYS.consumer_key,
        "oauth_token": KEYS.token_id,
        "oauth_nonce": VECTORS["nonce"],
        "oauth_timestamp": VECTORS["timestamp"],
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_version": "1.0",
        "oauth_signature": signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        **more,
    }
    return "OAuth " + ", ".join(f'{name}="{value}"' for name, value in members.items())


def verify(
    vector: dict[str, Any], authorization: str, verifier: Verifier | None = None, now: datetime = AT
) -> TokenKeys:
    parts = urlsplit(vector["url"])
    return (verifier or Verifier([KEYS])).verify(
        method=vector["method"],
        scheme=parts.scheme,
        host=parts.netloc,
        raw_path=parts.path,
        query=parts.query,
        authorization=authorization,
        now=now,
    )


@pytest.mark.parametrize("vector", VECTORS["rest"], ids=lambda v: v["url"][:60])
def test_published_vectors_give_their_base_string_and_signature(vector: dict[str, Any]) -> None:
    parts = urlsplit(vector["url"])
    signed = [
        ("oauth_consumer_key", KEYS.consumer_key),
        ("oauth_token", KEYS.token_id),
        ("oauth_nonce", VECTORS["nonce"]),
        ("oauth_timestamp", VECTORS["timestamp"]),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_version", "1.0"),
        *form_pairs(parts.query),
    ]
    base = base_string(vector["method"], base_url(parts.scheme, parts.netloc, parts.path), signed)
    assert base == vector["base_string"]
    assert sign(base, KEYS.consumer_secret, KEYS.token_secret) == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["rest"], ids=lambda v: v["url"][:60])
def test_a_right_signature_names_the_token(vector: dict[str, Any]) -> None:
    assert verify(vector, header(vector["signature"])) == KEYS


@pytest.mark.parametrize(
    "change",
    [
        {"method": "DELETE"},
        {"url": VECTORS["rest"][2]["url"] + "&extra=1"},
        {"url": VECTORS["rest"][2]["url"].replace(":8082", ":8083")},
        {"url": VECTORS["rest"][2]["url"].replace("http:", "https:")},
        {"url": VECTORS["rest"][2]["url"].replace("/customer", "/customer/")},
    ],
)
def test_whatever_is_signed_cannot_be_changed(change: dict[str, str]) -> None:
    vector = VECTORS["rest"][2]
    with pytest.raises(BadSignature):
        verify({**vector, **change}, header(vector["signature"]))


def test_a_nonce_is_good_for_one_request() -> None:
    vector, verifier = VECTORS["rest"][1], Verifier([KEYS])
    verify(vector, header(vector["signature"]), verifier)
    with pytest.raises(BadSignature, match="nonce"):
        verify(vector, header(vector["signature"]), verifier)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_timestamps_outside_five_minutes_are_refused(seconds: int) -> None:
    vector = VECTORS["rest"][1]
    now = datetime.fromtimestamp(int(VECTORS["timestamp"]) + seconds, UTC)
    with pytest.raises(BadSignature, match="timestamp"):
        verify(vector, header(vector["signature"]), now=now)


@pytest.mark.parametrize(
    "more",
    [
        {"realm": "123457"},
        {"oauth_signature_method": "HMAC-SHA1"},
        {"oauth_consumer_key": "0" * 64},
        {"oauth_version": "2.0"},
        {"oauth_nonce": ""},
        {"oauth_body_hash": "c2lnbmVkIHRvbw%3D%3D"},
    ],
    ids=str,
)
def test_a_member_of_the_header_cannot_be_changed_or_added(more: dict[str, str]) -> None:
    vector = VECTORS["rest"][1]
    with pytest.raises(BadSignature):
        verify(vector, header(vector["signature"], **more))


def test_the_default_port_is_not_part_of_the_signed_url() -> None:
    assert base_url("HTTPS", "Example.com:443", "/a%2Fb") == "https://example.com/a%2Fb"
    assert base_url("http", "example.com:443", "/") == "http://example.com:443/"


@pytest.mark.parametrize("text", ["OAuth", "Basic abc", 'OAuth realm="1" garbage', 'OAuth a="1", a="2"'])
def test_unreadable_headers_are_refused(text: str) -> None:
    with pytest.raises(BadSignature):
        verify(VECTORS["rest"][1], text)
