"""OAuth 2.0 client credentials (RFC 6749), RFC 9068 tokens, metadata (RFC 8414, RFC 9728)."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any
from urllib.parse import quote_plus

import asyncpg
import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet
from jwcrypto import jwk as crypto_jwk
from jwcrypto import jwt as crypto_jwt

from tests.gateway.conftest import URL, House, a_house

TOKEN = "/oauth/token"
FORM = {"grant_type": "client_credentials"}


def basic(user: str, password: str) -> dict[str, str]:
    raw = f"{quote_plus(user)}:{quote_plus(password)}"
    return {"authorization": "Basic " + base64.b64encode(raw.encode()).decode()}


async def ask(house: House, form: Any = None, **options: Any) -> httpx.Response:
    return await house.http.post(TOKEN, data=FORM if form is None else form, **options)


def refused(answer: httpx.Response, status: int, error: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error"] == error
    assert "access_token" not in answer.json()


class TestIssuing:
    async def test_basic_gives_a_token_as_rfc_9068_wants_it(self, house: House) -> None:
        answer = await ask(house, auth=(house.client_id, house.client_secret))
        body = answer.json()
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 900, "orders:read orders:write")
        keys = KeySet.import_key_set((await house.http.get("/.well-known/jwks.json")).json())
        token = jwt.decode(body["access_token"], keys, algorithms=["ES256"])
        assert token.header["typ"] == "at+jwt"
        claims = token.claims
        assert claims["iss"] == claims["aud"] == URL
        assert claims["sub"] == claims["client_id"] == house.client_id
        assert claims["exp"] - claims["iat"] == 900
        assert len(claims["jti"]) >= 16
        assert "refresh_token" not in body

    async def test_post_works_too(self, house: House) -> None:
        form = {**FORM, "client_id": house.client_id, "client_secret": house.client_secret}
        assert (await ask(house, form)).status_code == 200

    async def test_only_the_scopes_that_were_asked_for(self, house: House) -> None:
        answer = await ask(house, {**FORM, "scope": "orders:read"}, auth=(house.client_id, house.client_secret))
        assert answer.json()["scope"] == "orders:read"

    async def test_two_tokens_are_never_the_same(self, house: House) -> None:
        first = await ask(house, auth=(house.client_id, house.client_secret))
        second = await ask(house, auth=(house.client_id, house.client_secret))
        assert first.json()["access_token"] != second.json()["access_token"]

    async def test_the_resource_may_be_named(self, house: House) -> None:
        answer = await ask(house, {**FORM, "resource": URL}, auth=(house.client_id, house.client_secret))
        assert answer.status_code == 200

    async def test_credentials_are_form_decoded(self, house: House) -> None:
        raw = f"{house.client_id.replace('_', '%5F')}:{house.client_secret.replace('_', '%5f')}"
        headers = {"authorization": "basic " + base64.b64encode(raw.encode()).decode()}
        assert (await ask(house, headers=headers)).status_code == 200


class TestRefusing:
    @pytest.mark.parametrize(
        ("form", "status", "error"),
        [
            ({}, 400, "invalid_request"),
            ({"grant_type": ""}, 400, "invalid_request"),
            ({"grant_type": "password", "username": "a", "password": "b"}, 400, "unsupported_grant_type"),
            ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
            ({**FORM, "scope": "orders:admin"}, 400, "invalid_scope"),
            ({**FORM, "scope": "orders:read admin"}, 400, "invalid_scope"),
            ({**FORM, "scope": "Orders:read"}, 400, "invalid_scope"),
            ({**FORM, "scope": "orders:read  "}, 400, "invalid_scope"),
            ({**FORM, "scope": "*"}, 400, "invalid_scope"),
            ({**FORM, "client_secret": "x"}, 400, "invalid_request"),
            ({**FORM, "client_id": "somebody-else"}, 401, "invalid_client"),
            ({**FORM, "resource": "https://other.example"}, 400, "invalid_target"),
        ],
    )
    async def test_the_error_of_rfc_6749(self, house: House, form: dict[str, str], status: int, error: str) -> None:
        refused(await ask(house, form, auth=(house.client_id, house.client_secret)), status, error)

    async def test_a_parameter_sent_twice(self, house: House) -> None:
        answer = await house.http.post(
            TOKEN,
            content="grant_type=client_credentials&scope=orders:read&scope=orders:read",
            headers={"content-type": "application/x-www-form-urlencoded"},
            auth=(house.client_id, house.client_secret),
        )
        refused(answer, 400, "invalid_request")

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
    async def test_another_media_type(self, house: House, content_type: str) -> None:
        answer = await house.http.post(TOKEN, content=b"{}", headers={"content-type": content_type})
        refused(answer, 400, "invalid_request")

    async def test_credentials_in_the_query(self, house: House) -> None:
        answer = await house.http.post(f"{TOKEN}?client_id=a&client_secret=b", data=FORM)
        refused(answer, 400, "invalid_request")

    async def test_too_large_a_form_is_413(self, house: House) -> None:
        assert (await ask(house, {**FORM, "state": "x" * 20_000})).status_code == 413

    async def test_get_is_405(self, house: House) -> None:
        answer = await house.http.get(TOKEN)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"

    async def test_unknown_ids_and_wrong_secrets_look_the_same(self, house: House) -> None:
        wrong = await ask(house, headers=basic(house.client_id, "strata_secret_wrong"))
        unknown = await ask(house, headers=basic("nobody", "strata_secret_wrong"))
        missing = await ask(house)
        for answer in (wrong, unknown, missing):
            refused(answer, 401, "invalid_client")
            assert answer.headers["www-authenticate"] == 'Basic realm="strata", charset="UTF-8"'
        assert wrong.content == unknown.content == missing.content

    @pytest.mark.parametrize(
        "value", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Bearer x"]
    )
    async def test_an_unreadable_credential(self, house: House, value: str) -> None:
        refused(await ask(house, headers={"authorization": value}), 401, "invalid_client")

    async def test_a_nul_in_the_id_never_reaches_the_database(self, house: House) -> None:
        refused(await ask(house, headers=basic("a\x00b", "x")), 401, "invalid_client")

    async def test_a_disabled_client_gets_nothing(self, own_house: House, postgres_url: str) -> None:
        house = own_house
        admin = await asyncpg.connect(postgres_url)
        await admin.execute("UPDATE gateway.oauth_clients SET active = false")
        await admin.close()
        refused(await ask(house, auth=(house.client_id, house.client_secret)), 401, "invalid_client")

    async def test_unknown_ids_take_as_long_as_wrong_secrets(self, postgres_url: str) -> None:
        async with a_house(postgres_url, guessing_limit="100000/minute", issuing_limit="100000/minute") as house:
            times: dict[str, list[float]] = {house.client_id: [], "dev_shop-xyz": []}
            for _ in range(150):
                for name, row in times.items():
                    begun = time.perf_counter()
                    await ask(house, headers=basic(name, "strata_secret_wrong"))
                    row.append(time.perf_counter() - begun)
            known, unknown = (sorted(row)[len(row) // 2] for row in times.values())
            assert 0.7 < known / unknown < 1.4


class TestGuessing:
    async def test_refused_authentications_are_limited_per_address(self, postgres_url: str) -> None:
        async with a_house(postgres_url, guessing_limit="3/minute") as house:
            for _ in range(3):
                refused(await ask(house, headers=basic(house.client_id, "wrong")), 401, "invalid_client")
            answer = await ask(house, auth=(house.client_id, house.client_secret))
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.json()["error"] == "temporarily_unavailable"

    async def test_a_made_up_forwarded_address_is_no_new_start(self, postgres_url: str) -> None:
        async with a_house(postgres_url, guessing_limit="2/minute") as house:
            answers = [
                await ask(house, headers={**basic("a", "b"), "x-forwarded-for": f"203.0.113.{n}"}) for n in range(4)
            ]
            assert [answer.status_code for answer in answers] == [401, 401, 429, 429]

    async def test_good_requests_are_not_counted_as_guesses(self, postgres_url: str) -> None:
        async with a_house(postgres_url, guessing_limit="2/minute") as house:
            for _ in range(5):
                assert (await ask(house, auth=(house.client_id, house.client_secret))).status_code == 200

    async def test_all_requests_have_a_limit_of_their_own(self, postgres_url: str) -> None:
        async with a_house(postgres_url, issuing_limit="2/minute") as house:
            answers = [await ask(house, auth=(house.client_id, house.client_secret)) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]


class TestDiscovery:
    async def test_a_client_starts_from_a_bare_401(self, house: House) -> None:
        bare = await house.http.get("/web/v1/orders")
        challenge = bare.headers["www-authenticate"]
        assert challenge.startswith("Bearer ")
        assert "error=" not in challenge
        pointer = challenge.partition('resource_metadata="')[2].rstrip('"')
        resource = (await house.http.get(pointer)).json()
        assert resource["resource"] == URL
        server = resource["authorization_servers"][0]
        metadata = (await house.http.get(f"{server}/.well-known/oauth-authorization-server")).json()
        assert metadata["issuer"] == server
        transport = house.http._transport
        async with AsyncOAuth2Client(
            house.client_id, house.client_secret, transport=transport, token_endpoint_auth_method="client_secret_basic"
        ) as client:
            await client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="orders:read")
            assert (await client.get(f"{URL}/web/v1/orders")).status_code == 200

    async def test_every_address_in_the_metadata_answers(self, house: House) -> None:
        for path in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"):
            for name, value in (await house.http.get(path)).json().items():
                if name.endswith(("_uri", "_documentation")):
                    assert (await house.http.get(value)).status_code == 200, name

    async def test_the_key_set_has_no_private_member_and_others_verify_with_it(self, house: House) -> None:
        answer = await house.http.get("/.well-known/jwks.json")
        assert answer.headers["content-type"] == "application/jwk-set+json"
        keys = answer.json()["keys"]
        assert all(not {"d", "p", "q", "k"} & key.keys() for key in keys)
        assert all(key["use"] == "sig" and key["alg"] == "ES256" and key["kid"] for key in keys)
        outside = crypto_jwt.JWT(jwt=await house.token(), key=crypto_jwk.JWKSet.from_json(answer.text))
        assert json.loads(outside.claims)["client_id"] == house.client_id


class TestTheDatabaseIsAway:
    async def test_tokens_stay_good_and_new_ones_are_503(self, postgres_url: str) -> None:
        async with a_house(postgres_url) as house:
            token = await house.token()
            house.gateway._pool.terminate()  # type: ignore[union-attr]
            answer = await ask(house, auth=(house.client_id, house.client_secret))
            refused(answer, 503, "temporarily_unavailable")
            assert answer.headers["retry-after"] == "2"
            headers = {"authorization": f"Bearer {token}"}
            assert (await house.http.get("/web/v1/orders", headers=headers)).status_code == 200
            assert (await house.http.get("/healthz")).status_code == 200
            ready = await house.http.get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["checks"]["database"] == "down"


class TestSeveralGateways:
    async def test_they_share_keys_and_clients(self, postgres_url: str) -> None:
        async with a_house(postgres_url) as one, a_house(postgres_url) as two:
            token = await one.token()
            answer = await two.http.get("/web/v1/orders", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 200
            assert (one.client_id, one.client_secret) == (two.client_id, two.client_secret)

    async def test_starting_together_makes_one_key(self, postgres_url: str) -> None:
        async def jwks() -> Any:
            async with a_house(postgres_url) as house:
                return (await house.http.get("/.well-known/jwks.json")).json()

        first, *others = await asyncio.gather(*(jwks() for _ in range(4)))
        assert len(first["keys"]) == 1
        assert all(other == first for other in others)
