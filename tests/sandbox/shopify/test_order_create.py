# ruff: noqa: E501  # GraphQL documents read better on one line
from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.shopify.conftest import CREATE, custom, money


def amount(bag, side="shopMoney"):
    return Decimal(bag[side]["amount"])


class TestTotals:
    async def test_lines_shipping_and_taxes_add_up(self, shop):
        order = await shop.create(
            lineItems=[custom("a", "129.00", 2, taxLines=[{"title": "CA", "rate": "0.0725"}]), custom("b", "9.99")],
            shippingLines=[{"title": "Standard", "priceSet": money("7.95")}],
        )
        assert amount(order["subtotalPriceSet"]) == Decimal("267.99")
        assert amount(order["totalTaxSet"]) == Decimal("18.71")  # 258 * 0.0725 = 18.705, half up
        assert amount(order["totalPriceSet"]) == Decimal("294.65")

    async def test_taxes_in_the_price_are_not_added(self, shop):
        eu = shop.of("northwind-eu")
        order = await eu.create(
            taxesIncluded=True,
            lineItems=[custom("a", "119.00", currency="EUR", taxLines=[{"title": "DE MwSt", "rate": 0.19}])],
        )
        assert amount(order["totalTaxSet"]) == Decimal("19.00")
        assert amount(order["totalPriceSet"]) == Decimal("119.00")

    async def test_a_percentage_is_shared_by_price_and_lowers_the_tax(self, shop):
        order = await shop.create(
            lineItems=[custom(s, "3.33", taxLines=[{"title": "T", "rate": 0.1}]) for s in "abc"],
            discountCode={"itemPercentageDiscountCode": {"code": "TEN", "percentage": 10}},
        )
        parts = [amount(line["discountAllocations"][0]["allocatedAmountSet"]) for line in order["lineItems"]["nodes"]]
        assert sum(parts) == amount(order["totalDiscountsSet"]) == Decimal("1.00")
        assert amount(order["totalTaxSet"]) == Decimal("0.90")
        assert amount(order["totalPriceSet"]) == Decimal("9.89")

    async def test_a_fixed_discount_takes_no_more_than_there_is_and_spares_gift_cards(self, shop):
        order = await shop.create(
            lineItems=[custom("a", "3.00"), custom("card", "50.00", giftCard=True)],
            discountCode={"itemFixedDiscountCode": {"code": "BIG", "amountSet": money("20")}},
        )
        assert amount(order["totalDiscountsSet"]) == Decimal("3.00")
        assert [bool(x["discountAllocations"]) for x in order["lineItems"]["nodes"]] == [True, False]
        assert amount(order["totalPriceSet"]) == Decimal("50.00")

    async def test_free_shipping_takes_off_the_shipping(self, shop):
        order = await shop.create(
            shippingLines=[{"title": "S", "priceSet": money("7.95")}],
            discountCode={"freeShippingDiscountCode": {"code": "FREE"}},
        )
        line = order["shippingLines"]["nodes"][0]
        assert (amount(line["originalPriceSet"]), amount(line["discountedPriceSet"])) == (Decimal("7.95"), 0)
        assert amount(order["totalPriceSet"]) == Decimal("10.00")

    async def test_order_taxes_are_spread_over_the_taxable_lines(self, shop):
        order = await shop.create(
            lineItems=[custom("a", "10.00"), custom("b", "20.00"), custom("c", "5.00", taxable=False)],
            taxLines=[{"title": "T", "rate": 0.1, "priceSet": money("3.01")}],
        )
        taxes = [[amount(t["priceSet"]) for t in line["taxLines"]] for line in order["lineItems"]["nodes"]]
        assert taxes == [[Decimal("1.00")], [Decimal("2.01")], []]
        assert amount(order["totalTaxSet"]) == Decimal("3.01")

    async def test_yen_has_no_decimals(self, shop):
        def both(usd, yen):
            return {
                "shopMoney": {"amount": usd, "currencyCode": "USD"},
                "presentmentMoney": {"amount": yen, "currencyCode": "JPY"},
            }

        order = await shop.create(
            presentmentCurrency="JPY",
            lineItems=[
                {
                    "title": "A",
                    "quantity": 3,
                    "priceSet": both("6.60", "1000"),
                    "taxLines": [{"title": "T", "rate": "0.0775"}],
                }
            ],
        )
        assert order["totalTaxSet"]["presentmentMoney"] == {"amount": "233.0", "currencyCode": "JPY"}
        assert order["totalPriceSet"]["presentmentMoney"]["amount"] == "3233.0"
        assert amount(order["totalPriceSet"]) == Decimal("21.33")

    async def test_a_variant_has_its_own_price_per_currency(self, shop):
        order = await shop.create(
            presentmentCurrency="CAD", lineItems=[{"variantId": await shop.variant("NW-TRAI-M"), "quantity": 1}]
        )
        price = order["lineItems"]["nodes"][0]["originalUnitPriceSet"]
        assert (price["shopMoney"]["amount"], price["presentmentMoney"]["amount"]) == ("129.0", "178.02")
        assert order["lineItems"]["nodes"][0]["name"] == "Trail Jacket - M"


