"""The matching chain (section 5), as orders meet it."""

from __future__ import annotations

import asyncio

import msgspec

from strata.canonical.common import VendorRef
from strata.canonical.orders import ChannelCustomer, ChannelOrder
from strata.durable import Status
from strata.errors import Invalid
from tests.process_apis.orders.conftest import House
from tests.process_apis.orders.samples import ADA, CALIFORNIA, order

KEY = "sh:northwind-us:customer:7001"


async def captured_customer(house: House, placed: ChannelOrder) -> str:
    house.us.place(placed)
    await house.webhook(placed)
    await house.captured(placed)
    return house.erp.orders[placed.key].customer_id


def of(customer: ChannelCustomer | None, number: int = 5001) -> ChannelOrder:
    return order(number, customer=customer)


class TestTheChain:
    async def test_1_the_cross_reference_comes_first(self, house: House) -> None:
        house.erp.add_customer("50", "someone@else.example", "Someone Else")
        house.erp.add_customer("51", "ada.lovelace@example.com", "Ada Lovelace")
        await house.context.crossref.put("customer:erp", KEY, "50", by="test")
        assert await captured_customer(house, order()) == "50"

    async def test_1_the_id_stored_on_the_shops_customer_comes_next(self, house: House) -> None:
        house.erp.add_customer("50", "someone@else.example", "Someone Else")
        house.erp.add_customer("51", "ada.lovelace@example.com", "Ada Lovelace")
        assert await captured_customer(house, of(msgspec.structs.replace(ADA, erp_id="50"))) == "50"
        assert house.us.customer_links == {}  # it is there already

    async def test_2_then_the_external_id(self, house: House) -> None:
        house.erp.add_customer("50", "old@example.com", "Ada Lovelace", key=KEY)
        assert await captured_customer(house, order()) == "50"

    async def test_3_then_the_exact_e_mail_whatever_its_case(self, house: House) -> None:
        house.erp.add_customer("50", "ADA.lovelace@example.COM", "Countess of L.")
        assert await captured_customer(house, order()) == "50"
        assert await house.context.crossref.get("customer:erp", KEY) == "50"
        assert await house.context.crossref.get("customer_of:erp", "50") == KEY
        assert house.us.customer_links == {"7001": "50"}

    async def test_3_only_active_customers_count(self, house: House) -> None:
        house.erp.add_customer("50", "ada.lovelace@example.com", "Ada Lovelace", active=False)
        house.erp.add_customer("51", "ada.lovelace@example.com", "Ada Lovelace")
        assert await captured_customer(house, order()) == "51"

    async def test_4_then_the_same_mailbox_spelt_otherwise(self, house: House) -> None:
        house.erp.add_customer("50", "adalovelace@gmail.com", "A. Lovelace")
        who = msgspec.structs.replace(ADA, email="Ada.Lovelace+shop@googlemail.com")
        assert await captured_customer(house, of(who)) == "50"

    async def test_4_but_not_when_the_name_contradicts(self, house: House) -> None:
        house.erp.add_customer("50", "adalovelace@gmail.com", "Charles Babbage")
        who = msgspec.structs.replace(ADA, email="ada.lovelace+shop@gmail.com")
        assert await captured_customer(house, of(who)) != "50"

    async def test_otherwise_it_is_created_with_everything_the_order_tells(self, house: House) -> None:
        customer = await captured_customer(house, order())
        made = house.erp.drafts[customer]
        assert (made.key, made.email, made.first_name, made.person) == (KEY, "ada.lovelace@example.com", "Ada", True)
        assert (made.selling_entity, made.currency, made.shipping_address) == ("1", "USD", CALIFORNIA)


class TestSeveralHits:
    async def test_the_order_does_not_wait_and_a_person_is_asked(self, house: House) -> None:
        house.erp.add_customer("50", "ada.lovelace@example.com", "Ada Lovelace")
        house.erp.add_customer("51", "ada.lovelace@example.com", "Ada L.")
        customer = await captured_customer(house, order())
        assert customer not in {"50", "51"}
        assert house.erp.drafts[customer].provisional
        [review] = await house.journal.call("SELECT * FROM orders.customer_review")
        assert (review["order_key"], review["customer_id"], review["state"]) == (order().key, customer, "open")
        assert msgspec.json.decode(review["candidates"], type=list[str]) == ["50", "51"]

    async def test_the_next_order_goes_to_the_same_provisional_customer(self, house: House) -> None:
        house.erp.add_customer("50", "ada.lovelace@example.com", "Ada Lovelace")
        house.erp.add_customer("51", "ada.lovelace@example.com", "Ada L.")
        first = await captured_customer(house, order(5001))
        assert await captured_customer(house, order(5002)) == first
        assert await house.journal.value("SELECT count(*) FROM orders.customer_review") == 1


