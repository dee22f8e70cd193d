"""W3C trace context on the way in (w3.org/TR/trace-context): continue a valid one, restart anything else."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MEMBER: Final = re.compile(
    rb"[a-z0-9][a-z0-9_\-*/]{0,240}(?:@[a-z][a-z0-9_\-*/]{0,13})?=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MAX_MEMBERS: Final = 32
_MAX_BYTES: Final = 512
_LONG_MEMBER: Final = 128
_KNOWN_FLAGS: Final = 0x03  # sampled, random
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~-]{8,128}")


class TraceContext(Struct, frozen=True):
    """A caller's place in a trace. trace_id: 32, span_id: 16 lower-case hexadecimal digits; state: tracestate."""

    trace_id: str
    span_id: str
    flags: int
    state: bytes = b""


def parse(parents: list[bytes], states: list[bytes]) -> TraceContext | None:
    """The caller's context, or None when a new trace has to start (then tracestate is not read either).

    parents, states: all `traceparent` and `tracestate` values in order. Two parents are no parent.
    """
    if len(parents) != 1:
        return None
    match = _TRACEPARENT.fullmatch(parents[0])
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == b"ff" or (version == b"00" and rest is not None):
        return None
    if trace_id == b"0" * 32 or span_id == b"0" * 16:
        return None
    known = int(flags, 16) & _KNOWN_FLAGS if version == b"00" else int(flags, 16) & 0x01
    return TraceContext(trace_id.decode(), span_id.decode(), known, _state(states))


def _state(values: list[bytes]) -> bytes:
    """The list as it may travel on: whole members, order kept; long ones go first, then from the end."""
    members = [member for value in values for raw in value.split(b",") if (member := raw.strip(b" \t"))]
    keys = [member.partition(b"=")[0] for member in members]
    if len(members) > _MAX_MEMBERS or len(set(keys)) != len(keys):
        return b""
    if not all(_MEMBER.fullmatch(member) for member in members):
        return b""
    if len(b",".join(members)) > _MAX_BYTES:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    while len(b",".join(members)) > _MAX_BYTES:
        members.pop()
    return b",".join(members)


def traceparent(trace_id: str, span_id: str, flags: int) -> bytes:
    """The header value for the next hop, always version 00."""
    return f"00-{trace_id}-{span_id}-{flags:02x}".encode()


def sane_request_id(value: bytes | None) -> str | None:
    """The caller's X-Request-Id when it is 8 to 128 characters of a URL-safe alphabet, else None."""
    if value is None or _REQUEST_ID.fullmatch(value) is None:
        return None
    return value.decode()
