"""NetSuite's error bodies: one form for REST web services, another for RESTlets.

Form and samples: Oracle help section_156570709583; messages as integrators report them from live accounts.
"""

from __future__ import annotations

import msgspec

PROTOCOL = "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html"
TITLES = {
    400: ("Bad Request", f"{PROTOCOL}#sec10.4.1"),
    401: ("Unauthorized", PROTOCOL),
    403: ("Forbidden", f"{PROTOCOL}#sec10.4.4"),
    404: ("Not Found", f"{PROTOCOL}#sec10.4.5"),
    405: ("Method Not Allowed", f"{PROTOCOL}#sec10.4.6"),
    406: ("Not Acceptable", f"{PROTOCOL}#sec10.4.7"),
    413: ("Request Entity Too Large", f"{PROTOCOL}#sec10.4.14"),
    415: ("Unsupported Media Type", f"{PROTOCOL}#sec10.4.16"),
    429: ("Bad Request", PROTOCOL),
    500: ("Internal Server Error", f"{PROTOCOL}#sec10.5.1"),
    503: ("Service Unavailable", f"{PROTOCOL}#sec10.5.4"),
}
ERROR_TYPE = "application/vnd.oracle.resource+json; type=error"
LOGIN_FAILED = (
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at"
    " Setup > Users/Roles > User Management > View Login Audit Trail."
)
CONCURRENCY = "Concurrent request limit exceeded. Request blocked."
RESOURCE = "Error while accessing a resource. "


class Detail(msgspec.Struct, frozen=True):
    """One entry of `o:errorDetails`; of path, query, header and url only what applies is sent."""

    detail: str
    code: str
    path: str | None = None
    query: str | None = None
    header: str | None = None
    url: str | None = None

    def as_json(self) -> dict[str, str]:
        entry = {"detail": self.detail, "o:errorCode": self.code}
        places = {
            "o:errorPath": self.path,
            "o:errorQueryParam": self.query,
            "o:errorHeader": self.header,
            "o:errorUrl": self.url,
        }
        return entry | {name: value for name, value in places.items() if value is not None}


class NsError(Exception):
    """A refusal by the simulated vendor: status and details of the nsError body, and extra headers."""

    def __init__(
        self,
        status: int,
        *details: Detail,
        headers: dict[str, str] | None = None,
        title: str | None = None,
        kind: str | None = None,
    ) -> None:
        super().__init__("; ".join(d.detail for d in details))
        self.status = status
        self.details = details
        self.headers = headers or {}
        self.title = title
        self.kind = kind

    @property
    def code(self) -> str:
        return self.details[0].code if self.details else "UNEXPECTED_ERROR"

    def body(self) -> bytes:
        title, kind = TITLES.get(self.status, ("Error", PROTOCOL))
        return msgspec.json.encode(
            {
                "type": self.kind or kind,
                "title": self.title or title,
                "status": self.status,
                "o:errorDetails": [d.as_json() for d in self.details],
            }
        )

    def restlet_body(self) -> bytes:
        """The same refusal as a RESTlet words it."""
        code = RESTLET_CODES.get(self.code, self.code)
        message = self.details[0].detail if self.details else "An unexpected error occurred."
        return msgspec.json.encode({"error": {"code": code, "message": message}})


RESTLET_CODES = {"CONCURRENCY_LIMIT_EXCEEDED": "SSS_REQUEST_LIMIT_EXCEEDED", "INVALID_LOGIN": "INVALID_LOGIN_ATTEMPT"}


def invalid_login() -> NsError:
    return NsError(401, Detail(LOGIN_FAILED, "INVALID_LOGIN"))


def throttled() -> NsError:
    return NsError(429, Detail(CONCURRENCY, "CONCURRENCY_LIMIT_EXCEEDED"))


def no_instance() -> NsError:
    return NsError(
        404, Detail("The record instance does not exist. Provide a valid record instance ID.", "NONEXISTENT_ID")
    )


def no_type(name: str) -> NsError:
    return NsError(404, Detail(f"Record type '{name}' does not exist.", "NOT_FOUND"))


def wrong_transaction_type() -> NsError:
    return NsError(400, Detail(f"{RESOURCE}Transaction type specified is incorrect.", "USER_ERROR"))


def bad_content(path: str | None = None) -> NsError:
    return NsError(400, Detail("Invalid content in the request body.", "INVALID_CONTENT", path=path))


def bad_value(name: str, path: str) -> NsError:
    return NsError(
        400,
        Detail(
            f"Invalid value for the resource or sub-resource field '{name}'. Provide a valid value.",
            "INVALID_CONTENT",
            path=path,
        ),
    )


def bad_reference(value: str, name: str, path: str) -> NsError:
    """A reference that leads nowhere, or to what may not be chosen here (inactive item, foreign subsidiary)."""
    return NsError(
        400,
        Detail(
            f"Error while accessing resource: You have entered an Invalid Field Value {value}"
            f" for the following field: {name}",
            "INVALID_CONTENT",
            path=path,
        ),
    )


def unknown_property(name: str, path: str) -> NsError:
    return NsError(
        400,
        Detail(
            f"Unknown reference or field name '{name}'. Provide a valid property name.", "INVALID_CONTENT", path=path
        ),
    )


def user_error(message: str, path: str | None = None) -> NsError:
    return NsError(400, Detail(RESOURCE + message, "USER_ERROR", path=path))


def missing(*labels: str) -> NsError:
    return user_error(f"Please enter value(s) for: {', '.join(labels)}")


def duplicate() -> NsError:
    return user_error("This entity already exists.")


def bad_parameter(detail: str, *, query: str | None = None, header: str | None = None) -> NsError:
    return NsError(400, Detail(detail, "INVALID_PARAMETER", query=query, header=header))


def idempotency_conflict(location: str) -> NsError:
    """A key that was used before; status 400 under the title of 409, as NetSuite sends it (subsect_164494900632)."""
    return NsError(
        400,
        Detail(
            "A request with the same idempotency key is already submitted."
            ' See the "Location" header for a link to the previously submitted job',
            "IDEMPOTENCY_ERROR",
        ),
        headers={"location": location},
        title="Conflict",
        kind=f"{PROTOCOL}#sec10.4.10",
    )


def bad_query(detail: str) -> NsError:
    """A SuiteQL or `q` text that the engine refuses."""
    return bad_parameter(
        f"Invalid search query. Detailed unprocessed description follows. {detail}",
        query="q",
    )