class TestGuestsAndBusinesses:
    async def test_a_guest_with_an_e_mail_stays_one_customer(self, house: House) -> None:
        guest = ChannelCustomer("", "guest@example.com", "Gus", "Guest")
        first = await captured_customer(house, of(guest, 5001))
        assert await captured_customer(house, of(guest, 5002)) == first
        assert house.us.customer_links == {}

    async def test_a_guest_without_an_e_mail_is_known_by_the_order(self, house: House) -> None:
        customer = await captured_customer(house, of(None))
        assert house.erp.customers[customer].key == "sh:northwind-us:guest:order-5001"

    async def test_a_business_is_a_company_with_terms(self, house: House) -> None:
        company = msgspec.structs.replace(ADA, company="Lovelace Engines")
        customer = await captured_customer(house, order(customer=company, b2b=True))
        made = house.erp.drafts[customer]
        assert (made.person, made.company, made.terms) == (False, "Lovelace Engines", "2")

    async def test_two_shops_at_once_agree_on_one_new_customer(self, house: House) -> None:
        here = order(5001)
        there = order(
            6001, shop="northwind-eu", ref=VendorRef("northwind-eu", "shopify", "6001"),
            customer=msgspec.structs.replace(ADA, id="9009"), lines=(), shipping_lines=(),
        )  # fmt: skip
        plain = msgspec.structs.replace(order().lines[0], taxes=())
        totals = msgspec.structs.replace(order().totals, total=plain.unit_price * 2)
        here = msgspec.structs.replace(here, lines=(plain,), shipping_lines=(), totals=totals)
        there = msgspec.structs.replace(there, lines=(plain,), totals=totals)
        house.us.place(here)
        house.eu.place(there)
        await asyncio.gather(house.webhook(here), house.webhook(there))
        await house.captured(here)
        await house.captured(there)
        one = house.erp.orders[here.key].customer_id
        assert house.erp.orders[there.key].customer_id == one
        assert len(house.erp.customers) == 1
        assert set(house.erp.customers[one].selling_entities) == {"1", "2"}
        assert house.erp.overwritten == 0

    async def test_many_first_orders_of_one_buyer_at_once_make_one_customer(self, house: House) -> None:
        placed = [order(5001 + n) for n in range(6)]
        for one in placed:
            house.us.place(one)
        await asyncio.gather(*(house.webhook(one) for one in placed))
        for one in placed:
            await house.captured(one)
        assert len(house.erp.customers) == 1
        assert house.erp.overwritten == 0

    async def test_an_order_that_fails_while_it_makes_the_customer_holds_up_no_other_for_long(
        self, house: House
    ) -> None:
        first, second = order(5001), order(5002)
        house.us.place(first)
        house.us.place(second)
        house.erp.faults.before["put_customer"] = [Invalid("the ERP does not like this name")]
        await house.webhook(first)
        await house.stands("order_capture", first.key, status=Status.DEAD)
        await house.webhook(second)
        await house.journal.advance_clock(121)
        await house.captured(second)

    async def test_a_customer_of_another_entity_is_allowed_to_buy_here(self, house: House) -> None:
        house.erp.add_customer("50", "ada.lovelace@example.com", "Ada", selling_entities=("2",), currencies=("EUR",))
        assert await captured_customer(house, order()) == "50"
        assert house.erp.customers["50"].selling_entities == ("2", "1")
        assert house.erp.customers["50"].currencies == ("EUR", "USD")


class TestCustomersThatAreGone:
    async def test_a_link_to_a_deleted_customer_is_replaced(self, house: House) -> None:
        await house.context.crossref.put("customer:erp", KEY, "404", by="test")
        house.erp.add_customer("50", "ada.lovelace@example.com", "Ada Lovelace")
        assert await captured_customer(house, order()) == "50"
        assert await house.context.crossref.get("customer:erp", KEY) == "50"

    async def test_an_inactive_customer_under_our_key_is_told_to_a_person(self, house: House) -> None:
        house.erp.add_customer("50", "x@example.com", "Ada Lovelace", key=KEY, active=False)
        placed = order()
        house.us.place(placed)
        await house.webhook(placed)
        detail = await house.stands("order_capture", placed.key, status=Status.DEAD)
        assert "inactive" in (detail.item.reason or "")
        assert house.erp.overwritten == 0
        house.erp.add_customer("50", "x@example.com", "Ada Lovelace", key=KEY)
        await house.retry(detail)
        await house.captured(placed)
