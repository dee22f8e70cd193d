"""Sales orders and item fulfilments through the record API."""

# ruff: noqa: E501  # tables of cases read best a case a line
from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.netsuite.conftest import Account

SOCKS, POLES, KIT, SERVICE = "NW-WOOL-36-", "NW-TREK-PAI", "NW-KIT-CAMP", "NW-SRV-WAX"
INACTIVE = "NW-RAIN-ONE"


def sku(name: str) -> dict[str, str]:
    return {"externalId": name}


def order(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    items = list(lines) or [{"item": sku(SOCKS), "quantity": 2, "rate": 17.33}]
    return {"entity": {"id": "101"}, "location": sku("PDX"), "item": {"items": items}, **more}


async def placed(account: Account, body: dict[str, Any], external_id: str = "sh:shop:order:1") -> dict[str, Any]:
    answer = await account.call("PUT", f"salesOrder/eid:{external_id}", body)
    assert answer.status_code == 204, answer.text
    return await account.get(f"salesOrder/eid:{external_id}", expandSubResources="true")


async def test_an_order_adds_up(account: Account) -> None:
    shown = await placed(
        account,
        order(
            {"item": sku(SOCKS), "quantity": 3, "rate": 17.33, "taxCode": sku("US-CA")},
            {"item": sku("Line Discount"), "amount": -5, "taxCode": sku("US-CA")},
            {"item": sku(KIT), "quantity": 1, "amount": 429.1, "taxCode": sku("US-CA"), "tax1Amt": 31.1},
            shippingCost=7.5,
            shippingTaxCode=sku("US-CA"),
        ),
    )
    amounts = [(line["amount"], line["tax1Amt"]) for line in shown["item"]["items"]]
    expected = [("51.99", "3.77"), ("-5", "-0.36"), ("429.1", "31.1")]
    assert amounts == [(Decimal(a), Decimal(t)) for a, t in expected]
    assert shown["subtotal"] == Decimal("476.09")
    assert shown["taxTotal"] == Decimal("35.05")  # 3.77 - 0.36 + 31.10 + 0.54 on shipping
    assert shown["total"] == Decimal("518.64")
    assert (shown["status"]["id"], shown["orderStatus"]["refName"]) == ("B", "Pending Fulfillment")
    assert shown["tranId"] == "SO-10001"
    assert shown["exchangeRate"] == 1


async def test_amounts_are_exact_numbers_on_the_wire(account: Account) -> None:
    await placed(account, order({"item": sku(SOCKS), "quantity": 3, "rate": 0.1}))
    text = (await account.call("GET", "salesOrder/eid:sh:shop:order:1?expandSubResources=true")).text
    assert '"total":0.30' in text
    assert "00000000" not in text


async def test_without_rate_and_amount_the_price_list_counts(account: Account) -> None:
    shown = await placed(account, order({"item": sku(SOCKS), "quantity": 2}, currency={"id": "5"}))
    assert shown["item"]["items"][0]["rate"] == Decimal(3110)
    assert (shown["total"], shown["currency"]["refName"]) == (Decimal(6220), "Japanese Yen")
    assert shown["exchangeRate"] == Decimal("0.0066")


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        (order({"item": {"id": "9999"}, "quantity": 1, "rate": 1}), "item.items[0].item", "9999"),
        (order({"item": sku(SOCKS), "rate": 1}, {"item": sku("NW-PROMO-26"), "rate": 1}), "item.items[1].item", "NW-PROMO-26"),
        (order({"item": sku(SOCKS), "rate": 1, "taxCode": {"id": "9999"}}), "item.items[0].taxCode", "9999"),
        (order(subsidiary={"id": "2"}), "subsidiary", "2"),
        (order(currency={"id": "2"}), "currency", "2"),
        (order(location=sku("HAM")), "location", "3"),
        ({**order(), "entity": {"id": "9999"}}, "entity", "9999"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
async def test_references_must_fit(account: Account, body: dict[str, Any], path: str, value: str) -> None:
    detail = await account.refused("PUT", "salesOrder/eid:x", body)
    assert detail == {
        "detail": "Error while accessing resource: You have entered an Invalid Field Value"
        f" {value} for the following field: {path.rpartition('.')[2]}",
        "o:errorCode": "INVALID_CONTENT",
        "o:errorPath": path,
    }


async def test_an_inactive_item_cannot_be_ordered_until_it_is_active_again(account: Account) -> None:
    body = order({"item": sku(INACTIVE), "quantity": 1, "rate": 34.5})
    key = account.id_of("inventoryItem", INACTIVE)
    detail = await account.refused("PUT", "salesOrder/eid:x", body)
    assert (detail["o:errorPath"], key in detail["detail"]) == ("item.items[0].item", True)
    account.seed(items=[{"sku": INACTIVE, "inactive": False}])
    await placed(account, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"item": {"items": []}, "entity": {"id": "101"}}, "at least one line item"),
        ({"item": {"items": [{"item": {"externalId": SOCKS}, "rate": 1}]}}, "Please enter value(s) for: Customer"),
        (order({"item": sku("Line Discount"), "amount": -5}, {"item": sku(SOCKS), "rate": 1}), "discount"),
        (order({"item": sku(SOCKS), "rate": 1}, {"item": sku("Line Discount"), "amount": -5}), "less than zero"),
    ],
)
async def test_business_rules_are_user_errors(account: Account, body: dict[str, Any], words: str) -> None:
    detail = await account.refused("POST", "salesOrder", body)
    assert detail["o:errorCode"] == "USER_ERROR"
    assert words in detail["detail"]


