"""RESTlets and token info."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.netsuite.conftest import Account

RESTLET = "/app/site/hosting/restlet.nl"
PING = {"script": "customscript_strata_ping", "deploy": "customdeploy_strata_ping"}


async def test_a_script_sees_parameters_and_body(account: Account) -> None:
    answer = await account.call("POST", RESTLET, {"a": [1, 2.5]}, params={**PING, "x": "ä &"})
    assert answer.status_code == 200
    seen = answer.json()
    assert (seen["method"], seen["parameters"], seen["body"]) == ("POST", {"x": "ä &"}, {"a": [1, 2.5]})
    by_number = await account.call("GET", RESTLET, params={"script": 1001, "deploy": 1})
    assert by_number.json()["method"] == "GET"


async def test_orders_are_looked_up_by_external_id(account: Account) -> None:
    line = {"item": {"externalId": "NW-WOOL-36-"}, "quantity": 2, "rate": 10.05}
    body = {"entity": {"id": "101"}, "location": {"externalId": "PDX"}, "item": {"items": [line]}}
    await account.call("PUT", "salesOrder/eid:sh:x:order:1", body)
    account.seed(fulfil={"externalId": "sh:x:order:1"})
    lookup = {"script": "customscript_strata_order_lookup", "deploy": "1", "externalId": "sh:x:order:1"}
    found = (await account.call("GET", RESTLET, params=lookup)).json()
    assert (found["tranId"], found["status"], found["total"]) == ("SO-10001", "F", 20.1)
    assert [f["tranId"] for f in found["fulfillments"]] == ["IF-5001"]
    missing = await account.call("GET", RESTLET, params={**lookup, "externalId": "none"})
    assert (missing.status_code, missing.json()) == (
        400,
        {"error": {"code": "RCRD_DSNT_EXIST", "message": "That record does not exist."}},
    )


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"script": "1001"}, 400, "SSS_MISSING_REQD_ARGUMENT"),
        ({"script": "7", "deploy": "1"}, 404, "SSS_INVALID_SCRIPTLET_ID"),
        ({"script": "1001", "deploy": "2"}, 404, "SSS_INVALID_SCRIPTLET_ID"),
    ],
)
async def test_what_is_not_deployed(account: Account, params: dict[str, str], status: int, code: str) -> None:
    answer = await account.call("GET", RESTLET, params=params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_wrong_signature_is_answered_in_the_form_of_restlets(account: Account) -> None:
    url = f"http://127.0.0.1:8093{RESTLET}?script=1001&deploy=1"
    answer = await account.client.get(url, headers=account.signed("GET", url, token_secret="x"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "INVALID_LOGIN_ATTEMPT")
    assert answer.headers["www-authenticate"].startswith('OAuth realm="TD3025871_SB1", error="token_rejected"')


async def test_token_info(account: Account) -> None:
    info = (await account.call("GET", "/rest/tokeninfo")).json()
    assert (info["companyId"], info["roleName"]) == ("TD3025871_SB1", "Integration")
