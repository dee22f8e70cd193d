"""RFC 6750: who may call what."""

from __future__ import annotations

import httpx
import pytest

from tests.gateway.conftest import URL, House, problem_of

POINTER = f'resource_metadata="{URL}/.well-known/oauth-protected-resource"'


def challenge(answer: httpx.Response) -> str:
    return answer.headers["www-authenticate"]


class TestBearer:
    async def test_no_credential_gives_a_challenge_without_an_error(self, house: House) -> None:
        answer = await house.http.get("/web/v1/orders")
        assert problem_of(answer)["code"] == "unauthenticated"
        assert challenge(answer) == f'Bearer realm="strata", {POINTER}'
        assert answer.headers["ratelimit-policy"] == '"standard";q=600;w=60'

    async def test_a_bad_token_says_so(self, house: House) -> None:
        answer = await house.http.get("/web/v1/orders", headers={"authorization": "Bearer nonsense"})
        assert problem_of(answer)["code"] == "invalid-token"
        assert challenge(answer) == f'Bearer realm="strata", error="invalid_token", {POINTER}'

    async def test_a_missing_scope_is_403_and_is_named(self, house: House) -> None:
        answer = await house.call("POST", "/web/v1/orders", scope="orders:read", json={})
        assert problem_of(answer)["code"] == "insufficient-scope"
        assert (
            challenge(answer) == f'Bearer realm="strata", error="insufficient_scope", scope="orders:write", {POINTER}'
        )
        assert "ratelimit" in answer.headers
        assert house.web.scopes == []

    @pytest.mark.parametrize("credential", ["Basic abc", "DPoP abc", "Bearer", "bearer ", "token"])
    async def test_another_scheme_or_an_empty_token_is_401(self, house: House, credential: str) -> None:
        answer = await house.http.get("/web/v1/orders", headers={"authorization": credential})
        assert answer.status_code == 401

    async def test_a_token_in_the_query_is_no_credential(self, house: House) -> None:
        answer = await house.http.get(f"/web/v1/orders?access_token={await house.token()}")
        assert problem_of(answer)["code"] == "unauthenticated"

    async def test_a_token_in_the_body_is_no_credential(self, house: House) -> None:
        answer = await house.http.post("/web/v1/orders", data={"access_token": await house.token()})
        assert answer.status_code == 401

    async def test_two_credentials_are_400(self, house: House) -> None:
        token = await house.token()
        headers = [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")]
        assert problem_of(await house.http.get("/web/v1/orders", headers=headers))["code"] == "invalid-parameter"

    async def test_read_never_writes(self, house: House) -> None:
        for method in ("POST",):
            answer = await house.call(method, "/web/v1/orders", scope="orders:read", json={})
            assert answer.status_code == 403


class TestWhatTheServiceLearns:
    async def test_the_identity_and_not_the_token(self, house: House) -> None:
        await house.get("/web/v1/orders")
        identity = house.web.scopes[-1]["state"]["strata.identity"]
        assert (identity.client_id, identity.plan, identity.shops) == (house.client_id, "standard", ("demo",))
        assert identity.scopes == {"orders:read", "orders:write"}
        assert "authorization" not in house.web.seen

    async def test_nobody_can_claim_to_be_another(self, house: House) -> None:
        forged = {
            "strata-identity": "admin",
            "Strata_Identity": "admin",
            "x-strata-partner": "acme",
            "x-real-ip": "9.9.9.9",
        }
        await house.get("/web/v1/orders", headers=forged)
        assert not {name.lower() for name in forged} & house.web.seen.keys()
