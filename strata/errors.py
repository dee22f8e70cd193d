"""Every error of the product, and what each one means for the work that met it.

    StrataError
    ├── Transient (T)        try again later                    Unreachable, StoreUnavailable
    ├── UnknownOutcome (U)   it may have happened: look, then decide
    ├── Throttled (R)        the backend, or our own governor, asks for a pause
    ├── AuthRefused (A)      the backend refuses our credential
    ├── Invalid (V)          a person must mend the data or a mapping
    ├── Missing (D)          something it depends on is not there yet
    ├── Conflict (X)         duplicate, concurrent edit, undecidable
    ├── Poison (P)           cannot be read at all
    ├── CodeChanged (C)      recorded steps do not match the code
    └── NotFound, Forbidden  answers to a caller, never retried

The class decides what happens next, never a guess from a status code. One function turns an error into an RFC 9457
problem document, and one turns such a document back into the same error on the other side of a hop, so a step sees the
same type whether its neighbour is in this process or on another machine.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

PROBLEM_BASE = "https://strata.dev/problems"
"""Where problem types live. Fixed by configuration, never derived from a host or port."""


class FailureClass(StrEnum):
    """What kind of failure it is, and with that what happens next.

    T transient, U outcome unknown, R throttled, A credential refused, V data or mapping to mend, D waits for something
    else, X conflict, P cannot be read, C code changed.
    """

    TRANSIENT = "T"
    UNKNOWN_OUTCOME = "U"
    THROTTLED = "R"
    AUTH = "A"
    VALIDATION = "V"
    DEPENDENCY = "D"
    CONFLICT = "X"
    POISON = "P"
    CODE_CHANGED = "C"


class FieldError(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a value, in words a person can act on."""

    detail: str
    pointer: str = ""
    """JSON pointer to the value, e.g. `/lines/2/sku`."""
    value: str = ""
    remedy: str = ""
    """What to do so that it works next time."""
    code: str = ""
    """Stable machine-readable cause, e.g. `unknown-sku`."""


class StrataError(Exception):
    """The root. `detail` is for people: plain words, no secret, no stack trace."""

    failure_class: ClassVar[FailureClass] = FailureClass.POISON
    slug: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str = "", *, errors: tuple[FieldError, ...] = (), retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (_rebuild, (type(self).__name__, self.detail, self.errors, self.retry_after_s))


class Transient(StrataError):
    """It failed for a reason that passes: try again later."""

    failure_class = FailureClass.TRANSIENT
    slug, status, title = "dependency-unavailable", 503, "A system we depend on is not available"


class Unreachable(Transient):
    """The backend was not reached, so nothing happened there."""

    slug, status, title = "upstream-error", 502, "The backend was not reached"


class StoreUnavailable(Transient):
    """Our own database does not answer. Nothing was accepted."""


class UnknownOutcome(StrataError):
    """A write was sent and no answer came: it may have happened. Look it up before sending again (contract C3)."""

    failure_class = FailureClass.UNKNOWN_OUTCOME
    slug, status, title = "upstream-timeout", 504, "The backend did not answer in time"


class Throttled(StrataError):
    """The backend (or the governor that guards it) asks for a pause of `retry_after_s` seconds."""

    failure_class = FailureClass.THROTTLED
    slug, status, title = "temporary-reduced-capacity", 503, "The backend is at its limit"


class CircuitOpen(Throttled):
    """Calls to this backend are held back until a probe succeeds."""

    slug, title = "circuit-open", "The backend is being left alone until it recovers"


class AuthRefused(StrataError):
    """The backend refuses our credential: the connection pauses until a person renews it."""

    failure_class = FailureClass.AUTH
    slug, status, title = "upstream-auth", 502, "The backend refuses our credential"


class Invalid(StrataError):
    """The data or a mapping must be mended by a person. `errors` names every cause at once."""

    failure_class = FailureClass.VALIDATION
    slug, status, title = "validation-error", 422, "The data cannot be accepted"


class Missing(StrataError):
    """A record it depends on is not there yet; `what` names it."""

    failure_class = FailureClass.DEPENDENCY
    slug, status, title = "dependency-missing", 409, "A record it depends on is not there yet"


class Conflict(StrataError):
    """The record exists already, or was changed meanwhile."""

    failure_class = FailureClass.CONFLICT
    slug, status, title = "conflict", 409, "It conflicts with what is there"