async def test_a_second_subsidiary_needs_a_relationship(account: Account) -> None:
    body = order(subsidiary={"id": "2"}, location=sku("HAM"))
    await account.refused("PUT", "salesOrder/eid:x", body)
    relation = {"entity": {"id": "101"}, "subsidiary": {"id": "2"}}
    await account.create("customerSubsidiaryRelationship", relation)
    assert "already exists" in (await account.refused("POST", "customerSubsidiaryRelationship", relation))["detail"]
    shown = await placed(account, body)
    assert shown["exchangeRate"] == Decimal("0.92592593")


async def test_put_again_adds_lines_unless_they_are_replaced(account: Account) -> None:
    await placed(account, order())
    assert len((await placed(account, order()))["item"]["items"]) == 2
    answer = await account.call("PUT", "salesOrder/eid:sh:shop:order:1?replace=item", order())
    assert answer.status_code == 204
    shown = await account.get("salesOrder/eid:sh:shop:order:1", expandSubResources="true")
    [line] = shown["item"]["items"]
    assert (shown["total"], line["line"]) == (Decimal("34.66"), 3)
    change = {"item": {"items": [{"line": 3, "quantity": 5}]}}
    assert (await account.call("PATCH", f"salesOrder/{shown['id']}", change)).status_code == 204
    [line] = (await account.get(f"salesOrder/{shown['id']}", expandSubResources="true"))["item"]["items"]
    assert (line["amount"], line["rate"]) == (Decimal("86.65"), Decimal("17.33"))


async def test_an_order_commits_stock_and_backorders_the_rest(account: Account) -> None:
    account.seed(stock=[{"sku": SOCKS, "location": "PDX", "quantity": 3}])
    first = await placed(account, order({"item": sku(SOCKS), "quantity": 2, "rate": 1}), "a")
    second = await placed(account, order({"item": sku(SOCKS), "quantity": 2, "rate": 1}), "b")
    seen = [o["item"]["items"][0] for o in (first, second)]
    assert [(line["quantityCommitted"], line["quantityBackOrdered"]) for line in seen] == [(2, 0), (1, 1)]
    key = account.id_of("inventoryItem", SOCKS)
    item = await account.get(f"inventoryItem/{key}", expandSubResources="true")
    here = next(line for line in item["locations"]["items"] if line["location"]["refName"] == "Portland Warehouse")
    assert (here["quantityOnHand"], here["quantityCommitted"], here["quantityAvailable"]) == (3, 3, 0)
    await account.call("DELETE", "salesOrder/eid:a")
    item = await account.get(f"inventoryItem/{key}", expandSubResources="true")
    here = next(line for line in item["locations"]["items"] if line["location"]["refName"] == "Portland Warehouse")
    assert (here["quantityCommitted"], here["quantityAvailable"]) == (1, 2)


async def transform(account: Account, body: object, query: str = "") -> Any:
    return await account.call("POST", f"salesOrder/eid:sh:shop:order:1/!transform/itemFulfillment{query}", body)


async def status(account: Account) -> tuple[str, list[Any]]:
    shown = await account.get("salesOrder/eid:sh:shop:order:1", expandSubResources="true")
    return shown["status"]["id"], [line["quantityFulfilled"] for line in shown["item"]["items"]]


TWO = order({"item": sku(SOCKS), "quantity": 3, "rate": 10}, {"item": sku(POLES), "quantity": 1, "rate": 79})


async def test_an_order_ships_in_parts(account: Account) -> None:
    await placed(account, TWO)
    part = {
        "shipStatus": {"id": "C"},
        "item": {"items": [{"orderLine": 1, "quantity": 2}, {"orderLine": 2, "itemReceive": False}]},
        "package": {"items": [{"packageTrackingNumber": "1Z999", "packageWeight": 1.5}]},
    }
    answer = await transform(account, part)
    assert answer.status_code == 204
    path = answer.headers["location"].rsplit("/v1/", 1)[1]
    shown = await account.get(path, expandSubResources="true")
    [line] = shown["item"]["items"]
    assert (line["orderLine"], line["quantity"], line["item"]["refName"]) == (1, 2, SOCKS)
    assert shown["createdFrom"]["refName"] == "SO-10001"
    assert shown["package"]["items"][0]["packageTrackingNumber"] == "1Z999"
    assert await status(account) == ("D", [2, 0])
    assert (await transform(account, {})).status_code == 204
    assert await status(account) == ("F", [3, 1])
    nothing_left = await transform(account, {})
    assert (nothing_left.status_code, "nothing to fulfill" in nothing_left.text) == (400, True)


