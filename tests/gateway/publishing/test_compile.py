"""The configuration is compiled whole or refused whole, with the place and the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.app import OWN_ROUTES, create
from gateway.core.problem import TYPES
from gateway.core.route import ConfigurationError
from gateway.publishing.compile import Configuration, compile_configuration
from gateway.settings import GatewaySettings
from tests.gateway.conftest import DATA

SERVICES = {"experience-web", "system-shopify"}
TOML = (DATA / "publications.toml").read_text("utf-8")
WEB = json.loads((DATA / "openapi" / "experience" / "web.json").read_text("utf-8"))
ROOT = Path(__file__).parents[3]


def compiled(
    tmp_path: Path, toml: str = TOML, change: Callable[[Any], None] | None = None, **options: Any
) -> Configuration:
    document = json.loads(json.dumps(WEB))
    if change is not None:
        change(document)
    (tmp_path / "openapi" / "experience").mkdir(parents=True, exist_ok=True)
    (tmp_path / "openapi" / "experience" / "web.json").write_text(json.dumps(document))
    (tmp_path / "publications.toml").write_text(toml)
    return compile_configuration(
        tmp_path / "publications.toml",
        tmp_path / "openapi",
        OWN_ROUTES,
        options.get("services", SERVICES),
        options.get("quotas", {}),
    )


def refused(tmp_path: Path, reason: str, **options: Any) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        compiled(tmp_path, **options)


class TestCompiling:
    def test_routes_scopes_and_media_types_come_from_the_contract(self, tmp_path: Path) -> None:
        configuration = compiled(tmp_path)
        routes = {(route.method, route.path): route for route in configuration.table.routes}
        post = routes["POST", "/web/v1/orders"]
        assert post.scopes == {"orders:write"}
        assert post.takes == {b"application/json"}
        assert post.answers == {b"application/json"}
        assert post.max_body_bytes == 100_000
        assert routes["GET", "/web/v1/orders"].max_body_bytes == 0
        assert routes["GET", "/web/v1/orders"].query_lists == {"status"}
        assert configuration.scopes == ("orders:read", "orders:write")

    def test_the_digest_is_the_same_for_the_same_and_another_for_another(self, tmp_path: Path) -> None:
        one = compiled(tmp_path).digest
        assert compiled(tmp_path).digest == one
        assert compiled(tmp_path, TOML.replace("quota = 600", "quota = 601")).digest != one
        assert compiled(tmp_path, quotas={"standard": 5}).digest != one
        assert compiled(tmp_path, change=lambda d: d["info"].update(title="Other")).digest != one

    def test_a_quota_of_the_settings_wins(self, tmp_path: Path) -> None:
        assert compiled(tmp_path, quotas={"standard": 5}).plans["standard"].quota == 5

    def test_what_ships_fits_the_committed_contracts(self) -> None:
        services = {"experience-web", "experience-mobile", "experience-partner", "system-shopify"}
        configuration = compile_configuration(
            ROOT / "gateway" / "publications.toml", ROOT / "openapi", OWN_ROUTES, services, {}
        )
        assert {api.name for api in configuration.apis} == {"web", "mobile", "partner"}
        assert {api.layer for api in configuration.apis} == {"experience"}

    def test_every_problem_a_contract_announces_has_a_page(self) -> None:
        announced = {
            slug
            for path in (ROOT / "openapi").rglob("*.json")
            for found in re.findall(r'"x-strata-problems": \[([^\]]*)\]', path.read_text("utf-8"))
            for slug in re.findall(r'"([a-z-]+)"', found)
        }
        assert announced
        assert announced <= TYPES.keys()


class TestRefusing:
    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ("quota = 600", "quota = 0", r"publications.toml: .*>= 1"),
            ("quota = 600", 'quota = "600"', r"publications.toml: .*int"),
            ("window_s = 60", "window = 60", r"unknown field `window`"),
            ('audience = "web"', 'audience = "everybody"', r"line 5: .*audience"),
            ('version = "v1"', 'version = "1"', r"line 5: .*version"),
            ('plans = ["standard"]', 'plans = ["gold"]', r"orders-web v1: the plan gold is not declared"),
            ('plans = ["standard"]', "plans = []", r"line 5"),
            ('document = "experience/web.json"', 'document = "experience/none.json"', r"none.json: cannot be read"),
            ('document = "experience/web.json"', 'document = "../../etc/x.json"', r"outside the folder"),
            ('version = "v1"', 'version = "v2"', r"has the base path /web/v1"),
            ("[[apis]]", "[[apis", r"publications.toml: .*line 5"),
            ('vendor = ["shopify"]', 'vendor = ["shopify", "netsuite"]', r"system-netsuite is not there"),
            ('vendor = ["shopify"]', 'shop = ["a"]', r"values for \{vendor\} are needed"),
            ("/webhooks/{connection}", "/webhooks/{con}", r"needs \{con\}, which the path lacks"),
            ('path = "/webhooks', 'path = "/oauth', r"line 13"),
        ],
    )
    def test_a_mistake_in_the_publications(self, tmp_path: Path, old: str, new: str, reason: str) -> None:
        assert old in TOML
        refused(tmp_path, reason, toml=TOML.replace(old, new, 1))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda d: d.update(openapi="3.0.3"), r"web.json: openapi: version 3.1"),
            (lambda d: d.update(servers=[]), r"servers\[0\]"),
            (lambda d: d["servers"][0].update(url="https://evil.example"), r"base path"),
            (lambda d: d["paths"]["/orders"]["get"].pop("security"), r"GET /orders.security: an operation without"),
            (lambda d: d["paths"]["/orders"]["get"].update(security=[{"oauth2": []}]), r"at least one scope"),
            (lambda d: d["paths"]["/orders"]["get"].update(security=[{}]), r"at least one scope"),
            (lambda d: d["paths"]["/orders"]["get"].pop("operationId"), r"GET /orders.operationId: a text"),
            (lambda d: d["paths"]["/orders"]["get"].pop("x-strata-service"), r"x-strata-service"),
            (
                lambda d: d["paths"]["/orders"]["get"].update({"x-strata-service": "system-netsuite"}),
                r"system APIs are never published",
            ),
            (
                lambda d: d["paths"]["/orders"]["get"].update({"x-strata-service": "experience-other"}),
                r"needs experience-other, which is not there",
            ),
            (lambda d: d["paths"].clear(), r"has no operation"),
            (
                lambda d: d["paths"]["/orders/{id}"]["parameters"].__setitem__(0, {"$ref": "https://evil/x"}),
                r"leaves the document",
            ),
            (
                lambda d: d["paths"]["/orders/{id}"]["parameters"].__setitem__(0, {"$ref": "#/nowhere"}),
                r"leads nowhere",
            ),
            (lambda d: d["paths"].update({"/orders/{other}": d["paths"]["/orders/{id}"]}), r"already taken"),
        ],
    )
    def test_a_mistake_in_a_contract(self, tmp_path: Path, change: Callable[[Any], None], reason: str) -> None:
        refused(tmp_path, reason, change=change)

    def test_two_references_in_a_circle(self, tmp_path: Path) -> None:
        def circle(document: Any) -> None:
            document["components"]["responses"]["Problem"] = {"$ref": "#/components/responses/Problem"}

        refused(tmp_path, "in a circle", change=circle)

    def test_a_document_that_is_not_json(self, tmp_path: Path) -> None:
        compiled(tmp_path)
        (tmp_path / "openapi" / "experience" / "web.json").write_text("{")
        with pytest.raises(ConfigurationError, match=r"web.json: not a JSON object"):
            compile_configuration(tmp_path / "publications.toml", tmp_path / "openapi", (), SERVICES, {})

    def test_a_quota_for_a_plan_that_is_not_there(self, tmp_path: Path) -> None:
        refused(tmp_path, "the plan gold has a quota", quotas={"gold": 1})

    def test_an_api_published_twice(self, tmp_path: Path) -> None:
        api = TOML[TOML.index("[[apis]]") : TOML.index("[[ingress]]")]
        refused(tmp_path, "published twice", toml=TOML.replace("[[ingress]]", api + "[[ingress]]"))

    @pytest.mark.parametrize(
        "url", ["gateway", "ftp://gateway.test", "https://gateway.test/", "https://gateway.test/x?y", "https://"]
    )
    def test_a_public_url_that_is_no_origin(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="is not an origin"):
            create(GatewaySettings(public_url=url), "postgresql://nowhere", {})