class Poison(StrataError):
    """The payload cannot be read."""

    failure_class = FailureClass.POISON
    slug, status, title = "malformed-json", 400, "The payload cannot be read"


class CodeChanged(StrataError):
    """The recorded steps of a run do not match the code that should go on with it."""

    failure_class = FailureClass.CODE_CHANGED
    slug, status, title = "code-changed", 500, "The process code changed under a run"


class NotFound(StrataError):
    """No such record for this caller."""

    failure_class = FailureClass.VALIDATION
    slug, status, title = "not-found", 404, "Not found"


class Unauthenticated(StrataError):
    """The caller did not prove who it is."""

    failure_class = FailureClass.VALIDATION
    slug, status, title = "unauthenticated", 401, "Who is calling is not known"


class SignatureInvalid(Unauthenticated):
    """The signature of an inbound webhook does not fit its raw body."""

    slug, title = "signature-invalid", "The signature does not fit the body"


class Forbidden(StrataError):
    """The caller is known and may not do this."""

    failure_class = FailureClass.VALIDATION
    slug, status, title = "forbidden", 403, "Not allowed"


class ContentTooLarge(StrataError):
    """The body is larger than the route allows."""

    failure_class = FailureClass.POISON
    slug, status, title = "content-too-large", 413, "The body is too large"


class BadParameter(StrataError):
    """A path or query parameter is not what the contract says."""

    failure_class = FailureClass.VALIDATION
    slug, status, title = "invalid-parameter", 400, "A parameter is not valid"


class Problem(Struct, omit_defaults=True):
    """What went wrong, as an RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    code: str = ""
    request_id: str = ""
    trace_id: str = ""
    retryable: bool = False
    errors: tuple[FieldError, ...] = ()
    retry_after_s: float | UnsetType = UNSET
    failure_class: FailureClass | UnsetType = UNSET
    """On internal hops only, so that types survive."""
    error: str | UnsetType = UNSET
    """Name of our error type, on internal hops only."""


RETRYABLE = frozenset({FailureClass.TRANSIENT, FailureClass.UNKNOWN_OUTCOME, FailureClass.THROTTLED, FailureClass.AUTH})


def _all_types(root: type[StrataError] = StrataError) -> dict[str, type[StrataError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _all_types(child)
    return found


def _rebuild(name: str, detail: str, errors: tuple[FieldError, ...], retry_after_s: float | None) -> StrataError:
    return _all_types().get(name, StrataError)(detail, errors=errors, retry_after_s=retry_after_s)


def problem_type(slug: str) -> str:
    """The URI of a problem type of ours."""
    return f"{PROBLEM_BASE}/{slug}"


def to_problem(error: BaseException, *, internal: bool, instance: str = "", request_id: str = "") -> Problem:
    """The problem document of an error.

    internal: whether the reader is another of our services; then the class of the failure and the error type are told.
    Anything that is not a StrataError tells nothing of itself: its text may hold a secret.
    """
    if not isinstance(error, StrataError):
        error = StrataError("An error that nobody foresaw. It was logged with this request id.")
    problem = Problem(
        type=problem_type(error.slug),
        title=error.title,
        status=error.status,
        detail=error.detail,
        instance=instance,
        code=error.slug,
        request_id=request_id,
        retryable=error.failure_class in RETRYABLE,
        errors=error.errors,
    )
    if error.retry_after_s is not None:
        problem.retry_after_s = error.retry_after_s
    if internal:
        problem.failure_class = error.failure_class
        problem.error = type(error).__name__
    return problem


def from_problem(body: bytes, status: int) -> StrataError:
    """The error that an internal hop answered with; the same type that the other side raised."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        if status in {502, 503, 504}:
            return Transient(f"An internal service answered {status}")
        return StrataError(f"An internal service answered {status} without a problem document")
    retry_after_s = None if problem.retry_after_s is UNSET else problem.retry_after_s
    name = "" if problem.error is UNSET else problem.error
    types = _all_types()
    by_slug = {kind.slug: kind for kind in reversed(types.values())}
    kind = types.get(name) or by_slug.get(problem.code) or (Transient if status in {502, 503, 504} else StrataError)
    return kind(problem.detail, errors=problem.errors, retry_after_s=retry_after_s)
