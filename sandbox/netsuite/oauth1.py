"""Token-based authentication: OAuth 1.0a with HMAC-SHA256, to the letter (RFC 5849; Oracle section_1534941295).

The URL is rebuilt as the caller saw it: scheme, Host header with a port that is not the scheme's own, raw path.
Every `oauth_*` member of the header but the signature counts, whatever it is (`oauth_body_hash` of some clients too).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote, unquote, unquote_plus

import msgspec

WINDOW_S = 300
METHODS = {"HMAC-SHA256": hashlib.sha256}
PAIR = re.compile(r'\s*([A-Za-z0-9_.~-]+)\s*=\s*"([^"]*)"\s*(?:,|$)')
REQUIRED = ("oauth_consumer_key", "oauth_token", "oauth_nonce", "oauth_timestamp", "oauth_signature_method")


class BadSignature(Exception):
    """Why a request was refused, for the sandbox's log; the caller only ever learns `INVALID_LOGIN`."""


class TokenKeys(msgspec.Struct, frozen=True):
    """What an integration record and an access token consist of."""

    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str
    realm: str


def encode(text: str) -> str:
    """Percent-encoding of RFC 5849 3.6: everything but letters, digits and `-._~`."""
    return quote(text, safe="~")


def parse_header(header: str) -> dict[str, str]:
    """Members of `Authorization: OAuth ...`, decoded. Raises BadSignature if the text is not of that form."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "oauth":
        raise BadSignature("not an OAuth header")
    members: dict[str, str] = {}
    at = 0
    rest = rest.strip()
    while at < len(rest):
        found = PAIR.match(rest, at)
        if found is None:
            raise BadSignature(f"unreadable header at {at}")
        name, value = unquote(found[1]), unquote(found[2])
        if name in members:
            raise BadSignature(f"{name} twice")
        members[name] = value
        at = found.end()
    return members


def form_pairs(text: str) -> list[tuple[str, str]]:
    """Decoded pairs of a query or form body; blanks are kept, an empty text has none (RFC 5849 3.4.1.3.1)."""
    if not text:
        return []
    pairs = (part.partition("=") for part in text.split("&") if part)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


def base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Signature base string of RFC 5849 3.4.1. url: without query and fragment, as rebuilt by `base_url`."""
    pairs = sorted((encode(name), encode(value)) for name, value in parameters)
    normal = "&".join(f"{name}={value}" for name, value in pairs)
    return f"{method.upper()}&{encode(url)}&{encode(normal)}"


def base_url(scheme: str, host: str, raw_path: str) -> str:
    """Base string URI of RFC 5849 3.4.1.2: lower-case scheme and host, no default port, the path untouched."""
    scheme, host = scheme.lower(), host.lower()
    name, colon, port = host.rpartition(":")
    if colon and port == {"http": "80", "https": "443"}.get(scheme):
        host = name
    return f"{scheme}://{host}{raw_path or '/'}"


def sign(base: str, consumer_secret: str, token_secret: str) -> str:
    key = f"{encode(consumer_secret)}&{encode(token_secret)}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Nonces:
    """Nonces seen within the window, per token; older ones can no longer pass the timestamp check."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, int, str]] = set()
        self._order: deque[tuple[str, int, str]] = deque()

    def first_use(self, token: str, timestamp: int, nonce: str, now: int) -> bool:
        while self._order and self._order[0][1] < now - WINDOW_S:
            self._seen.discard(self._order.popleft())
        entry = (token, timestamp, nonce)
        if entry in self._seen:
            return False
        self._seen.add(entry)
        self._order.append(entry)
        return True


class Verifier:
    """Checks requests against the tokens of the account."""

    def __init__(self, tokens: Sequence[TokenKeys]) -> None:
        self._tokens = {(t.consumer_key, t.token_id): t for t in tokens}
        self._nonces = Nonces()

    def verify(
        self,
        *,
        method: str,
        scheme: str,
        host: str,
        raw_path: str,
        query: str,
        authorization: str,
        form: str = "",
        now: datetime,
    ) -> TokenKeys:
        """The token that signed the request. form: the body of a form-encoded request. Raises BadSignature."""
        members = parse_header(authorization)
        lacking = [name for name in REQUIRED if not members.get(name)]
        if lacking:
            raise BadSignature(f"without {', '.join(lacking)}")
        if members["oauth_signature_method"] not in METHODS:
            raise BadSignature(f"signature method {members['oauth_signature_method']} is not supported")
        if members.get("oauth_version", "1.0") != "1.0":
            raise BadSignature("oauth_version is not 1.0")
        keys = self._tokens.get((members["oauth_consumer_key"], members["oauth_token"]))
        if keys is None:
            raise BadSignature("unknown consumer key or token")
        if members.get("realm") != keys.realm:
            raise BadSignature(f"realm {members.get('realm')!r} is not this account")
        signed = [(n, v) for n, v in members.items() if n not in ("realm", "oauth_signature")]
        base = base_string(method, base_url(scheme, host, raw_path), [*signed, *form_pairs(query), *form_pairs(form)])
        expected = sign(base, keys.consumer_secret, keys.token_secret)
        if not hmac.compare_digest(expected, members.get("oauth_signature", "")):
            raise BadSignature(f"signature does not match; base string {base}")
        self._check_freshness(keys.token_id, members["oauth_timestamp"], members["oauth_nonce"], now)
        return keys

    def _check_freshness(self, token: str, timestamp: str, nonce: str, now: datetime) -> None:
        seconds = int(now.timestamp())
        if not (timestamp.isascii() and timestamp.isdigit()) or abs(int(timestamp) - seconds) > WINDOW_S:
            raise BadSignature(f"timestamp {timestamp} is more than {WINDOW_S} s away")
        if not self._nonces.first_use(token, int(timestamp), nonce, seconds):
            raise BadSignature("nonce used before")
