"""Ways to log in: TBA and OAuth 2.0 M2M, and what a wrong one is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from jwcrypto import jwk, jwt

from sandbox.core.clock import ClockChange

if TYPE_CHECKING:
    from tests.sandbox.netsuite.conftest import Account

BASE = "http://127.0.0.1:8093"
TOKEN = "/services/rest/auth/oauth2/v1/token"
CUSTOMERS = "/services/rest/record/v1/customer"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def test_a_signed_call_is_let_in(account: Account) -> None:
    assert (await account.get("customer", limit=1))["totalResults"] == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"token_secret": "x"},
        {"consumer_secret": "x"},
        {"consumer_key": "x"},
        {"realm": "td3025871-sb1"},
        {"timestamp": "1"},
    ],
    ids=str,
)
async def test_wrong_keys_are_an_invalid_login(account: Account, wrong: dict[str, str]) -> None:
    url = f"{BASE}{CUSTOMERS}"
    answer = await account.client.get(url, headers=account.signed("GET", url, **wrong))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/vnd.oracle.resource+json; type=error"
    assert answer.json() == {
        "type": "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html",
        "title": "Unauthorized",
        "status": 401,
        "o:errorDetails": [
            {
                "detail": "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at"
                " Setup > Users/Roles > User Management > View Login Audit Trail.",
                "o:errorCode": "INVALID_LOGIN",
            }
        ],
    }


async def test_a_replayed_request_is_refused(account: Account) -> None:
    url = f"{BASE}{CUSTOMERS}?limit=1"
    headers = account.signed("GET", url)
    assert (await account.client.get(url, headers=headers)).status_code == 200
    assert (await account.client.get(url, headers=headers)).status_code == 401


async def test_without_authorization_nobody_gets_in(account: Account) -> None:
    assert (await account.client.get(f"{BASE}{CUSTOMERS}")).status_code == 401


def assertion(account: Account, kind: str = "rsa", algorithm: str = "PS256", **claims: Any) -> str:
    credentials = account.vendor._credentials
    certificate = credentials.certificates[kind]
    now = int(time.time())
    body = {
        "iss": credentials.client_id,
        "aud": f"{BASE}{TOKEN}",
        "scope": "restlets,rest_webservices",
        "iat": now,
        "exp": now + 300,
        **claims,
    }
    token = jwt.JWT(header={"alg": algorithm, "typ": "JWT", "kid": certificate.certificate_id}, claims=body)
    token.make_signed_token(jwk.JWK.from_pem(certificate.private_key_pem.encode()))
    return token.serialize()


async def ask(account: Account, token: str, **more: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": token,
        **more,
    }
    return await account.client.post(TOKEN, data=form)


@pytest.mark.parametrize(("kind", "algorithm"), [("rsa", "PS256"), ("rsa", "PS512"), ("ec", "ES256")])
async def test_a_certificate_gets_a_token_for_an_hour(account: Account, kind: str, algorithm: str) -> None:
    answer = await ask(account, assertion(account, kind, algorithm))
    assert answer.status_code == 200
    grant = answer.json()
    assert (grant["token_type"], grant["expires_in"]) == ("bearer", "3600")
    bearer = {"Authorization": f"Bearer {grant['access_token']}"}
    assert (await account.client.get(CUSTOMERS, headers=bearer)).status_code == 200
    account.vendor.context.clock.change(ClockChange(offset_s=3601))
    assert (await account.client.get(CUSTOMERS, headers=bearer)).status_code == 401


@pytest.mark.parametrize(
    ("claims", "status", "error"),
    [
        ({"iss": "somebody"}, 401, "invalid_client"),
        ({"aud": "https://example.com/token"}, 400, "invalid_grant"),
        ({"exp": 1}, 400, "invalid_grant"),
        ({"exp": 4_000_000_000}, 400, "invalid_grant"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
    ids=str,
)
async def test_assertions_are_checked(account: Account, claims: dict[str, Any], status: int, error: str) -> None:
    answer = await ask(account, assertion(account, **claims))
    assert (answer.status_code, answer.json()) == (status, {"error": error})


async def test_rs256_and_a_foreign_key_are_refused(account: Account) -> None:
    assert (await ask(account, assertion(account, algorithm="RS256"))).json() == {"error": "invalid_grant"}
    forged = assertion(account, "ec", "ES256").rsplit(".", 1)[0] + ".AAAA"
    assert (await ask(account, forged)).json() == {"error": "invalid_grant"}


async def test_the_scope_of_a_token_is_what_it_may_do(account: Account) -> None:
    grant = (await ask(account, assertion(account, scope=["restlets"]))).json()
    bearer = {"Authorization": f"Bearer {grant['access_token']}"}
    restlet = "/app/site/hosting/restlet.nl?script=customscript_strata_ping&deploy=1"
    assert (await account.client.get(restlet, headers=bearer)).status_code == 200
    assert (await account.client.get(CUSTOMERS, headers=bearer)).status_code == 403


async def test_other_grants_are_not_supported(account: Account) -> None:
    answer = await ask(account, assertion(account), grant_type="password")
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})
