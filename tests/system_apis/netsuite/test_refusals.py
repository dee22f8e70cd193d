"""What NetSuite's refusals mean."""

from __future__ import annotations

import json

import pytest

from strata.errors import (
    AuthRefused,
    Conflict,
    FailureClass,
    Invalid,
    NotFound,
    StrataError,
    Throttled,
    Transient,
)
from system_apis.exchange import Reply
from system_apis.netsuite.refusals import pointer, refusal


def rest(status: int, code: str, detail: str = "Something.", path: str = "") -> Reply:
    """An error as REST web services answer it (Oracle help section_156570709583)."""
    cause = {"detail": detail, "o:errorCode": code, **({"o:errorPath": path} if path else {})}
    body = {"type": "https://www.w3.org/", "title": "Bad Request", "status": status, "o:errorDetails": [cause]}
    return Reply(status, {}, json.dumps(body).encode())


def restlet(status: int, code: str) -> Reply:
    """An error as RESTlets answer it."""
    return Reply(status, {}, json.dumps({"error": {"code": code, "message": "No."}}).encode())


class TestRefusal:
    @pytest.mark.parametrize(
        ("reply", "means"),
        [
            pytest.param(rest(429, "CONCURRENCY_LIMIT_EXCEEDED"), Throttled, id="REST over the limit"),
            pytest.param(restlet(400, "SSS_REQUEST_LIMIT_EXCEEDED"), Throttled, id="RESTlet over the limit"),
            pytest.param(Reply(429, {}, b""), Throttled, id="429 without a body"),
            pytest.param(rest(401, "INVALID_LOGIN"), AuthRefused, id="login"),
            pytest.param(restlet(401, "INVALID_LOGIN_ATTEMPT"), AuthRefused, id="login of a RESTlet"),
            pytest.param(rest(403, "INSUFFICIENT_PERMISSION"), AuthRefused, id="permission"),
            pytest.param(rest(404, "NONEXISTENT_ID"), NotFound, id="no such record"),
            pytest.param(rest(400, "INVALID_CONTENT"), Invalid, id="content"),
            pytest.param(rest(400, "USER_ERROR", "Please enter value(s) for: Customer"), Invalid, id="business rule"),
            pytest.param(rest(400, "SOMETHING_NEW"), Invalid, id="a code that is not in the table"),
            pytest.param(rest(400, "RCRD_HAS_BEEN_CHANGED"), Conflict, id="concurrent edit"),
            pytest.param(rest(400, "USER_ERROR", "This entity already exists."), Conflict, id="duplicate"),
            pytest.param(rest(500, "UNEXPECTED_ERROR"), Transient, id="500"),
            pytest.param(rest(503, "INVALID_CONTENT"), Transient, id="503 whatever it says"),
            pytest.param(Reply(502, {}, b"<html>Bad gateway</html>"), Transient, id="a gateway between"),
            pytest.param(Reply(404, {}, b"<html>Not found</html>"), Transient, id="404 that is not NetSuite's"),
            pytest.param(Reply(400, {}, b'{"o:errorDetails":['), Transient, id="cut off"),
        ],
    )
    def test_it_has_its_class(self, reply: Reply, means: type[StrataError]) -> None:
        error = refusal(reply, "It failed")
        assert type(error) is means
        about_the_data = error.failure_class not in {FailureClass.TRANSIENT, FailureClass.THROTTLED, FailureClass.AUTH}
        assert error.detail.startswith("It failed") == about_the_data

    def test_a_pause_is_taken_from_the_header_or_jittered(self) -> None:
        asked = Reply(429, {"retry-after": "7"}, b"")
        assert refusal(asked, "x").retry_after_s == 7.0
        pauses = {refusal(rest(429, "CONCURRENCY_LIMIT_EXCEEDED"), "x").retry_after_s for _ in range(10)}
        assert len(pauses) > 1
        assert all(pause is not None and 1.0 <= pause <= 2.0 for pause in pauses)

    def test_all_causes_are_told_with_their_places(self) -> None:
        causes = [
            {"detail": "Error while accessing resource: A.", "o:errorCode": "INVALID_CONTENT", "o:errorPath": "entity"},
            {"detail": "B.", "o:errorCode": "INVALID_CONTENT", "o:errorPath": "item.items[0].item"},
        ]
        error = refusal(Reply(400, {}, json.dumps({"o:errorDetails": causes}).encode()), "x")
        assert [(e.detail, e.pointer, e.code) for e in error.errors] == [
            ("A.", "/entity", "invalid_content"),
            ("B.", "/item/items/0/item", "invalid_content"),
        ]

    def test_the_credential_is_never_part_of_what_is_told(self) -> None:
        assert "secret" not in refusal(rest(401, "INVALID_LOGIN", "Invalid login attempt."), "x").detail


class TestPointer:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [("", ""), ("entity", "/entity"), ("item.items[12].taxCode", "/item/items/12/taxCode")],
    )
    def test_a_path_is_a_json_pointer(self, path: str, expected: str) -> None:
        assert pointer(path) == expected
