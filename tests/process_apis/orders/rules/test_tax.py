"""How the taxes on a charge are read, and which code of the ERP they get (BR3)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from process_apis.orders.rules.causes import Causes
from process_apis.orders.rules.tax import TaxArea, coded, find_code, read, shares
from process_apis.orders.tables import TaxCode
from strata.canonical.money import Money, total
from strata.canonical.orders import TaxLine

GERMANY = TaxArea("eu", "DE", "", included=True)
ROWS = (
    TaxCode("any-19", rate=Decimal("0.19")),
    TaxCode("de-19", "DE MwSt", Decimal("0.19"), country="DE"),
    TaxCode("de-19-net", "DE MwSt", Decimal("0.19"), country="DE", included=False),
    TaxCode("de-7", "DE MwSt reduced", Decimal("0.07"), country="DE"),
    TaxCode("both", "City + State", Decimal("0.085")),
    TaxCode("none", "", Decimal(0)),
)


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def tax(title: str, rate: str, amount: str) -> TaxLine:
    return TaxLine(title, Decimal(rate), euro(amount))


class TestCodes:
    def test_the_most_specific_row_wins(self) -> None:
        found = find_code("DE MwSt", Decimal("0.190"), GERMANY, ROWS)
        assert found is not None
        assert found.code == "de-19"

    def test_prices_with_and_without_tax_may_have_codes_of_their_own(self) -> None:
        found = find_code("de mwst", Decimal("0.19"), TaxArea("eu", "DE", "", included=False), ROWS)
        assert found is not None
        assert found.code == "de-19-net"

    def test_a_tax_without_a_row_is_a_cause(self) -> None:
        causes = Causes()
        [share] = shares(euro("10"), [tax("Moon Tax", "0.5", "5.00")], included=False)[0]
        assert coded(share, GERMANY, ROWS, causes, "/lines/0/taxes").code == ""
        assert [(c.code, c.value) for c in causes.found] == [("unmapped-tax", "Moon Tax 50 %")]

    def test_no_tax_gets_the_code_for_that_or_none(self) -> None:
        [share] = shares(euro("10"), [], included=False)[0]
        assert coded(share, GERMANY, ROWS, Causes(), "").code == "none"
        causes = Causes()
        assert coded(share, GERMANY, (), causes, "").code == ""
        assert not causes.found

    def test_a_fully_discounted_line_keeps_its_code(self) -> None:
        [share] = shares(euro("0"), [tax("DE MwSt", "0.19", "0")], included=True)[0]
        assert coded(share, GERMANY, ROWS, Causes(), "").code == "de-19"


class TestReading:
    def test_taxes_on_the_same_base_are_one_part(self) -> None:
        [share] = shares(euro("100"), [tax("State", "0.04", "4.00"), tax("City", "0.045", "4.50")], included=False)[0]
        assert (share.title, share.rate, share.tax) == ("City + State", Decimal("0.085"), euro("8.50"))

    def test_taxes_on_parts_of_the_charge_are_parts(self) -> None:
        taxes = [tax("DE MwSt", "0.19", "0.53"), tax("DE MwSt reduced", "0.07", "0.11")]
        parts = read(shares(euro("4.99"), taxes, included=True), GERMANY, ROWS)
        assert [(p.title, p.amount, p.tax) for p in parts] == [
            ("DE MwSt", euro("3.31"), euro("0.53")),
            ("DE MwSt reduced", euro("1.68"), euro("0.11")),
        ]

    def test_what_can_be_read_either_way_is_read_as_the_table_knows_it(self) -> None:
        taxes = [tax("DE MwSt", "0.19", "0.00"), tax("DE MwSt reduced", "0.07", "0.00")]
        parts = read(shares(euro("0.01"), taxes, included=True), GERMANY, ROWS)
        assert [p.title for p in parts] == ["DE MwSt", "DE MwSt reduced"]

    @given(
        amount=st.integers(0, 10_000_000),
        taxes=st.lists(st.tuples(st.sampled_from(["0", "0.05", "0.19", "0.085"]), st.integers(0, 5000)), max_size=4),
        included=st.booleans(),
    )
    def test_every_reading_sums_to_the_charge_and_its_taxes(
        self, amount: int, taxes: list[tuple[str, int]], included: bool
    ) -> None:
        charge = Money(Decimal(amount) / 100, "EUR")
        given_taxes = [TaxLine(f"T{n}", Decimal(r), Money(Decimal(t) / 100, "EUR")) for n, (r, t) in enumerate(taxes)]
        for reading in shares(charge, given_taxes, included=included):
            assert total((p.amount for p in reading), "EUR") == charge
            assert total((p.tax for p in reading), "EUR") == total((t.amount for t in given_taxes), "EUR")
