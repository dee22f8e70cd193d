"""The record API: collections, records, sublists, validation and errors."""

# ruff: noqa: E501  # tables of cases read best a case a line
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.netsuite.conftest import Account

PERSON = {"isPerson": True, "firstName": "Zoë", "lastName": "O'Hara", "subsidiary": {"id": "1"}}
ADDRESS = {"addressee": "Zoë O'Hara", "addr1": "1 Main St", "city": "Austin", "state": "TX", "country": {"id": "US"}}


async def test_a_page_has_ids_and_links_only(account: Account) -> None:
    page = await account.get("customer", limit=3, offset=3)
    assert (page["count"], page["hasMore"], page["offset"], page["totalResults"]) == (3, True, 3, 200)
    assert [set(item) for item in page["items"]] == [{"links", "id"}] * 3
    links = {link["rel"]: link["href"] for link in page["links"]}
    assert links["next"] == "http://127.0.0.1:8093/services/rest/record/v1/customer?limit=3&offset=6"
    assert set(links) == {"self", "next", "previous", "first", "last"}
    last = await account.call("GET", links["last"].removeprefix("http://127.0.0.1:8093"))
    assert last.json()["hasMore"] is False


async def test_links_echo_host_and_port_of_the_caller(account: Account) -> None:
    url = "https://td3025871-sb1.suitetalk.api.netsuite.com/services/rest/record/v1/customer?limit=1"
    answer = await account.client.get(url, headers=account.signed("GET", url))
    assert answer.json()["links"][-1]["href"] == url + "&offset=0"


async def test_a_record_is_created_read_changed_and_deleted(account: Account) -> None:
    answer = await account.call("POST", "customer", {**PERSON, "email": "zoe@example.com"})
    assert (answer.status_code, answer.content) == (204, b"")
    place = answer.headers["location"]
    key = place.rsplit("/", 1)[1]
    assert place == f"http://127.0.0.1:8093/services/rest/record/v1/customer/{key}"
    changed = await account.call("PATCH", f"customer/{key}", {"email": None, "PHONE": "+1 555"})
    assert (changed.status_code, changed.headers["location"]) == (204, place)
    customer = await account.get(f"customer/{key}")
    assert "email" not in customer
    assert (customer["phone"], customer["lastName"], customer["id"]) == ("+1 555", "O'Hara", key)
    assert customer["subsidiary"] == {
        "links": [{"rel": "self", "href": "http://127.0.0.1:8093/services/rest/record/v1/subsidiary/1"}],
        "id": "1",
        "refName": "Northwind Outfitters Inc.",
    }
    assert (await account.call("DELETE", f"customer/{key}")).status_code == 204
    gone = await account.call("GET", f"customer/{key}")
    assert (gone.status_code, gone.json()["o:errorDetails"][0]["o:errorCode"]) == (404, "NONEXISTENT_ID")


async def test_put_by_external_id_creates_and_then_merges(account: Account) -> None:
    path = "customer/eid:sh%3Ashop%3Acustomer%3AO%27Hara%2F1"
    first = await account.call("PUT", path, PERSON)
    second = await account.call("PUT", path, {"email": "zoe@example.com"})
    assert first.headers["location"] == second.headers["location"]
    customer = await account.get(path)
    assert customer["externalId"] == "sh:shop:customer:O'Hara/1"
    assert (customer["firstName"], customer["email"]) == ("Zoë", "zoe@example.com")
    assert (await account.get(path.upper().replace("CUSTOMER/EID", "customer/eid")))["id"] == customer["id"]


async def test_put_needs_an_external_id(account: Account) -> None:
    assert "external ID" in (await account.refused("PUT", "customer/101", {}))["detail"]


async def test_an_external_id_is_used_once_and_mail_addresses_are_not_unique(account: Account) -> None:
    body = {**PERSON, "externalId": "one", "email": "same@example.com"}
    await account.create("customer", body)
    detail = await account.refused("POST", "customer", {**body, "externalId": "ONE"})
    assert detail == {
        "detail": "Error while accessing a resource. This entity already exists.",
        "o:errorCode": "USER_ERROR",
    }
    await account.create("customer", {**body, "externalId": "two"})


