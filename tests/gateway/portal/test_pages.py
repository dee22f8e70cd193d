"""Pages from the contracts: complete, escaped, with every security field."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import OWN_ROUTES
from gateway.core.problem import TYPES
from gateway.portal.app import render
from gateway.portal.schema import tree
from gateway.publishing.compile import compile_configuration
from gateway.settings import GatewaySettings
from tests.gateway.conftest import DATA, House

PAGES = ["/portal/", "/portal/apis/orders-web/v1", "/portal/problems/", "/portal/problems/not-found", "/portal/none"]


class Links(HTMLParser):
    """Collects addresses, ids, inline code and tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.addresses.append(value)
            if name == "id" and value:
                self.ids.append(value)
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")


class TestSecurity:
    @pytest.mark.parametrize("path", PAGES)
    async def test_every_page_has_every_field(self, house: House, path: str) -> None:
        headers = (await house.http.get(path)).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]

    @pytest.mark.parametrize("path", PAGES)
    async def test_nothing_is_inline_and_nothing_is_foreign(self, house: House, path: str) -> None:
        page = Links((await house.http.get(path)).text)
        assert page.inline == []
        assert "style" not in page.tags
        assert all(address.startswith(("/", "#")) for address in page.addresses)
        assert len(page.ids) == len(set(page.ids))

    def test_what_a_contract_says_cannot_become_markup(self, tmp_path: Path) -> None:
        hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1)) \"'><b>"
        shutil.copytree(DATA, tmp_path / "data")
        file = tmp_path / "data" / "openapi" / "experience" / "web.json"
        document = json.loads(file.read_text())
        operation = document["paths"]["/orders/{id}"]["get"]
        document["info"]["title"] = document["info"]["description"] = hostile
        operation["summary"] = operation["description"] = operation["operationId"] = hostile
        document["paths"]["/orders/{id}"]["parameters"][0].update(description=hostile, example=hostile)
        schema = document["components"]["schemas"]["Money"]
        schema["description"] = hostile
        schema["properties"][hostile] = {"type": "string", "enum": [hostile], "examples": [hostile]}
        document["components"]["responses"]["Problem"]["description"] = hostile
        file.write_text(json.dumps(document))
        configuration = compile_configuration(
            tmp_path / "data" / "publications.toml",
            tmp_path / "data" / "openapi",
            OWN_ROUTES,
            {"experience-web", "system-shopify"},
            {},
        )
        pages, _ = render(GatewaySettings(), configuration)
        clean = Links((DATA / "publications.toml").read_text())
        assert clean.inline == []
        for path in ("/portal/", "/portal/apis/orders-web/v1"):
            page = Links(pages[path].body.decode())
            assert page.tags.count("script") == 1  # the one of the layout
            assert page.inline == []
            assert not any(address.lower().startswith("javascript") for address in page.addresses)
            assert page.tags.count("img") == 1


class TestContent:
    async def test_the_root_leads_to_the_portal(self, house: House) -> None:
        for path in ("/", "/portal"):
            answer = await house.http.get(path)
            assert (answer.status_code, answer.headers["location"]) == (302, "/portal/")

    async def test_every_link_on_every_page_answers(self, house: House) -> None:
        seen: set[str] = set()
        waiting = ["/portal/"]
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            answer = await house.http.get(path)
            assert answer.status_code == 200, path
            if answer.headers["content-type"].startswith("text/html"):
                page = Links(answer.text)
                waiting += [address.partition("#")[0] for address in page.addresses if not address.startswith("#")]
                assert all(address[1:] in page.ids for address in page.addresses if address.startswith("#"))
        assert {f"/portal/problems/{slug}" for slug in TYPES} <= seen

    async def test_the_published_apis_with_all_that_is_asked_for(self, house: House) -> None:
        text = (await house.http.get("/portal/")).text
        for words in ("Orders for the web shop", "/web/v1", "experience", "standard, 600 requests per 60 s"):
            assert words in text
        assert "curl -s http://gateway.test/oauth/token" in text

    async def test_the_reference_names_everything_in_the_contract(self, house: House) -> None:
        text = (await house.http.get("/portal/apis/orders-web/v1")).text
        document = json.loads((DATA / "openapi" / "experience" / "web.json").read_text())
        for path, item in document["paths"].items():
            assert f"/web/v1{path}" in text
            for method in {"get", "post"} & item.keys():
                operation = item[method]
                assert f'id="{operation["operationId"]}"' in text
                assert operation["security"][0]["oauth2"][0] in text
                for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
                    assert f'<code class="name">{parameter["name"]}</code>' in text
        for name in ("tracking_number", "sku", "currency", "replaces"):
            assert f'<code class="name">{name}</code>' in text
        assert "list of Shipment" in text
        assert "The same members as OrderStatus or null above." in text

    async def test_the_served_document_is_the_enforced_one(self, house: House) -> None:
        answer = await house.http.get("/portal/apis/orders-web/v1/openapi.json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.content == (DATA / "openapi" / "experience" / "web.json").read_bytes()

    async def test_a_known_page_is_not_sent_again(self, house: House) -> None:
        first = await house.http.get("/portal/")
        second = await house.http.get("/portal/", headers={"if-none-match": first.headers["etag"]})
        assert (second.status_code, second.content) == (304, b"")

    async def test_assets_are_named_by_their_content(self, house: House) -> None:
        page = (await house.http.get("/portal/")).text
        (css,) = re.findall(r'href="(/portal/assets/portal\.[0-9a-f]{12}\.css)"', page)
        answer = await house.http.get(css)
        assert "immutable" in answer.headers["cache-control"]
        assert "http" not in answer.text  # nothing is fetched from elsewhere

    async def test_a_page_that_is_not_there_is_a_page(self, house: House) -> None:
        answer = await house.http.get("/portal/nothing")
        assert answer.status_code == 404
        assert "This page is not here" in answer.text


class TestSchemas:
    def test_a_schema_that_contains_itself_ends(self) -> None:
        schemas = {"Tree": {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}}}}
        root = tree({"$ref": "#/components/schemas/Tree"}, schemas)
        assert root.kind == "Tree"
        assert root.children[0].again

    def test_the_same_schema_twice_side_by_side_is_shown_twice(self) -> None:
        schemas = {"Money": {"type": "object", "properties": {"amount": {"type": "string"}}}}
        money = {"anyOf": [{"$ref": "#/components/schemas/Money"}, {"type": "null"}]}
        root = tree({"type": "object", "properties": {"a": money, "b": money}}, schemas)
        assert [[inner.name for inner in child.children] for child in root.children] == [["amount"], ["amount"]]
        assert not any(child.again for child in root.children)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["type", "properties", "items", "anyOf", "$ref", "enum", "required", "x"]), inner
                )
            ),
            max_leaves=12,
        )
    )
    def test_whatever_stands_in_a_document_a_page_comes_out(self, value: object) -> None:
        schema = value if isinstance(value, dict) else {"x": value}
        tree(schema, {"A": schema})
