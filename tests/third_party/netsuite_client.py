"""The PyPI `netsuite` client against the sandbox; run by test_netsuite.py in the foreign clients' environment.

Argument: the sandbox's info file. Prints one JSON object with what the client saw. Only the client's URLs are pointed
at the sandbox; signing, headers, bodies and errors are its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

from netsuite import Config, NetSuite, TokenAuth  # noqa: E402
from netsuite.exceptions import NetsuiteAPIRequestError  # noqa: E402
from netsuite.rest_api import NetSuiteRestApi  # noqa: E402
from netsuite.restlet import NetSuiteRestlet  # noqa: E402

INFO = json.loads(Path(sys.argv[1]).read_text())["vendors"]["netsuite"]
BASE = INFO["base_url"]


def client(**wrong: str) -> NetSuite:
    keys = {name: INFO["auth"]["tba"][name] for name in ("consumer_key", "consumer_secret", "token_id", "token_secret")}
    account = wrong.pop("account", INFO["account"])
    return NetSuite(Config(account=account, auth=TokenAuth(**{**keys, **wrong})))


async def refusal(call: object) -> list[object]:
    try:
        await call  # type: ignore[misc]
    except NetsuiteAPIRequestError as error:
        return [error.status_code, json.loads(error.response_text)]
    return [200, None]


async def main() -> dict[str, object]:
    NetSuiteRestApi._make_url = lambda _self, subpath: f"{BASE}/services/rest{subpath}"
    NetSuiteRestlet._make_url = lambda _self, subpath: f"{BASE}/app/site/hosting/restlet.nl{subpath}"
    api, restlet = client().rest_api, client().restlet
    seen: dict[str, object] = {}
    page = await api.get("/record/v1/customer", params={"limit": 150, "offset": 150})
    seen["page"] = [page["count"], page["hasMore"], page["totalResults"]]
    body = {"entityid": "Zoë & Søn", "companyname": "Zoë & Søn", "subsidiary": {"id": "1"}}
    made = await api.request("POST", "/record/v1/customer", json=body)
    key = made.headers["location"].rsplit("/", 1)[1]
    seen["created"] = [made.status_code, (await api.get(f"/record/v1/customer/{key}"))["companyName"]]
    query = {"q": 'companyName START_WITH "Zoë & S"'}
    seen["found"] = (await api.get("/record/v1/customer", params=query))["items"][0]["id"] == key
    seen["patched"] = await api.patch(f"/record/v1/customer/{key}", json={"email": "zoe@example.com"})
    lines = [{"item": {"externalId": "NW-WOOL-36-"}, "quantity": 2, "rate": 17.33}]
    order = {"entity": {"id": key}, "location": {"externalId": "PDX"}, "item": {"items": lines}}
    seen["upserted"] = await api.put("/record/v1/salesOrder/eid:sh%3Ashop%3Aorder%3A1", json=order)
    shown = await api.get("/record/v1/salesOrder/eid:sh:shop:order:1?expandSubResources=true")
    seen["order"] = [shown["total"], shown["status"]["id"], shown["item"]["items"][0]["amount"]]
    await api.post(f"/record/v1/salesOrder/{shown['id']}/!transform/itemFulfillment", json={})
    seen["status"] = (await api.get(f"/record/v1/salesOrder/{shown['id']}"))["status"]["refName"]
    rows: list[object] = []
    while True:
        found = await api.suiteql("SELECT id, email FROM customer ORDER BY id", limit=75, offset=len(rows))
        rows += found["items"]
        if not found["hasMore"]:
            break
    seen["rows"] = len(rows)
    since = "TO_DATE('2020-01-31', 'YYYY-MM-DD')"
    text = f"SELECT id FROM customer WHERE companyname = 'Zoë & Søn' AND lastmodifieddate >= {since}"  # noqa: S608
    seen["delta"] = [row["id"] for row in (await api.suiteql(text))["items"]] == [key]
    seen["restlet"] = [
        (await restlet.get(1001))["method"],
        (await restlet.post(1001, json={"a": "é"}))["body"],
        (await restlet.put(1001, json={"b": 1}))["method"],
    ]
    seen["schema"] = sorted((await api.jsonschema("customer"))["properties"])[:3]
    seen["openapi"] = "/salesOrder/{id}" in (await api.openapi(["salesOrder"]))["paths"]
    seen["deleted"] = await api.delete(f"/record/v1/itemFulfillment/{int(shown['id']) + 1}")
    bad_field = {**order, "item": {"items": [{"item": {"id": "9999"}, "quantity": 1}]}}
    seen["bad_field"] = await refusal(api.put("/record/v1/salesOrder/eid:bad", json=bad_field))
    seen["bad_name"] = (await refusal(api.post("/record/v1/customer", json={**body, "shoeSize": 1})))[0]
    seen["missing"] = await refusal(api.get("/record/v1/customer/999999"))
    seen["bad_query"] = await refusal(api.suiteql("SELECT nonsense FROM customer"))
    for name, wrong in (("bad_token", {"token_secret": "x"}), ("bad_account", {"account": "9999999"})):
        seen[name] = (await refusal(client(**wrong).rest_api.get("/record/v1/customer")))[0]
    many = await asyncio.gather(
        *(refusal(api.get(f"/record/v1/customer/{key}?expandSubResources=true")) for _ in range(8))
    )
    seen["all_at_once"] = sorted(status for status, _ in many)
    return seen


print(json.dumps(asyncio.run(main())))