class TestWhatIsKept:
    async def test_all_the_small_things(self, shop):
        order = await shop.create(
            email="who@example.com", phone="+15035550100", note="n", tags=["b", "A", "a"], poNumber="PO-1", test=True,
            sourceName="pos", sourceIdentifier="1234-1", processedAt="2026-01-02T03:04:05Z",
            customAttributes=[{"key": "gift", "value": "yes"}],
            lineItems=[custom("a", "1", properties=[{"name": "engraving", "value": "Ö"}])],
            shippingAddress={"firstName": "Jo", "lastName": "Li", "city": "Hamburg", "countryCode": "DE", "zip": "20457"},
        )  # fmt: skip
        assert {k: order[k] for k in ("email", "phone", "note", "poNumber", "test", "sourceName", "sourceIdentifier")} == {
            "email": "who@example.com", "phone": "+15035550100", "note": "n", "poNumber": "PO-1", "test": True,
            "sourceName": "pos", "sourceIdentifier": "1234-1",
        }  # fmt: skip
        assert order["tags"] == ["A", "b"]
        assert order["processedAt"] == "2026-01-02T03:04:05Z"
        assert order["customAttributes"] == [{"key": "gift", "value": "yes"}]
        assert order["lineItems"]["nodes"][0]["customAttributes"] == [{"key": "engraving", "value": "Ö"}]
        assert order["shippingAddress"] == {
            "name": "Jo Li", "city": "Hamburg", "countryCodeV2": "DE", "country": "Germany", "provinceCode": None,
            "province": None, "zip": "20457",
        }  # fmt: skip

    async def test_numbers_count_up_per_shop(self, shop):
        first, second = [int((await shop.create())["name"].removeprefix("#")) for _ in range(2)]
        eu = await shop.of("northwind-eu").create(lineItems=[custom("a", "1", currency="EUR")])
        assert second == first + 1
        assert eu["name"] != f"#{second + 1}"

    async def test_a_future_processed_at_is_now(self, shop):
        order = await shop.create(processedAt="2099-01-01T00:00:00Z")
        assert order["processedAt"] == order["createdAt"]


class TestCustomer:
    async def test_upsert_creates_once_and_finds_again(self, shop):
        upsert = {"toUpsert": {"email": "New@example.com", "firstName": "N"}}
        first = await shop.create(customer=upsert)
        again = await shop.create(customer={"toUpsert": {"email": "new@example.com"}})
        assert first["customer"]["id"] == again["customer"]["id"]
        assert again["customer"]["numberOfOrders"] == "2"
        assert first["email"] == "New@example.com"

    async def test_associate_needs_one_that_is_there(self, shop):
        [error] = await shop.refused(
            lineItems=[custom("a", "1")], customer={"toAssociate": {"id": "gid://shopify/Customer/1"}}
        )
        assert error["field"] == ["order", "customer", "toAssociate"]

    async def test_a_failed_order_leaves_nothing(self, shop):
        before = len(await shop.state("customer"))
        await shop.refused(lineItems=[], customer={"toUpsert": {"email": "ghost@example.com"}})
        assert len(await shop.state("customer")) == before
        assert await shop.state("order") == []


class TestPayment:
    @pytest.mark.parametrize(
        ("transactions", "status"),
        [
            ([], "PENDING"),
            ([("SALE", "10", "SUCCESS")], "PAID"),
            ([("SALE", "4", "SUCCESS")], "PARTIALLY_PAID"),
            ([("AUTHORIZATION", "10", "SUCCESS")], "AUTHORIZED"),
            ([("SALE", "10", "FAILURE")], "PENDING"),
        ],
    )
    async def test_the_status_follows_from_the_transactions(self, shop, transactions, status):
        order = await shop.create(
            transactions=[
                {"kind": k, "amountSet": money(a), "status": s, "gateway": "bogus"} for k, a, s in transactions
            ]
        )
        assert order["displayFinancialStatus"] == status

    async def test_a_gift_card_pays_a_part(self, shop):
        order = await shop.create(
            transactions=[
                {"kind": "SALE", "gateway": "gift_card", "amountSet": money("4")},
                {"kind": "SALE", "gateway": "shopify_payments", "amountSet": money("6")},
            ]
        )
        assert order["displayFinancialStatus"] == "PAID"
        assert [(t["gateway"], t["amountSet"]["shopMoney"]["amount"]) for t in order["transactions"]] == [
            ("gift_card", "4.0"), ("shopify_payments", "6.0"),
        ]  # fmt: skip
        assert amount(order["totalOutstandingSet"]) == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("order", "field"),
        [
            ({"lineItems": []}, ["order", "lineItems"]),
            ({"lineItems": [custom("a", "1", quantity=0)]}, ["order", "lineItems", "0", "quantity"]),
            ({"lineItems": [custom("a", "-1")]}, ["order", "lineItems", "0", "priceSet"]),
            ({"lineItems": [{"quantity": 1, "title": "x"}]}, ["order", "lineItems", "0", "priceSet"]),
            ({"lineItems": [custom("a", "1", currency="EUR")]}, ["order", "lineItems", "0", "priceSet", "shopMoney"]),
            (
                {"lineItems": [{"quantity": 1, "variantId": "gid://shopify/ProductVariant/1"}]},
                ["order", "lineItems", "0", "variantId"],
            ),
            (
                {
                    "lineItems": [custom("a", "1", taxLines=[{"title": "T", "rate": 0.1}])],
                    "taxLines": [{"title": "T", "rate": 0.1}],
                },
                ["order", "taxLines"],
            ),
            (
                {
                    "lineItems": [custom("a", "1")],
                    "discountCode": {"itemPercentageDiscountCode": {"code": "X", "percentage": 101}},
                },
                ["order", "discountCode", "itemPercentageDiscountCode", "percentage"],
            ),
        ],
    )
    async def test_each_fault_names_its_field(self, shop, order, field):
        assert (await shop.refused(**order))[0]["field"] == field

    async def test_stock_that_is_not_there(self, shop):
        order = {"lineItems": [{"variantId": await shop.variant("NW-TRAI-M"), "quantity": 100_000}]}
        payload = (
            await shop.data(CREATE, {"order": order, "options": {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY"}})
        )["orderCreate"]
        assert payload["userErrors"][0]["code"] == "INVENTORY_CLAIM_FAILED"
        assert await shop.state("order") == []
