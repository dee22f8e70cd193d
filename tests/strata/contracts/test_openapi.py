"""The committed documents are what the contracts say, are valid OpenAPI 3.1, and their examples fit their schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from strata import openapi
from strata.contracts.operation import operations_of

FOLDER = Path(__file__).resolve().parents[3] / "openapi"
CONTRACTS = openapi.contracts()
IDS = [openapi.filename(c) for c in CONTRACTS]


def test_nothing_drifted() -> None:
    assert openapi.drift(FOLDER) == [], "run `make contracts` and commit openapi/"


@pytest.mark.parametrize("contract", CONTRACTS, ids=IDS)
def test_a_document_is_valid_openapi(contract: Any) -> None:
    validate(openapi.document(contract))


@pytest.mark.parametrize("contract", CONTRACTS, ids=IDS)
def test_every_operation_is_in_the_document_once(contract: Any) -> None:
    document = openapi.document(contract)
    declared = {(o.method.lower(), o.path) for o in operations_of(contract)}
    written = {(method, path) for path, item in document["paths"].items() for method in item}
    assert declared == written


@pytest.mark.parametrize("contract", CONTRACTS, ids=IDS)
def test_examples_fit_their_schemas(contract: Any) -> None:
    document = openapi.document(contract)
    root = {"components": document["components"]}
    for item in document["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    for example in content.get("examples", {}).values():
                        jsonschema.validate(example["value"], {**root, **content["schema"]})


@pytest.mark.parametrize("contract", [c for c in CONTRACTS if c.layer == "experience"], ids=lambda c: c.name)
def test_documents_for_the_outside_hide_what_only_services_exchange(contract: Any) -> None:
    assert "failure_class" not in json.dumps(openapi.document(contract))


@pytest.mark.parametrize("contract", [c for c in CONTRACTS if c.layer == "experience"], ids=lambda c: c.name)
def test_every_operation_for_the_outside_has_an_example(contract: Any) -> None:
    assert all(o.examples for o in operations_of(contract))
