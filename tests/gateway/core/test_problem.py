from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.core.problem import BY_STATUS, TYPES, ProblemError, complete, render, type_uri


class TestTheTable:
    def test_every_type_that_a_service_answers_with_is_in_the_table(self) -> None:
        root = Path(__file__).parents[3]
        layers = ("strata", "system_apis", "process_apis", "experience_apis")
        sources = (file.read_text("utf-8") for layer in layers for file in (root / layer).rglob("*.py"))
        found = {slug for text in sources for slug in re.findall(r'\bslug\b[^="\n]*=\s*"([^"]+)"', text)}
        assert {"validation-error", "duplicate-member", "unsupported-media-type"} <= found
        assert found <= TYPES.keys()

    @pytest.mark.parametrize("slug", TYPES)
    def test_each_type_is_well_formed(self, slug: str) -> None:
        kind = TYPES[slug]
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
        assert 400 <= kind.status <= 599
        assert kind.title
        assert kind.remedy.endswith(".")
        assert type_uri(slug).rsplit("/", 1)[-1].rsplit("#", 1)[-1] == slug

    def test_what_stands_for_a_status_has_it(self) -> None:
        wrong = {status for status, slug in BY_STATUS.items() if TYPES[slug].status != status}
        assert wrong == {500}  # a service's bare 500 is a failed service to the caller of the gateway

    def test_iana_types_keep_their_registered_uri(self) -> None:
        assert type_uri("quota-exceeded") == "https://iana.org/assignments/http-problem-types#quota-exceeded"


class TestRendering:
    def test_the_document_of_rfc_9457_with_our_members(self) -> None:
        body = render(
            ProblemError("quota-exceeded", "600 per 60 s.", members={"violated-policies": ["standard"]}),
            instance="/web/v1/orders",
            request_id="r",
            trace_id="t",
        )
        assert json.loads(body) == {
            "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
            "title": "The quota of your plan is used up",
            "status": 429,
            "code": "quota-exceeded",
            "detail": "600 per 60 s.",
            "instance": "/web/v1/orders",
            "request_id": "r",
            "trace_id": "t",
            "violated-policies": ["standard"],
        }

    def test_the_base_comes_from_configuration(self) -> None:
        body = render(ProblemError("not-found"), base="https://errors.example")
        assert json.loads(body)["type"] == "https://errors.example/not-found"


class TestCompleting:
    def test_a_services_words_stay_and_ours_are_added(self) -> None:
        given = {"type": "https://strata.dev/problems/validation-error", "title": "No", "status": 200, "errors": []}
        done = json.loads(complete(json.dumps(given).encode(), 422, request_id="r", trace_id="t") or b"")
        assert done["title"] == "No"
        assert done["status"] == 422
        assert done["code"] == "validation-error"
        assert done["request_id"] == "r"

    def test_what_only_our_services_exchange_stays_inside(self) -> None:
        given = b'{"title":"No","failure_class":"V","error":"NotFound","instance":"/webhooks/eu"}'
        done = json.loads(complete(given, 404, instance="/webhooks/shopify/eu") or b"")
        assert not {"failure_class", "error"} & done.keys()
        assert done["instance"] == "/webhooks/shopify/eu"

    @pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff", b'{"a":'])
    def test_what_is_no_document_is_not_completed(self, body: bytes) -> None:
        assert complete(body, 500) is None
