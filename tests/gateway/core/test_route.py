from __future__ import annotations

import pytest

from gateway.core.problem import ProblemError
from gateway.core.route import ConfigurationError, Route, RouteTable, fill


def route(method: str, path: str, **changes: object) -> Route:
    return Route(method, path, "experience-web", "operation", path, api="web", version="v1", **changes)  # type: ignore[arg-type]


TABLE = RouteTable(
    [
        route("GET", "/web/v1/orders"),
        route("POST", "/web/v1/orders"),
        route("GET", "/web/v1/orders/{id}"),
        route("GET", "/web/v1/orders/by_number/{number}"),
        route("GET", "/web/v1/orders/{id}/lines/{line}"),
        Route("GET", "/portal/{page...}", "portal", "own", "portal"),
        Route("POST", "/webhooks/{vendor}/{connection}", "system-{vendor}", "ingress", "webhooks",
              allowed={"vendor": ("shopify",)}),
    ]
)  # fmt: skip


def find(method: str, path: str) -> tuple[str, dict[str, str]]:
    match = TABLE.find(method, path.split("/")[1:])
    return match.route.path, dict(match.parameters)


def refused(method: str, path: str) -> ProblemError:
    with pytest.raises(ProblemError) as error:
        find(method, path)
    return error.value


class TestFinding:
    def test_a_literal_wins_over_a_parameter(self) -> None:
        assert find("GET", "/web/v1/orders/by_number/7") == ("/web/v1/orders/by_number/{number}", {"number": "7"})

    def test_a_parameter_is_tried_where_the_literal_leads_nowhere(self) -> None:
        assert find("GET", "/web/v1/orders/by_number") == ("/web/v1/orders/{id}", {"id": "by_number"})
        assert find("GET", "/web/v1/orders/by_number/lines/2")[1] == {"id": "by_number", "line": "2"}

    def test_head_finds_get(self) -> None:
        assert find("HEAD", "/web/v1/orders")[0] == "/web/v1/orders"

    def test_a_rest_takes_everything_below(self) -> None:
        assert find("GET", "/portal/")[1] == {"page": ""}
        assert find("GET", "/portal/apis/web/v1")[1] == {"page": "apis/web/v1"}

    def test_only_listed_values_of_a_parameter_exist(self) -> None:
        assert find("POST", "/webhooks/shopify/eu")[1] == {"vendor": "shopify", "connection": "eu"}
        assert refused("POST", "/webhooks/netsuite/erp").slug == "not-found"


class TestNotFinding:
    @pytest.mark.parametrize(
        "path",
        ["/", "/x", "/web", "/web/v1", "/web/v1/orders/", "/web/v1/orders//", "/WEB/v1/orders", "/web/v1/Orders"],
    )
    def test_a_path_that_is_not_there(self, path: str) -> None:
        assert refused("GET", path).slug in {"not-found", "version-unknown"}

    def test_another_version_is_named_as_such(self) -> None:
        problem = refused("GET", "/web/v2/orders")
        assert problem.slug == "version-unknown"
        assert "v1" in problem.detail

    @pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "TRACE", "get", "BREW"])
    def test_a_wrong_method_is_405_with_allow(self, method: str) -> None:
        problem = refused(method, "/web/v1/orders")
        assert problem.status == 405
        assert problem.headers == ((b"allow", b"GET, HEAD, POST"),)


class TestFilling:
    def test_a_value_is_never_read_as_a_template(self) -> None:
        values = {"a": "{b}", "b": "{a}"}
        assert fill("/x/{a}/{b}", values) == "/x/{b}/{a}"

    def test_what_has_no_value_stays(self) -> None:
        assert fill("/x/{a}", {}) == "/x/{a}"


class TestBuilding:
    def test_two_routes_for_one_path_are_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"GET /a/\{y\} of web is already taken by /a/\{x\}"):
            RouteTable([route("GET", "/a/{x}"), route("GET", "/a/{y}")])
