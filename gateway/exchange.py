"""What the policies know about one request, handed down the chain in the ASGI scope."""

from __future__ import annotations

import time

from msgspec import Struct, field

from gateway.asgi import Headers, Scope
from gateway.core.problem import ProblemError
from gateway.core.rate import Decision
from gateway.core.route import Match
from strata.identity import Identity

KEY = "strata.exchange"


class Exchange(Struct):
    """Filled in by one policy, read by those inside it. answer_headers are added to whatever answer leaves."""

    request_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    trace_flags: int = 0
    tracestate: bytes = b""
    address: str = ""  # of the client, after the trusted walk
    path: str = ""  # canonical, decoded
    raw_path: bytes = b""  # canonical, encoded
    sent_path: str = ""  # as it was sent
    segments: list[str] = field(default_factory=list[str])
    match: Match | None = None
    identity: Identity | None = None
    decision: Decision | None = None
    problem: str = ""  # slug of the problem that was answered
    refused: ProblemError | None = None  # found while the body streamed; wins over what the service answers
    status: int = 0
    answered: bool = False  # the answer's header has left
    gone: bool = False  # the client left before the answer began
    answer_headers: Headers = field(default_factory=list[tuple[bytes, bytes]])
    received_bytes: int = 0
    sent_bytes: int = 0
    started: float = field(default_factory=time.perf_counter)


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a scope that came through the chain."""
    found: Exchange = scope[KEY]
    return found