async def test_lines_that_are_not_named_ship_too_unless_replaced(account: Account) -> None:
    await placed(account, TWO)
    one = {"item": {"items": [{"orderLine": 1, "quantity": 1}]}}
    await transform(account, one)
    assert await status(account) == ("D", [1, 1])
    await transform(account, one, "?replace=item")
    assert await status(account) == ("D", [2, 1])


@pytest.mark.parametrize("line", [{"orderLine": 1, "quantity": 4}, {"orderLine": 9, "quantity": 1}])
async def test_more_than_was_ordered_cannot_ship(account: Account, line: dict[str, int]) -> None:
    await placed(account, TWO)
    answer = await transform(account, {"item": {"items": [line]}})
    assert (answer.status_code, answer.json()["o:errorDetails"][0]["o:errorCode"]) == (400, "USER_ERROR")
    assert await status(account) == ("B", [0, 0])


async def test_picked_and_packed_goods_have_not_left(account: Account) -> None:
    before = await placed(account, TWO)
    answer = await transform(account, {"shipStatus": {"id": "A"}})
    path = answer.headers["location"].rsplit("/v1/", 1)[1]
    assert await status(account) == ("B", [0, 0])
    assert (await account.call("PATCH", path, {"shipStatus": {"id": "C"}})).status_code == 204
    assert await status(account) == ("F", [3, 1])
    after = await account.get("salesOrder/eid:sh:shop:order:1")
    assert after["lastModifiedDate"] >= before["lastModifiedDate"]
    assert (await account.call("DELETE", path)).status_code == 204
    assert await status(account) == ("B", [0, 0])


async def test_a_shipped_order_cannot_be_deleted_nor_its_line_cut(account: Account) -> None:
    shown = await placed(account, TWO)
    await transform(account, {})
    assert "linked" in (await account.refused("DELETE", f"salesOrder/{shown['id']}"))["detail"]
    less = {"item": {"items": [{"line": 1, "quantity": 1}]}}
    assert "already fulfilled" in (await account.refused("PATCH", f"salesOrder/{shown['id']}", less))["detail"]


async def test_services_need_no_fulfilment(account: Account) -> None:
    shown = await placed(account, order({"item": sku(SERVICE), "quantity": 1, "rate": 35}))
    assert shown["status"]["id"] == "F"


async def test_an_order_pending_approval_commits_nothing(account: Account) -> None:
    shown = await placed(account, {**TWO, "orderStatus": {"id": "A"}})
    assert shown["status"]["id"] == "A"
    assert (await transform(account, {})).status_code == 400
    await account.call("PATCH", f"salesOrder/{shown['id']}", {"orderStatus": "B"})
    assert (await status(account))[0] == "B"


async def test_a_gift_certificate_pays_a_part(account: Account) -> None:
    await account.create("giftCertificate", {"giftCertCode": "GC-1", "originalAmount": 20, "externalId": "gc"})
    body = {**TWO, "giftCertRedemption": {"items": [{"authCode": sku("gc"), "authCodeApplied": 15}]}}
    shown = await placed(account, body)
    assert (shown["giftCertApplied"], shown["total"]) == (Decimal(15), Decimal(94))


async def test_a_clerk_ships_with_tracking(account: Account) -> None:
    await placed(account, TWO)
    lines = [{"sku": SOCKS, "quantity": 2}]
    made = account.seed(fulfil={"externalId": "sh:shop:order:1", "lines": lines, "tracking": ["1Z1", "1Z2"]})
    assert made["fulfillments"][0]["tranId"] == "IF-5001"
    assert await status(account) == ("D", [2, 0])


async def test_goods_have_to_be_on_hand_unless_a_clerk_receives_them(account: Account) -> None:
    account.seed(stock=[{"sku": SOCKS, "location": "PDX", "quantity": 1}])
    await placed(account, TWO)
    answer = await transform(account, {"item": {"items": [{"orderLine": 1, "quantity": 3}]}})
    assert (answer.status_code, "not enough" in answer.text) == (400, True)
    account.seed(fulfil={"externalId": "sh:shop:order:1"})
    assert await status(account) == ("F", [3, 1])


async def test_a_fulfilment_is_not_an_order(account: Account) -> None:
    await placed(account, TWO)
    key = (await transform(account, {})).headers["location"].rsplit("/", 1)[1]
    assert "Transaction type specified is incorrect" in (await account.refused("GET", f"salesOrder/{key}"))["detail"]
