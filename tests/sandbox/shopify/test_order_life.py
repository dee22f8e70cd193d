"""What happens to an order after it was placed."""

# ruff: noqa: E501  # GraphQL documents read better on one line
from __future__ import annotations

import pytest

from tests.sandbox.shopify.conftest import custom, money

SHIP = """mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { field message }
  fulfillment { id status name totalQuantity trackingInfo { company number url }
    fulfillmentLineItems(first: 9) { nodes { quantity lineItem { sku } } } } } }"""
SEE = """query($id: ID!) { order(id: $id) { displayFulfillmentStatus displayFinancialStatus cancelledAt cancelReason tags note updatedAt
  lineItems(first: 9) { nodes { sku fulfillableQuantity } }
  fulfillments { id status trackingInfo { company number url } }
  fulfillmentOrders(first: 9) { nodes { id status lineItems(first: 9) { nodes { id remainingQuantity totalQuantity } } } } } }"""


async def see(shop, order):
    return (await shop.data(SEE, {"id": order["id"]}))["order"]


async def ship(shop, order, quantities=None, tracking=None, notify=True):
    """Ship from the first fulfilment order; quantities by line place."""
    source = (await see(shop, order))["fulfillmentOrders"]["nodes"][0]
    wanted = {"fulfillmentOrderId": source["id"]}
    if quantities:
        lines = source["lineItems"]["nodes"]
        wanted["fulfillmentOrderLineItems"] = [{"id": lines[i]["id"], "quantity": n} for i, n in quantities.items()]
    given = {"lineItemsByFulfillmentOrder": [wanted], "notifyCustomer": notify, "trackingInfo": tracking}
    return (await shop.data(SHIP, {"f": given}))["fulfillmentCreate"]


