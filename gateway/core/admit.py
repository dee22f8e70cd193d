"""What may enter: sizes, the canonical path, header hygiene, media types. Pure; used by the ASGI shell and by the
HTTP protocol class, so that the same rule holds whichever server runs the gateway.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from msgspec import Struct

from gateway.asgi import Headers
from gateway.core.problem import ProblemError


class WireLimits(Struct, frozen=True):
    """Sizes and times on the wire. Every number has a test (security catalogue D04 to D06)."""

    uri_bytes: int = 8_192  # path and query
    field_bytes: int = 8_192  # name and value of one field
    header_bytes: int = 32_768  # all fields together
    header_fields: int = 100
    path_segments: int = 64
    query_names: int = 100
    header_deadline_s: float = 10.0  # first byte to the end of the header
    idle_s: float = 60.0  # between requests, and before the first byte
    write_s: float = 30.0  # a reader that takes nothing for this long is dropped
    body_grace_s: float = 5.0
    body_floor_bytes_s: int = 1_024  # after the grace
    chunk_overhead_bytes: int = 4_096  # chunk extensions of one body
    drain_bytes: int = 16_777_216  # read and thrown away after an early answer, then the connection is closed
    connections_per_address: int = 512


LIMITS: Final = WireLimits()

# fields of one connection (RFC 9110 section 7.6.1) and those with which a client could claim to be another
HOP_BY_HOP: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_NEVER_FORWARDED: Final = HOP_BY_HOP | {
    b"proxy-authorization",
    b"proxy-authenticate",
    b"http2-settings",
    b"forwarded",
    b"x-real-ip",
    b"cf-connecting-ip",
    b"true-client-ip",
    b"x-original-url",
    b"x-rewrite-url",
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    b"client-cert",
    b"client-cert-chain",
    b"baggage",
    b"traceparent",
    b"tracestate",
    b"x-request-id",
    b"expect",
    b"content-encoding",
}
_FORBIDDEN_PREFIXES: Final = (b"strata-", b"x-strata-", b"x-forwarded-", b"x-ssl-client", b"proxy-")
_ONCE: Final = frozenset((b"authorization", b"idempotency-key", b"content-type", b"content-encoding"))

_PLAIN_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~:@!$&'()*+,=-][A-Za-z0-9._~:@!$&'()*+,=-]*)+|/")
_ENCODED_TRAP: Final = re.compile(r"%(?:2[ef]|5c|00|25[0-9a-f]{2})", re.IGNORECASE)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SEGMENT_SAFE: Final = "~:@!$&'()*+,=-._"
_LAST_CONTROL: Final = 0x1F
_DELETE: Final = 0x7F
_LAST_C1: Final = 0x9F


def canonical_path(raw: bytes, limits: WireLimits = LIMITS) -> tuple[str, bytes, list[str]]:
    """The one form of a path that routing, policies and the service behind see: (decoded, encoded, segments).

    raw: the path as sent, without query. Raises ProblemError invalid-path for everything that two readers could
    understand differently: dot and empty segments, encoded separators, double encoding, `;`, `\\`, controls, bad
    UTF-8 (security catalogue D15); uri-too-long.
    """
    if len(raw) > limits.uri_bytes:
        raise ProblemError("uri-too-long", f"The limit is {limits.uri_bytes} bytes.")
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise ProblemError("invalid-path", "Percent-encode what is not ASCII.") from None
    if _PLAIN_PATH.fullmatch(text) and text.count("/") <= limits.path_segments:
        return text, raw, text.split("/")[1:]
    if not text.startswith("/"):
        raise ProblemError("invalid-path", "The path has to start with a slash.")
    if _ENCODED_TRAP.search(text) or _BAD_ESCAPE.search(text):
        raise ProblemError("invalid-path", "An escape stands for a separator, is doubled or is broken.")
    segments = [_segment(part) for part in text.split("/")[1:]]
    if len(segments) > limits.path_segments:
        raise ProblemError("invalid-path", f"More than {limits.path_segments} segments.")
    if "" in segments[:-1]:
        raise ProblemError("invalid-path", "A segment is empty.")
    encoded = "/" + "/".join(quote(segment, safe=_SEGMENT_SAFE) for segment in segments)
    return "/" + "/".join(segments), encoded.encode(), segments


def _segment(part: str) -> str:
    try:
        text = unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        raise ProblemError("invalid-path", "A segment is not UTF-8.") from None
    if text in {".", ".."}:
        raise ProblemError("invalid-path", "Dot segments are not resolved.")
    if any(c in ";\\" or ord(c) <= _LAST_CONTROL or _DELETE <= ord(c) <= _LAST_C1 for c in text):
        raise ProblemError("invalid-path", "A segment has a semicolon, a backslash or a control character.")
    return text


def check_query(query: bytes, lists: frozenset[str], limits: WireLimits = LIMITS) -> None:
    """Refuse a query that two readers could understand differently (security catalogue D20).

    lists: the names that the contract declares as arrays; only they may repeat. Raises ProblemError
    invalid-parameter.
    """
    if not query:
        return
    try:
        text = query.decode("ascii")
        if _BAD_ESCAPE.search(text) or ";" in text:
            raise ProblemError("invalid-parameter", "The query has a broken escape or a semicolon.")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=limits.query_names, errors="strict")
    except UnicodeDecodeError:
        raise ProblemError("invalid-parameter", "The query is not percent-encoded UTF-8.") from None
    except ValueError:
        raise ProblemError("invalid-parameter", f"More than {limits.query_names} query parameters.") from None
    seen: set[str] = set()
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise ProblemError("invalid-parameter", "The query has a NUL character.")
        if name in seen and name not in lists:
            raise ProblemError("invalid-parameter", "A query parameter that is not a list was sent twice.")
        seen.add(name)


def check_header(headers: Headers, limits: WireLimits = LIMITS) -> None:
    """Sizes and duplicates. Raises ProblemError header-too-large; invalid-parameter for a field sent twice that
    may have one meaning only (security catalogue D04, D19); unsupported-media-type for a content coding (D07).
    """
    if len(headers) > limits.header_fields:
        raise ProblemError("header-too-large", f"More than {limits.header_fields} fields.")
    total = 0
    seen: set[bytes] = set()
    for name, value in headers:
        size = len(name) + len(value)
        total += size
        if size > limits.field_bytes or total > limits.header_bytes:
            raise ProblemError("header-too-large", "A field, or all of them together, is too large.")
        if name in _ONCE:
            if name in seen:
                raise ProblemError("invalid-parameter", f"The field {name.decode()} was sent twice.")
            seen.add(name)
            if name == b"content-encoding" and value.strip().lower() not in {b"", b"identity"}:
                raise ProblemError(
                    "unsupported-media-type", "Request content codings are not accepted.", headers=[ACCEPT_ENCODING]
                )


# written by the gateway on its answers; a second one from a service would contradict it
_OURS: Final = frozenset((b"x-request-id", b"ratelimit", b"ratelimit-policy", b"x-content-type-options"))
_NOT_TOLD: Final = frozenset((b"server", b"x-powered-by", b"strict-transport-security"))
_TOKEN: Final = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+")

ACCEPT_ENCODING: Final = (b"accept-encoding", b"identity")


def forwarded(headers: Headers, *, keep_authorization: bool) -> Headers:
    """The client's fields that a service behind the gateway may see.

    Removed: fields of one connection and those that `Connection` names, claims about the client (also spelt with
    `_`), trace fields (the gateway writes its own), method override, and the credential unless keep_authorization.
    """
    named = _named(headers)
    kept: Headers = []
    for pair in headers:
        name = pair[0]
        plain = name.replace(b"_", b"-") if b"_" in name else name
        if plain in _NEVER_FORWARDED or plain in named or plain.startswith(_FORBIDDEN_PREFIXES):
            continue
        if plain in {b"authorization", b"cookie"} and not keep_authorization:
            continue
        kept.append(pair)
    return kept


def _named(headers: Headers) -> set[bytes]:
    """Fields that `Connection` declares to be of one connection (RFC 9110 section 7.6.1)."""
    return {
        token.strip().lower() for name, value in headers if name.lower() == b"connection" for token in value.split(b",")
    }


def answer_headers(headers: Headers) -> tuple[Headers, int]:
    """A service's answer fields that the client may see, and how many had to be dropped for what is no field.

    Those of one connection, with what `Connection` names, and those that the gateway writes itself stay here.
    """
    named = _named(headers)
    kept: Headers = []
    dropped = 0
    for name, value in headers:
        lower = name.lower()
        if lower in HOP_BY_HOP or lower in named or lower in _OURS or lower in _NOT_TOLD:
            continue
        if lower.startswith(b"strata-"):
            continue
        if b"\r" in value or b"\n" in value or b"\x00" in value or _TOKEN.fullmatch(lower) is None:
            dropped += 1
            continue
        kept.append((lower, value))
    return kept, dropped


def media_type(value: bytes) -> bytes:
    """`type/subtype` in lower case, without parameters."""
    return value.partition(b";")[0].strip().lower()


def accepts(accept: bytes, offered: frozenset[bytes]) -> bool:
    """Does an Accept field allow one of the offered media types? (RFC 9110 section 12.5.1; q=0 forbids.)"""
    allowed: dict[bytes, bool] = {}
    for part in accept.split(b","):
        name, _, parameters = part.partition(b";")
        quality = 1.0
        for parameter in parameters.split(b";"):
            key, _, number = parameter.partition(b"=")
            if key.strip().lower() == b"q":
                try:
                    quality = float(number.strip())
                except ValueError:
                    quality = 0.0
        allowed[name.strip().lower()] = quality > 0
    for offer in offered:
        for candidate in (offer, offer.partition(b"/")[0] + b"/*", b"*/*"):
            if candidate in allowed:
                if allowed[candidate]:
                    return True
                break
    return False
