"""Problem documents (RFC 9457): the table of types, one exception for all refusals, and the bytes on the wire."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType

import msgspec
from msgspec import UNSET, Struct, UnsetType

from strata.errors import PROBLEM_BASE, FieldError

MEDIA_TYPE = b"application/problem+json"
DEFAULT_BASE = PROBLEM_BASE


INTERNAL_MEMBERS = ("failure_class", "error")
"""Members that our own services exchange (strata/errors.py); no caller outside sees them."""


class ProblemType(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of problems.toml. retryable: trying the same request again later can help without any change."""

    status: int
    title: str
    remedy: str
    uri: str | None = None
    retryable: bool = False


def _load() -> Mapping[str, ProblemType]:
    text = files("gateway").joinpath("problems.toml").read_text("utf-8")
    return MappingProxyType(msgspec.convert(tomllib.loads(text), dict[str, ProblemType]))


TYPES: Mapping[str, ProblemType] = _load()
"""slug -> type; in the order of the file, which is the order of the documentation."""

BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid-parameter",
        401: "unauthenticated",
        403: "forbidden",
        404: "not-found",
        405: "method-not-allowed",
        406: "not-acceptable",
        408: "request-timeout",
        409: "conflict",
        413: "content-too-large",
        414: "uri-too-long",
        415: "unsupported-media-type",
        421: "misdirected-request",
        422: "validation-error",
        429: "quota-exceeded",
        431: "header-too-large",
        500: "upstream-error",
        502: "upstream-error",
        503: "dependency-unavailable",
        504: "upstream-timeout",
    }
)
"""The type that stands for a status which a service answered without a problem document of its own."""


class ProblemError(Exception):
    """A request is refused or failed. Raised fresh each time: a shared instance would grow its traceback chain.

    slug: a key of TYPES. detail: for the caller; no host, path of ours, SQL or secret. headers: further fields of
    the answer. members: further members of the document (three letters or more, RFC 9457 section 3.2).
    """

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        headers: Sequence[tuple[bytes, bytes]] = (),
        errors: Sequence[FieldError] = (),
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(slug, detail)
        self.slug = slug
        self.detail = detail
        self.headers = tuple(headers)
        self.errors = tuple(errors)
        self.members = members or {}

    @property
    def status(self) -> int:
        return TYPES[self.slug].status


class _Document(Struct, omit_defaults=True):
    type: str
    title: str
    status: int
    code: str
    detail: str | UnsetType = UNSET
    instance: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    trace_id: str | UnsetType = UNSET
    retryable: bool = False
    errors: tuple[FieldError, ...] | UnsetType = UNSET


def type_uri(slug: str, base: str = DEFAULT_BASE) -> str:
    """The `type` of a slug: IANA's where registered, else `<base>/<slug>`; independent of host and port."""
    return TYPES[slug].uri or f"{base}/{slug}"


def render(
    problem: ProblemError, *, base: str = DEFAULT_BASE, instance: str = "", request_id: str = "", trace_id: str = ""
) -> bytes:
    """The document as JSON bytes. instance: the path as it was sent, percent-encoded, without its query."""
    kind = TYPES[problem.slug]
    document = _Document(
        type=type_uri(problem.slug, base),
        title=kind.title,
        status=kind.status,
        code=problem.slug,
        detail=problem.detail or UNSET,
        instance=instance or UNSET,
        request_id=request_id or UNSET,
        trace_id=trace_id or UNSET,
        retryable=kind.retryable,
        errors=problem.errors or UNSET,
    )
    if not problem.members:
        return msgspec.json.encode(document)
    return msgspec.json.encode({**msgspec.to_builtins(document), **problem.members})


def complete(
    body: bytes, status: int, *, base: str = DEFAULT_BASE, instance: str = "", request_id: str = "", trace_id: str = ""
) -> bytes | None:
    """A service's problem document with what only the gateway knows filled in; None when it is not a JSON object.

    Members that the service wrote stay as they are, except `status`, which must equal the real one (RFC 9457 3.1.2),
    `instance`, and those that only our own services exchange.
    """
    try:
        document = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    slug = BY_STATUS.get(status, "upstream-error")
    document.setdefault("type", type_uri(slug, base))
    document.setdefault("title", TYPES[slug].title)
    document["status"] = status
    kind = document["type"]
    document.setdefault("code", kind.rsplit("/", 1)[-1].rsplit("#", 1)[-1] if isinstance(kind, str) else slug)
    for member in INTERNAL_MEMBERS:
        document.pop(member, None)
    document["instance"] = instance  # the service may have seen another path
    document["request_id"] = request_id
    document["trace_id"] = trace_id
    return msgspec.json.encode(document)