async def test_what_is_missing_is_named(account: Account) -> None:
    detail = await account.refused("POST", "customer", {"isPerson": True})
    assert detail["detail"].endswith("Please enter value(s) for: First Name, Last Name, Primary Subsidiary")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"subsidiary": {"id": "77"}}, "subsidiary"),
        ({"subsidiary": {"externalId": "nowhere"}}, "subsidiary"),
        ({"isPerson": "perhaps"}, "isPerson"),
        ({"startDate": "31.12.2026"}, "startDate"),
        ({"creditLimit": "much"}, "creditLimit"),
        ({"emailPreference": {"id": "FAX"}}, "emailPreference"),
        ({"currencyList": {"items": [{"currency": {"id": "1"}}, {"currency": {"id": "x"}}]}}, "currencyList.items[1].currency"),
        ({"addressBook": {"items": [{"addressBookAddress": {"country": 5.5}}]}}, "addressBook.items[0].addressBookAddress.country"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
async def test_a_wrong_value_is_pointed_at(account: Account, body: dict[str, Any], path: str) -> None:
    detail = await account.refused("POST", "customer", {**PERSON, **body})
    assert (detail["o:errorCode"], detail["o:errorPath"]) == ("INVALID_CONTENT", path)


async def test_references_are_taken_by_id_number_and_external_id(account: Account) -> None:
    for subsidiary in ({"id": 2}, {"id": "2"}, 2, "2", {"externalId": "EU"}):
        key = await account.create("customer", {**PERSON, "subsidiary": subsidiary})
        assert (await account.get(f"customer/{key}"))["subsidiary"]["id"] == "2"


async def test_unknown_properties_are_passed_over_unless_the_header_says_error(account: Account) -> None:
    await account.create("customer", {**PERSON, "shoeSize": 43})
    strict = {"X-NetSuite-PropertyNameValidation": "error"}
    refused = await account.call("POST", "customer", {**PERSON, "shoeSize": 43}, headers=strict)
    assert refused.status_code == 400
    assert refused.json()["o:errorDetails"][0]["o:errorPath"] == "shoeSize"
    lower = {name.lower(): value for name, value in PERSON.items()}
    assert (await account.call("POST", "customer", lower, headers=strict)).status_code == 204


async def test_wrong_values_can_be_ignored(account: Account) -> None:
    lenient = {"X-NetSuite-PropertyValueValidation": "Ignore"}
    answer = await account.call("POST", "customer", {**PERSON, "creditLimit": "much"}, headers=lenient)
    assert "creditLimit" not in await account.get(answer.headers["location"].rsplit("/v1/", 1)[1])


async def test_addresses_are_lines_with_a_subrecord(account: Account) -> None:
    line = {"defaultBilling": True, "defaultShipping": True, "addressBookAddress": ADDRESS}
    key = await account.create("customer", {**PERSON, "addressBook": {"items": [line]}})
    closed = await account.get(f"customer/{key}")
    assert list(closed["addressBook"]) == ["links"]
    book = (await account.get(f"customer/{key}", expandSubResources="true"))["addressBook"]
    assert book["totalResults"] == 1
    [shown] = book["items"]
    assert shown["addressBookAddress"]["country"] == {"id": "US", "refName": "United States"}
    second = {"defaultShipping": True, "addressBookAddress": {**ADDRESS, "addr1": "2 Oak Ave"}}
    await account.call("PATCH", f"customer/{key}", {"addressBook": {"items": [second]}})
    lines = (await account.get(f"customer/{key}", expandSubResources="true"))["addressBook"]["items"]
    assert [(line["defaultBilling"], line["defaultShipping"]) for line in lines] == [(True, False), (False, True)]
    change = {"id": lines[0]["id"], "label": "Home", "addressBookAddress": {"city": "Dallas"}}
    await account.call("PATCH", f"customer/{key}", {"addressBook": {"items": [change]}})
    lines = (await account.get(f"customer/{key}", expandSubResources="true"))["addressBook"]["items"]
    address = lines[0]["addressBookAddress"]
    assert (len(lines), lines[0]["label"], address["city"], address["addr1"]) == (2, "Home", "Dallas", "1 Main St")
    replaced = await account.call("PATCH", f"customer/{key}?replace=addressBook", {"addressBook": {"items": [line]}})
    assert replaced.status_code == 204
    page = await account.get(f"customer/{key}/addressBook")
    assert page["totalResults"] == 1
    one = await account.call("GET", page["items"][0]["links"][0]["href"].removeprefix("http://127.0.0.1:8093"))
    assert one.json()["defaultBilling"] is True


async def test_fields_and_simple_enumerations(account: Account) -> None:
    shown = await account.get("customer/101", fields="email,searchStage", simpleEnumFormat="true")
    assert set(shown) == {"links", "id", "email", "searchStage"}
    assert shown["searchStage"] == "CUSTOMER"
    assert (await account.refused("GET", "customer/101", fields="shoeSize"))["o:errorQueryParam"] == "fields"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('email IS "grace.lopez.1@example.com"', 1),
        ('email CONTAIN "LOPEZ" AND isPerson IS true', None),
        ("id BETWEEN 101 AND 110", 10),
        ("id ANY_OF [101, 102, 999]", 2),
        ("companyName EMPTY_NOT", None),
        ('subsidiary ANY_OF [2] OR (id LESS 103 AND isInactive IS false)', None),
        ('lastModifiedDate ON_OR_AFTER "1/1/2020"', 200),
        ('lastModifiedDate AFTER "1/1/2120"', 0),
        ('entityId START_WITH_NOT "CUS"', 0),
    ],
)  # fmt: skip
async def test_q_filters_collections(account: Account, text: str, count: int | None) -> None:
    page = await account.get("customer", q=text)
    found = {item["id"] for item in page["items"]}
    if count is not None:
        assert page["totalResults"] == count
    else:
        assert 0 < len(found) < 200
    for key in sorted(found)[:3]:
        assert (await account.get(f"customer/{key}"))["id"] == key


