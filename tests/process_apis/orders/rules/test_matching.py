"""The pure parts of the matching chain (section 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from process_apis.orders.rules.matching import (
    Buyer,
    buyer,
    canonical_email,
    contradicts,
    one_of,
    other_spellings,
)
from process_apis.orders.tables import EMAIL_DOMAINS
from strata.canonical.common import VendorRef
from strata.canonical.customers import CustomerMatch
from strata.canonical.orders import ChannelCustomer
from tests.process_apis.orders.samples import order

DOMAINS = EMAIL_DOMAINS.defaults


class TestMailboxes:
    @pytest.mark.parametrize(
        ("email", "mailbox"),
        [
            (" Ada@Example.com ", "ada@example.com"),
            ("ada+shop@example.com", "ada@example.com"),
            ("a.d.a+x@gmail.com", "ada@gmail.com"),
            ("a.d.a@googlemail.com", "ada@gmail.com"),
            ("a.d.a@example.com", "a.d.a@example.com"),
            ("not an address", "not an address"),
            ("+only@example.com", "+only@example.com"),
        ],
    )
    def test_one_spelling_for_each_mailbox(self, email: str, mailbox: str) -> None:
        assert canonical_email(email, DOMAINS) == mailbox

    @given(email=st.emails())
    def test_the_one_spelling_is_its_own(self, email: str) -> None:
        once = canonical_email(email, DOMAINS)
        assert canonical_email(once, DOMAINS) == once

    @given(email=st.emails())
    def test_other_spellings_are_the_same_mailbox_and_few(self, email: str) -> None:
        others = other_spellings(email, DOMAINS)
        assert len(others) <= 8
        assert email.strip().casefold() not in others
        assert {canonical_email(other, DOMAINS) for other in others} <= {canonical_email(email, DOMAINS)}

    def test_a_plain_address_has_no_other_spelling(self) -> None:
        assert other_spellings("ada@example.com", DOMAINS) == ()


class TestNames:
    @pytest.mark.parametrize(
        ("ours", "theirs", "contradictory"),
        [
            (("Ada", "Lovelace"), "Ada Lovelace", False),
            (("Ada", "Lovelace"), "Lovelace, A.", False),
            (("Jürgen", "Weiß"), "WEISS Jurgen", False),
            (("Ada", "Lovelace"), "", False),
            (("", ""), "Charles Babbage", False),
            (("Ada", "Lovelace"), "Charles Babbage", True),
            (("Ada", "Lovelace"), "Ada Byron", True),
            (("Ada", ""), "Ada Byron", False),
        ],
    )
    def test_a_name_contradicts_when_no_family_name_is_shared(
        self, ours: tuple[str, str], theirs: str, contradictory: bool
    ) -> None:
        who = Buyer("k", first_name=ours[0], last_name=ours[1])
        assert contradicts(who, theirs) is contradictory


class TestBuyers:
    def test_a_customer_of_the_channel_has_a_key_of_its_own(self) -> None:
        who = buyer(order())
        assert (who.key, who.email) == ("sh:northwind-us:customer:7001", "ada.lovelace@example.com")

    def test_a_guest_is_known_by_e_mail_whatever_its_case(self) -> None:
        one = buyer(order(customer=ChannelCustomer(email="Guest@Example.com")))
        other = buyer(order(5002, customer=ChannelCustomer(email="guest@example.com ")))
        assert one.key == other.key
        assert "guest@example.com" not in one.key
        assert len(one.key) <= 80

    def test_a_guest_without_an_e_mail_is_known_by_the_order(self) -> None:
        assert buyer(order(customer=None)).key == "sh:northwind-us:guest:order-5001"


class TestExactHits:
    def test_the_same_customer_found_twice_is_one(self) -> None:
        hit = CustomerMatch(VendorRef("erp", "netsuite", "1"), "Ada", email="ADA@example.com")
        assert one_of([hit, hit], "ada@example.com").customer == hit

    def test_none_active_is_none(self) -> None:
        hit = CustomerMatch(VendorRef("erp", "netsuite", "1"), "Ada", email="ada@example.com", active=False)
        found = one_of([hit], "ada@example.com")
        assert (found.customer, found.several) == (None, ())
