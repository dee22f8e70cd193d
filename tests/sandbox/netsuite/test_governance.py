"""The account's concurrency limit, faults, and requests whose caller has gone."""

# ruff: noqa: E501  # tables of cases read best a case a line
from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.netsuite.conftest import Account

RESTLET = "/app/site/hosting/restlet.nl?script=1001&deploy=1"
ORDER = {
    "entity": {"id": "101"},
    "location": {"externalId": "PDX"},
    "item": {"items": [{"item": {"externalId": "NW-WOOL-36-"}, "quantity": 1, "rate": 5}]},
}


async def control(account: Account, path: str, body: object) -> Any:
    answer = await account.client.post(f"/_sandbox/{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def summary(account: Account) -> Any:
    return (await account.client.get("/_sandbox/requests?limit=0")).json()["summary"]


async def test_the_sixth_request_in_flight_is_throttled(account: Account) -> None:
    await control(account, "limits", {"latency_ms": 150})
    calls = [account.call("GET", "customer/101") for _ in range(4)]
    calls.append(account.call("GET", RESTLET))
    slow = [asyncio.create_task(call) for call in calls]
    await asyncio.sleep(0.05)
    rest, restlet = await asyncio.gather(account.call("GET", "customer/101"), account.call("GET", RESTLET))
    assert [task.result().status_code for task in slow if await task] == [200] * 5
    assert (rest.status_code, rest.json()["title"]) == (429, "Bad Request")
    assert rest.json()["o:errorDetails"] == [
        {"detail": "Concurrent request limit exceeded. Request blocked.", "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}
    ]
    assert "retry-after" not in rest.headers
    assert (restlet.status_code, restlet.json()["error"]["code"]) == (400, "SSS_REQUEST_LIMIT_EXCEEDED")
    seen = await summary(account)
    assert seen["throttled"] == 2
    assert (await account.call("GET", "customer/101")).status_code == 200


async def test_the_limit_can_be_set(account: Account) -> None:
    await control(account, "limits", {"concurrency": 1, "latency_ms": 50})
    answers = await asyncio.gather(*(account.call("GET", "customer/101") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 429, 429]


async def test_a_request_counts_until_the_server_ends_it(account: Account) -> None:
    """The caller gives up; its place in the account stays taken until the server's own limit."""
    await control(account, "limits", {"concurrency": 1, "request_timeout_s": 0.4})
    await control(account, "faults", {"kind": "timeout_after", "match": {"operation": "salesOrder:PUT"}, "times": 1})
    gone = asyncio.create_task(account.call("PUT", "salesOrder/eid:sh:x:order:1", ORDER))
    await asyncio.sleep(0.1)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert (await account.call("GET", "customer/101")).status_code == 429
    await asyncio.sleep(0.5)
    # the work was done and committed all the same
    assert (await account.get("salesOrder/eid:sh:x:order:1"))["tranId"] == "SO-10001"


async def test_the_token_endpoint_is_not_counted(account: Account) -> None:
    await control(account, "limits", {"concurrency": 1, "latency_ms": 100})
    slow = asyncio.create_task(account.call("GET", "customer/101"))
    await asyncio.sleep(0.02)
    token = await account.client.post("/services/rest/auth/oauth2/v1/token", data={})
    assert token.status_code == 400
    assert token.json() == {"error": "invalid_request"}
    await slow


@pytest.mark.parametrize(
    ("fault", "operation", "call", "answered"),
    [
        ({"kind": "status", "status": 503}, "salesOrder:PUT", ("PUT", "salesOrder/eid:x", ORDER), (503, "ACCT_TEMP_UNAVAILABLE")),
        ({"kind": "status", "status": 500}, "customer:GET", ("GET", "customer/101"), (500, "UNEXPECTED_ERROR")),
        ({"kind": "status", "status": 401}, "customer:GET", ("GET", "customer"), (401, "INVALID_LOGIN")),
        ({"kind": "throttle"}, "customer:GET", ("GET", "customer/101"), (429, "CONCURRENCY_LIMIT_EXCEEDED")),
        ({"kind": "throttle"}, "restlet", ("GET", RESTLET), (400, "SSS_REQUEST_LIMIT_EXCEEDED")),
        ({"kind": "maintenance"}, "metadata-catalog", ("GET", "metadata-catalog"), (503, "scheduled maintenance")),
        ({"kind": "throttle"}, "salesOrder:transform", ("POST", "salesOrder/1/!transform/itemFulfillment", {}), (429, "CONCURRENCY")),
    ],
    ids=lambda v: str(v)[:30],
)  # fmt: skip
async def test_faults_speak_as_netsuite_does(
    account: Account, fault: dict[str, Any], operation: str, call: tuple[Any, ...], answered: tuple[int, str]
) -> None:
    status, words = answered
    await control(account, "faults", {**fault, "match": {"operation": operation}, "times": 1})
    answer = await account.call(*call)
    assert (answer.status_code, words in answer.text) == (status, True)
    again = await account.call(*call)
    assert again.status_code != status or status == 400


async def test_commit_the_next_two_orders_and_then_time_out(account: Account) -> None:
    fault = {"kind": "timeout_after", "match": {"operation": "salesOrder:PUT"}, "times": 2, "hang_s": 0.01}
    await control(account, "faults", fault)
    for number in (1, 2):
        with pytest.raises(ConnectionResetError):
            await account.call("PUT", f"salesOrder/eid:sh:x:order:{number}", ORDER)
    assert (await account.call("PUT", "salesOrder/eid:sh:x:order:3", ORDER)).status_code == 204
    assert (await account.get("salesOrder"))["totalResults"] == 3


async def test_bad_seed_input_is_a_clear_problem(account: Account) -> None:
    for body in ({"fulfil": {"externalId": "nothing"}}, {"orders": 5}, {"stock": [{"sku": "x"}]}):
        answer = await account.client.post("/_sandbox/seed", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_reset_gives_the_same_account_again(account: Account) -> None:
    before = await account.query("SELECT id, itemid FROM item ORDER BY id")
    await account.call("PUT", "salesOrder/eid:x", ORDER)
    await control(account, "reset", {})
    assert await account.query("SELECT id, itemid FROM item ORDER BY id") == before
    assert await account.query("SELECT id FROM transaction") == []
    assert (await account.get("salesOrder"))["totalResults"] == 0
