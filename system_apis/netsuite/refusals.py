"""NetSuite's errors and ours: what each refusal means for the work that met it.

REST web services answer `{"title", "status", "o:errorDetails": [{"detail", "o:errorCode", "o:errorPath"}]}`, RESTlets
`{"error": {"code", "message"}}`. Sources: Oracle help section_156570709583 (form, codes), bridgehead_1525252812 (429
for REST, 400 SSS_REQUEST_LIMIT_EXCEEDED for RESTlets).
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from strata.errors import (
    AuthRefused,
    Conflict,
    FailureClass,
    FieldError,
    Invalid,
    NotFound,
    StrataError,
    Throttled,
    Transient,
)
from system_apis.exchange import Reply


class Detail(Struct, frozen=True):
    """One cause. `path` points into the body, e.g. `item.items[0].item`."""

    detail: str = ""
    code: str = msgspec.field(name="o:errorCode", default="")
    path: str = msgspec.field(name="o:errorPath", default="")


class _Rest(Struct, frozen=True):
    title: str = ""
    details: tuple[Detail, ...] = msgspec.field(name="o:errorDetails", default=())


class _RestletCause(Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Restlet(Struct, frozen=True):
    error: _RestletCause


CODES: Final[Mapping[str, FailureClass]] = {
    "CONCURRENCY_LIMIT_EXCEEDED": FailureClass.THROTTLED,
    "SSS_REQUEST_LIMIT_EXCEEDED": FailureClass.THROTTLED,
    "WS_CONCUR_SESSION_DISALLWD": FailureClass.THROTTLED,
    "WS_REQUEST_BLOCKED": FailureClass.THROTTLED,
    "REQUEST_LIMIT_EXCEEDED": FailureClass.THROTTLED,
    "INVALID_LOGIN": FailureClass.AUTH,
    "INVALID_LOGIN_ATTEMPT": FailureClass.AUTH,
    "INVALID_LOGIN_CREDENTIALS": FailureClass.AUTH,
    "INSUFFICIENT_PERMISSION": FailureClass.AUTH,
    "RCRD_HAS_BEEN_CHANGED": FailureClass.CONFLICT,
    "DUP_RCRD": FailureClass.CONFLICT,
    "DUP_ENTITY": FailureClass.CONFLICT,
    "RCRD_LOCKED_BY_WF": FailureClass.TRANSIENT,
    "RECORD_LOCKED": FailureClass.TRANSIENT,
    "UNEXPECTED_ERROR": FailureClass.TRANSIENT,
    "SSS_TIME_LIMIT_EXCEEDED": FailureClass.TRANSIENT,
    "INVALID_CONTENT": FailureClass.VALIDATION,
    "INVALID_PARAMETER": FailureClass.VALIDATION,
    "INVALID_KEY_OR_REF": FailureClass.VALIDATION,
    "USER_ERROR": FailureClass.VALIDATION,
}
"""Error code -> failure class. A code that is not here goes by the status."""
STATUSES: Final[Mapping[int, FailureClass]] = {
    401: FailureClass.AUTH,
    403: FailureClass.AUTH,
    408: FailureClass.TRANSIENT,
    409: FailureClass.CONFLICT,
    429: FailureClass.THROTTLED,
}
"""Status -> failure class, where the code says nothing; other 4xx are data that is not accepted, 5xx pass."""
_ALREADY: Final = ("already exists", "has been changed")
_PAUSE_S: Final = 1.0
_LEAD_IN: Final = re.compile(r"^Error while accessing (a )?resource[:.] *", re.IGNORECASE)


def details_of(body: bytes) -> tuple[Detail, ...]:
    """The causes in an error body of either form; none in one that has neither."""
    try:
        return msgspec.json.decode(body, type=_Rest).details or _restlet(body)
    except msgspec.DecodeError:
        return _restlet(body)


def _restlet(body: bytes) -> tuple[Detail, ...]:
    try:
        cause = msgspec.json.decode(body, type=_Restlet).error
    except msgspec.DecodeError:
        return ()
    return (Detail(cause.message, cause.code),)


def class_of(status: int, details: tuple[Detail, ...]) -> FailureClass:
    """What a refusal means."""
    if status >= 500:
        return FailureClass.TRANSIENT
    words = " ".join(d.detail for d in details).lower()
    for detail in details:
        if detail.code in CODES:
            found = CODES[detail.code]
            if found is FailureClass.VALIDATION and any(phrase in words for phrase in _ALREADY):
                return FailureClass.CONFLICT
            return found
    return STATUSES.get(status, FailureClass.VALIDATION)


def refusal(reply: Reply, what: str) -> StrataError:
    """The error that an answer of status 400 and above means. what: the start of the sentence that explains it."""
    details = details_of(reply.body)
    words = "; ".join(plain(d.detail) for d in details if d.detail) or f"it answered {reply.status}"
    causes = tuple(FieldError(plain(d.detail), pointer(d.path), code=d.code.lower()) for d in details)
    if reply.status == 404 and details:
        return NotFound(f"{what}: {words}", errors=causes)
    if not details and reply.status not in STATUSES:
        return Transient(f"Something between us and NetSuite answered {reply.status}")
    return _of_class(class_of(reply.status, details), reply, what, words, causes)


def _of_class(kind: FailureClass, reply: Reply, what: str, words: str, causes: tuple[FieldError, ...]) -> StrataError:
    match kind:
        case FailureClass.THROTTLED:
            pause = reply.retry_after_s or _PAUSE_S * (1 + random.random())  # noqa: S311  # jitter
            return Throttled("NetSuite is at its limit", retry_after_s=pause)
        case FailureClass.AUTH:
            return AuthRefused(f"NetSuite refuses our credential: {words}")
        case FailureClass.TRANSIENT:
            return Transient(f"NetSuite is not available: {words}", retry_after_s=reply.retry_after_s)
        case FailureClass.CONFLICT:
            return Conflict(f"{what}: {words}", errors=causes)
        case _:
            return Invalid(f"{what}: {words}", errors=causes)


def plain(text: str) -> str:
    """NetSuite's sentence without its lead-in."""
    return _LEAD_IN.sub("", text).strip()


def pointer(path: str) -> str:
    """`item.items[0].item` as a JSON pointer: `/item/items/0/item`."""
    return "/" + path.replace("[", ".").replace("]", "").replace(".", "/") if path else ""