@pytest.mark.parametrize(
    "text", ["", "email", "shoeSize IS 1", 'email GREATER "a"', "(id EQUAL 1", 'lastModifiedDate AFTER "2026-01-31"', "id IS x\""]
)  # fmt: skip
async def test_a_wrong_q_is_an_invalid_parameter(account: Account, text: str) -> None:
    detail = await account.refused("GET", "customer", q=text)
    assert (detail["o:errorCode"], detail["o:errorQueryParam"]) == ("INVALID_PARAMETER", "q")


async def test_records_are_read_many_at_a_time(account: Account) -> None:
    page = await account.get("customer", ids="101,103", expandRecords="true")
    assert [item["email"] is not None for item in page["items"]] == [True, True]


@pytest.mark.parametrize(("limit", "offset"), [("0", "0"), ("1001", "0"), ("10", "5"), ("x", "0"), ("5", "-5")])
async def test_limit_and_offset_have_bounds(account: Account, limit: str, offset: str) -> None:
    assert (await account.refused("GET", "customer", limit=limit, offset=offset))["o:errorCode"] == "INVALID_PARAMETER"


async def test_what_does_not_exist(account: Account) -> None:
    no_type = await account.call("GET", "spaceship")
    assert (no_type.status_code, no_type.json()["title"]) == (404, "Not Found")
    assert "Record type 'spaceship' does not exist" in no_type.text
    assert (await account.call("GET", "customer/999999")).status_code == 404
    assert (await account.call("GET", "/services/rest/nothing/v1")).status_code == 404
    assert (await account.call("TRACE", "customer/101")).status_code == 405


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"\xff"])
async def test_a_body_that_is_no_json_object(account: Account, content: bytes) -> None:
    url = "http://127.0.0.1:8093/services/rest/record/v1/customer"
    answer = await account.client.post(url, content=content, headers=account.signed("POST", url))
    assert (answer.status_code, answer.json()["o:errorDetails"][0]["o:errorCode"]) == (400, "INVALID_CONTENT")


async def test_a_refused_request_leaves_nothing_behind(account: Account) -> None:
    body = {**PERSON, "addressBook": {"items": [{"addressBookAddress": ADDRESS}]}, "entityId": "CUS1000"}
    before = account.vendor.context.store.counts()
    await account.refused("POST", "customer", body)
    assert account.vendor.context.store.counts() == before


async def test_the_catalogue_describes_what_is_served(account: Account) -> None:
    import jsonschema  # noqa: PLC0415
    from openapi_spec_validator import validate  # noqa: PLC0415

    accept = {"Accept": "application/swagger+json"}
    document = (await account.call("GET", "metadata-catalog?select=salesOrder,customer", headers=accept)).json()
    validate(document)
    assert set(document["paths"]) >= {"/salesOrder", "/customer/{id}"}
    schema = (
        await account.call("GET", "metadata-catalog/customer", headers={"Accept": "application/schema+json"})
    ).json()
    jsonschema.Draft6Validator.check_schema(schema)
    shown = (await account.call("GET", "customer/101?expandSubResources=true")).json()
    assert set(shown) <= set(schema["properties"])
    names = [item["name"] for item in (await account.get("metadata-catalog"))["items"]]
    assert {"customer", "salesOrder", "itemFulfillment"} <= set(names)
