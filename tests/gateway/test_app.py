"""A request's whole way: token, route, scope, plan, service, answer."""

from __future__ import annotations

from tests.gateway.conftest import House, problem_of


class TestARequestsWay:
    async def test_a_client_gets_a_token_and_reaches_the_service(self, house: House) -> None:
        answer = await house.get("/web/v1/orders/sh:demo:order:1")
        assert answer.status_code == 200
        assert answer.json() == {"id": "sh:demo:order:1"}
        assert house.web.scopes[-1]["path"] == "/web/v1/orders/sh:demo:order:1"
        assert house.web.scopes[-1]["state"]["strata.identity"].client_id == house.client_id
        assert answer.headers["ratelimit-policy"] == '"standard";q=600;w=60'

    async def test_an_unknown_path_is_a_404_problem_without_a_token(self, house: House) -> None:
        answer = await house.http.get("/nowhere")
        assert problem_of(answer)["code"] == "not-found"
