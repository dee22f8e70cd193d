"""Every backend has a page, and the page names every option of its connection and every contract it offers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from system_apis.backend import Backend
from system_apis.netsuite.backend import CertificateBased, TokenBased
from tests.conformance.offering import backends, named

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "backends"


def text_of(vendor: str) -> str:
    return (PAGES / f"{vendor}.md").read_text("utf-8")


@pytest.mark.parametrize("backend", backends(), ids=named)
class TestPage:
    def test_it_names_every_option(self, backend: Backend) -> None:
        page = text_of(backend.vendor)
        assert [f.name for f in msgspec.structs.fields(backend.connection) if f"`{f.name}`" not in page] == []

    def test_it_names_every_contract(self, backend: Backend) -> None:
        page = text_of(backend.vendor)
        assert [c.name for c in backend.capabilities if f"`{c.name}`" not in page] == []


class TestNetSuiteLogins:
    @pytest.mark.parametrize("login", [TokenBased, CertificateBased])
    def test_every_option_of_a_login_is_named(self, login: type[msgspec.Struct]) -> None:
        assert [f.name for f in msgspec.structs.fields(login) if f"`{f.name}`" not in text_of("netsuite")] == []
