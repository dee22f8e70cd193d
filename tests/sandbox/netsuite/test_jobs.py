"""Asynchronous requests and their idempotency keys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.sandbox.netsuite.conftest import Account

LATER = {"Prefer": "respond-async"}
COMPANY = {"companyName": "Later Ltd", "subsidiary": {"id": "1"}}


async def submit(account: Account, body: object, **headers: str) -> Any:
    return await account.call("POST", "customer", body, headers={**LATER, **headers})


async def done(account: Account, place: str) -> Any:
    for _ in range(50):
        job = (await account.call("GET", place)).json()
        if job["completed"]:
            return job
        await asyncio.sleep(0.01)
    raise AssertionError(f"{place} is not done")


async def test_a_job_is_taken_on_done_and_its_result_kept(account: Account) -> None:
    answer = await submit(account, COMPANY)
    place = answer.headers["location"]
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    assert place == "/services/rest/async/v1/job/1"
    job = await done(account, place)
    assert job["progress"] == "succeeded"
    [task] = (await account.call("GET", f"{place}/task")).json()["items"]
    shown = (await account.call("GET", f"{place}/task/{task['id']}")).json()
    assert shown["completed"] is True
    result = await account.call("GET", f"{place}/task/1/result")
    assert result.status_code == 204
    assert (await account.get(result.headers["location"].rsplit("/v1/", 1)[1]))["companyName"] == "Later Ltd"


async def test_a_failed_job_keeps_the_error(account: Account) -> None:
    place = (await submit(account, {"companyName": "Nowhere"})).headers["location"]
    assert (await done(account, place))["progress"] == "failed"
    result = await account.call("GET", f"{place}/task/1/result")
    assert (result.status_code, "Primary Subsidiary" in result.text) == (400, True)


async def test_an_idempotency_key_is_good_for_one_job(account: Account) -> None:
    key = {"X-NetSuite-Idempotency-Key": "0b0f58ac-7d3c-4b7e-8a0e-8f0d6f2f6d10"}
    first = await submit(account, COMPANY, **key)
    again = await submit(account, COMPANY, **key)
    assert (again.status_code, again.json()["title"]) == (400, "Conflict")
    assert again.json()["o:errorDetails"][0]["o:errorCode"] == "IDEMPOTENCY_ERROR"
    assert again.headers["location"] == first.headers["location"]
    await done(account, first.headers["location"])
    assert (await account.get("customer", q='companyName IS "Later Ltd"'))["totalResults"] == 1


async def test_a_synchronous_call_does_not_look_at_the_key(account: Account) -> None:
    key = {"X-NetSuite-Idempotency-Key": "again"}
    for _ in range(2):
        assert (await account.call("POST", "customer", COMPANY, headers=key)).status_code == 204


async def test_an_unfinished_job_is_done_after_a_restart(account: Account) -> None:
    jobs = account.vendor._jobs
    jobs._later = lambda key: None  # type: ignore[method-assign]  # as if the process died before the work
    place = (await submit(account, COMPANY)).headers["location"]
    assert (await account.call("GET", place)).json()["completed"] is False
    del jobs._later
    jobs.resume()
    assert (await done(account, place))["progress"] == "succeeded"


async def test_there_is_no_job_99(account: Account) -> None:
    assert (await account.call("GET", "/services/rest/async/v1/job/99")).status_code == 404


async def test_collections_are_changed_with_respond_async_only(account: Account) -> None:
    assert (await account.refused("DELETE", "customer", ids="101"))["o:errorHeader"] == "Prefer"
