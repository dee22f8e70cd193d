"""Contract `customers`."""

from __future__ import annotations

import msgspec
import pytest

from strata.contracts.system import Customers
from strata.errors import BadParameter, Invalid, NotFound, UnknownOutcome
from tests.conformance.arrangements import NOBODY, NetSuite
from tests.conformance.conftest import OpenHouse
from tests.conformance.offering import named, offering
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.parametrize("backend", offering(Customers), ids=named)
HOSTILE = ["' OR '1'='1", "a'; DELETE FROM customer; --", "%", "_", "\\", '"', "x' UNION SELECT id FROM item --", "''"]


@pytest.fixture
async def api(backend: NetSuite, sandbox: Sandbox, open_house: OpenHouse) -> Customers:
    return (await open_house(backend.connection(sandbox))).system("erp", Customers)


class TestPutCustomer:
    async def test_it_is_created_and_found_by_key_and_by_email(self, backend: NetSuite, api: Customers) -> None:
        draft = backend.draft()
        made = await api.put_customer(draft.key, body=draft)
        [by_key] = await api.find_customers(key=draft.key)
        [by_email] = await api.find_customers(email=draft.email.upper())
        assert made.ref.id == by_key.ref.id == by_email.ref.id
        assert by_key.name == "Zoë O'Neill"
        assert by_key.key == draft.key
        assert by_key.active
        assert by_key.selling_entities == ("1",)
        assert by_key.currencies == ("USD",)

    async def test_one_that_is_there_is_answered_as_it_is(
        self, backend: NetSuite, sandbox: Sandbox, api: Customers
    ) -> None:
        draft = backend.draft()
        first = await api.put_customer(draft.key, body=draft)
        other = msgspec.structs.replace(draft, first_name="Somebody", last_name="Else")
        again = await api.put_customer(draft.key, body=other, look_first=True)
        assert (again.ref.id, again.name) == (first.ref.id, "Zoë O'Neill")

    async def test_without_an_answer_the_outcome_is_unknown_and_looking_first_makes_no_second(
        self, backend: NetSuite, sandbox: Sandbox, api: Customers
    ) -> None:
        draft = backend.draft()
        sandbox.netsuite.fault("timeout_after", backend.put_customer, times=1, hang_s=4)
        with pytest.raises(UnknownOutcome):
            await api.put_customer(draft.key, body=draft)
        await api.put_customer(draft.key, body=draft, look_first=True)
        assert len(await api.find_customers(email=draft.email)) == 1

    async def test_a_selling_entity_that_is_not_there_is_invalid(self, backend: NetSuite, api: Customers) -> None:
        draft = msgspec.structs.replace(backend.draft(), selling_entity="77")
        with pytest.raises(Invalid):
            await api.put_customer(draft.key, body=draft)

    async def test_a_company_is_no_person(self, backend: NetSuite, sandbox: Sandbox, api: Customers) -> None:
        draft = msgspec.structs.replace(backend.draft(), company="Weiß & Söhne GmbH", person=False)
        made = await api.put_customer(draft.key, body=draft)
        assert (await api.get_customer(made.ref.id)).name == "Weiß & Söhne GmbH"

    async def test_a_guest_without_a_name_is_taken(self, backend: NetSuite, api: Customers) -> None:
        draft = msgspec.structs.replace(backend.draft(), first_name="", last_name="")
        assert (await api.put_customer(draft.key, body=draft)).ref.id


class TestFindCustomers:
    async def test_nobody_is_an_empty_answer(self, backend: NetSuite, api: Customers) -> None:
        assert await api.find_customers(key="sh:none:customer:1") == ()
        assert await api.find_customers(email="nobody@example.com") == ()
        assert await api.find_customers() == ()

    @pytest.mark.parametrize("value", HOSTILE)
    async def test_hostile_values_are_values(self, backend: NetSuite, api: Customers, value: str) -> None:
        assert await api.find_customers(email=value) == ()
        assert await api.find_customers(key=value) == ()

    async def test_control_characters_are_refused(self, backend: NetSuite, api: Customers) -> None:
        with pytest.raises(BadParameter):
            await api.find_customers(email="a\nb@example.com")


class TestGetCustomer:
    @pytest.mark.parametrize("customer_id", [NOBODY, "abc", "1 OR 1=1"])
    async def test_an_unknown_customer_is_a_404_problem(
        self, backend: NetSuite, api: Customers, customer_id: str
    ) -> None:
        with pytest.raises(NotFound):
            await api.get_customer(customer_id)


class TestAllowTrading:
    async def test_another_entity_and_currency_are_added_once(self, backend: NetSuite, api: Customers) -> None:
        draft = backend.draft()
        made = await api.put_customer(draft.key, body=draft)
        for _ in range(2):
            allowed = await api.allow_trading(made.ref.id, selling_entity="2", currency="EUR")
        assert set(allowed.selling_entities) == {"1", "2"}
        assert set(allowed.currencies) == {"USD", "EUR"}

    async def test_what_is_allowed_already_writes_nothing(
        self, backend: NetSuite, sandbox: Sandbox, api: Customers
    ) -> None:
        draft = backend.draft()
        made = await api.put_customer(draft.key, body=draft)
        sandbox.netsuite.forget_requests()
        await api.allow_trading(made.ref.id, selling_entity="1", currency="USD")
        operations = sandbox.netsuite.requests()["summary"]["by_operation"]
        assert not [name for name in operations if name.endswith((":PATCH", ":POST", ":PUT"))]

    async def test_an_unknown_customer_is_a_404_problem(self, backend: NetSuite, api: Customers) -> None:
        with pytest.raises(NotFound):
            await api.allow_trading(NOBODY, selling_entity="1", currency="USD")