class TestFulfilment:
    async def test_in_two_parts(self, shop):
        order = await shop.create(email="a@example.com", lineItems=[custom("a", "1", 3), custom("b", "2")])
        first = await ship(shop, order, {0: 2}, {"company": "UPS", "number": "1Z1", "url": "https://ups.example/1Z1"})
        assert first["userErrors"] == []
        assert first["fulfillment"]["trackingInfo"] == [
            {"company": "UPS", "number": "1Z1", "url": "https://ups.example/1Z1"}
        ]
        now = await see(shop, order)
        assert now["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
        assert [x["fulfillableQuantity"] for x in now["lineItems"]["nodes"]] == [1, 1]
        assert now["fulfillmentOrders"]["nodes"][0]["status"] == "IN_PROGRESS"
        await ship(shop, order)
        now = await see(shop, order)
        assert now["displayFulfillmentStatus"] == "FULFILLED"
        assert now["fulfillmentOrders"]["nodes"][0]["status"] == "CLOSED"
        assert len(now["fulfillments"]) == 2

    async def test_the_customer_is_told_once_per_shipment_if_asked(self, shop):
        order = await shop.create(email="a@example.com", lineItems=[custom("a", "1", 3)])
        await ship(shop, order, {0: 1})
        await ship(shop, order, {0: 1}, notify=False)
        assert [(n["kind"], n["email"]) for n in await shop.state("notification")] == [
            ("shipping_confirmation", "a@example.com")
        ]

    @pytest.mark.parametrize("quantity", [4, 0])
    async def test_no_more_than_remains_and_no_less_than_one(self, shop, quantity):
        order = await shop.create(lineItems=[custom("a", "1", 3)])
        payload = await ship(shop, order, {0: quantity})
        assert payload["fulfillment"] is None
        assert payload["userErrors"][0]["message"] == "Invalid fulfillment order line item quantity requested."
        assert (await see(shop, order))["fulfillments"] == []

    async def test_a_closed_fulfilment_order_is_refused(self, shop):
        order = await shop.create()
        await ship(shop, order)
        payload = await ship(shop, order)
        assert "has an unfulfillable status= closed" in payload["userErrors"][0]["message"]

    async def test_tracking_can_be_added_later(self, shop):
        order = await shop.create()
        made = (await ship(shop, order))["fulfillment"]
        await shop.data(
            "mutation($id: ID!, $t: FulfillmentTrackingInput!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t, notifyCustomer: true) { userErrors { message } } }",
            {"id": made["id"], "t": {"company": "DHL", "numbers": ["1", "2"]}},
        )
        now = await see(shop, order)
        assert [t["number"] for t in now["fulfillments"][0]["trackingInfo"]] == ["1", "2"]
        assert [n["kind"] for n in await shop.state("notification")] == ["shipping_confirmation", "shipping_update"]

    async def test_cancelling_gives_the_quantities_back(self, shop):
        order = await shop.create(lineItems=[custom("a", "1", 2)])
        made = (await ship(shop, order))["fulfillment"]
        await shop.data(
            "mutation($id: ID!) { fulfillmentCancel(id: $id) { userErrors { message } } }", {"id": made["id"]}
        )
        now = await see(shop, order)
        assert now["displayFulfillmentStatus"] == "UNFULFILLED"
        assert now["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["remainingQuantity"] == 2
        assert (await ship(shop, order))["userErrors"] == []

    async def test_stock_is_routed_to_where_it_is(self, shop):
        variants = {v["sku"]: v for v in await shop.state("variant", shop="northwind-us")}
        item = next(
            v
            for v in variants.values()
            if len(v["stock"]) == 2 and len({s["available"] for s in v["stock"].values()}) == 2
        )
        place, most = max(item["stock"].items(), key=lambda x: x[1]["available"])
        order = await shop.create(
            lineItems=[{"variantId": f"gid://shopify/ProductVariant/{item['id']}", "quantity": most["available"]}]
        )
        [source] = order["fulfillmentOrders"]["nodes"]
        assert source["assignedLocation"]["location"]["id"].endswith(f"/{place}")


class TestPayment:
    PAY = "mutation($id: ID!) { orderMarkAsPaid(input: {id: $id}) { order { displayFinancialStatus } userErrors { field message } } }"

    async def test_mark_as_paid_once(self, shop):
        order = await shop.create()
        assert (await shop.data(self.PAY, {"id": order["id"]}))["orderMarkAsPaid"]["order"][
            "displayFinancialStatus"
        ] == "PAID"
        again = (await shop.data(self.PAY, {"id": order["id"]}))["orderMarkAsPaid"]
        assert again["userErrors"] == [{"field": ["id"], "message": "Order cannot be marked as paid."}]

    async def test_capture_of_an_authorization(self, shop):
        order = await shop.create(
            transactions=[{"kind": "AUTHORIZATION", "gateway": "bogus", "amountSet": money("10")}]
        )
        payload = await shop.data(
            "mutation($i: OrderCaptureInput!) { orderCapture(input: $i) { transaction { kind amountSet { shopMoney { amount } } } userErrors { message } } }",
            {"i": {"id": order["id"], "parentTransactionId": order["transactions"][0]["id"], "amount": "4"}},
        )
        assert payload["orderCapture"]["transaction"]["kind"] == "CAPTURE"
        assert (await see(shop, order))["displayFinancialStatus"] == "PARTIALLY_PAID"


class TestCancel:
    CANCEL = "mutation($id: ID!) { orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refundMethod: {originalPaymentMethodsRefund: true}) { job { done } orderCancelUserErrors { message code } } }"

    async def test_a_paid_order_is_refunded_and_nothing_more_is_shipped(self, shop):
        order = await shop.create(transactions=[{"kind": "SALE", "gateway": "bogus", "amountSet": money("10")}])
        await shop.data(self.CANCEL, {"id": order["id"]})
        now = await see(shop, order)
        assert (now["displayFinancialStatus"], now["cancelReason"]) == ("REFUNDED", "CUSTOMER")
        assert now["cancelledAt"]
        assert now["fulfillmentOrders"]["nodes"][0]["status"] == "CANCELLED"

    async def test_what_was_shipped_cannot_be_cancelled(self, shop):
        order = await shop.create()
        await ship(shop, order)
        [error] = (await shop.data(self.CANCEL, {"id": order["id"]}))["orderCancel"]["orderCancelUserErrors"]
        assert error["code"] == "INVALID"


class TestMetafieldsAndTags:
    SET = "mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { metafields { key value compareDigest } userErrors { field message code elementIndex } } }"

    def field(self, order, key="erp_order_id", value="77", **more):
        return {
            "ownerId": order["id"],
            "namespace": "strata",
            "key": key,
            "type": "single_line_text_field",
            "value": value,
            **more,
        }

    async def test_set_read_and_search(self, shop):
        order = await shop.create()
        await shop.data(self.SET, {"m": [self.field(order), self.field(order, "erp_order_number", "SO1")]})
        data = await shop.data(
            """query($id: ID!) { order(id: $id) { a: metafield(namespace: "strata", key: "erp_order_id") { value }
                 metafields(first: 5, namespace: "strata") { nodes { key } } none: metafield(namespace: "x", key: "yy") { value } }
               orders(first: 5, query: "metafields.strata.erp_order_number:SO1") { nodes { id } }
               orderByIdentifier(identifier: {customId: {namespace: "strata", key: "erp_order_id", value: "77"}}) { id } }""",
            {"id": order["id"]},
        )
        assert data["order"] == {
            "a": {"value": "77"},
            "metafields": {"nodes": [{"key": "erp_order_id"}, {"key": "erp_order_number"}]},
            "none": None,
        }
        assert data["orders"]["nodes"] == [{"id": order["id"]}]
        assert data["orderByIdentifier"] == {"id": order["id"]}

    async def test_all_or_none(self, shop):
        order = await shop.create()
        payload = (await shop.data(self.SET, {"m": [self.field(order), self.field(order, "x")]}))["metafieldsSet"]
        assert payload["metafields"] is None
        assert [(e["code"], e["elementIndex"]) for e in payload["userErrors"]] == [("TOO_SHORT", 1)]
        assert await shop.state("metafield") == []

    async def test_compare_and_set(self, shop):
        order = await shop.create()
        made = (await shop.data(self.SET, {"m": [self.field(order)]}))["metafieldsSet"]["metafields"][0]
        await shop.data(self.SET, {"m": [self.field(order, value="78", compareDigest=made["compareDigest"])]})
        stale = (
            await shop.data(self.SET, {"m": [self.field(order, value="79", compareDigest=made["compareDigest"])]})
        )["metafieldsSet"]
        assert stale["userErrors"][0]["code"] == "STALE_OBJECT"

    async def test_tags_are_a_set_without_case(self, shop):
        order = await shop.create(tags=["One"])
        await shop.data(
            'mutation($id: ID!) { a: tagsAdd(id: $id, tags: ["one", "two, three"]) { userErrors { message } } b: tagsRemove(id: $id, tags: ["TWO"]) { userErrors { message } } }',
            {"id": order["id"]},
        )
        assert (await see(shop, order))["tags"] == ["One", "three"]

    async def test_update_replaces_what_is_given_only(self, shop):
        order = await shop.create(note="keep", tags=["a"])
        await shop.data(
            "mutation($i: OrderInput!) { orderUpdate(input: $i) { order { id } userErrors { message } } }",
            {"i": {"id": order["id"], "tags": ["b"]}},
        )
        now = await see(shop, order)
        assert (now["note"], now["tags"]) == ("keep", ["b"])


class TestCustomers:
    async def test_an_email_is_taken_once_per_shop(self, shop):
        create = "mutation($e: String!) { customerCreate(input: {email: $e}) { customer { id } userErrors { field message } } }"
        assert (await shop.data(create, {"e": "x@example.com"}))["customerCreate"]["userErrors"] == []
        again = (await shop.data(create, {"e": "X@example.com"}))["customerCreate"]
        assert again["userErrors"] == [{"field": ["email"], "message": "Email has already been taken"}]
        assert (await shop.of("northwind-eu").data(create, {"e": "x@example.com"}))["customerCreate"][
            "userErrors"
        ] == []

    async def test_set_by_email_creates_then_changes(self, shop):
        upsert = """mutation($e: String!, $i: CustomerSetInput!) { customerSet(identifier: {email: $e}, input: $i) {
          customer { id firstName } userErrors { field message code } } }"""
        first = (await shop.data(upsert, {"e": "s@example.com", "i": {"email": "s@example.com", "firstName": "A"}}))[
            "customerSet"
        ]
        again = (await shop.data(upsert, {"e": "s@example.com", "i": {"email": "s@example.com", "firstName": "B"}}))[
            "customerSet"
        ]
        assert again["customer"] == {"id": first["customer"]["id"], "firstName": "B"}
        wrong = (await shop.data(upsert, {"e": "s@example.com", "i": {"email": "t@example.com"}}))["customerSet"]
        assert wrong["userErrors"][0]["code"] == "INPUT_MISMATCH"

    async def test_lookup_and_search(self, shop):
        data = await shop.data(
            '{ customerByIdentifier(identifier: {emailAddress: "nobody@example.com"}) { id } customers(first: 3, query: "country:CA") { nodes { defaultAddress { countryCodeV2 } } } customersCount { count } }'
        )
        assert data["customerByIdentifier"] is None
        assert {c["defaultAddress"]["countryCodeV2"] for c in data["customers"]["nodes"]} == {"CA"}
        assert data["customersCount"]["count"] == 120
