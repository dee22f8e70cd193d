"""Items in plain words: what is wrong, where, what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from strata.commands import words
from strata.durable import FailureClass, Item, Status
from strata.errors import FieldError, Invalid, to_problem

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def item(**changes: object) -> Item:
    facts: dict[str, object] = {
        "id": 7,
        "kind": "run",
        "process": "order_capture",
        "version": 1,
        "key": "sh:demo:order:1",
        "order_key": "sh:demo:order:1",
        "label": "#1001",
        "status": Status.DEAD,
        "failure_class": "V",
        "step": "put_order",
        "reason": "The item is switched off in the ERP",
        "backend": "erp",
        "attempt": 1,
        "behind": 2,
        "next_at": None,
        "first_failed_at": NOW - timedelta(minutes=5),
        "created_at": NOW - timedelta(minutes=6),
        "updated_at": NOW,
        "correlation_id": "c",
        "facts": {},
    }
    return Item(**(facts | changes))  # pyright: ignore[reportArgumentType]  # a test's shorthand


class TestPlain:
    def test_a_dead_item_says_what_where_since_when_and_how_many_wait(self) -> None:
        told = words.plain(item())
        assert told.order == "#1001"
        assert told.what == "The item is switched off in the ERP"
        assert told.where == "put order (erp)"
        assert told.since == NOW - timedelta(minutes=5)
        assert told.behind == 2
        assert told.needs_a_person
        assert "strata retry 7" in told.remedy

    def test_every_cause_is_told_at_once_with_its_remedy(self) -> None:
        error = Invalid(
            "Two things are wrong",
            errors=(
                FieldError("no such article", "/lines/0/sku", "X-1", "Create it in the ERP."),
                FieldError("tax is not mapped", "/lines/1/tax", "DE 19", "Add a row to tax_codes."),
            ),
        )
        told = words.plain(item(), to_problem(error, internal=True))
        assert [cause.value for cause in told.causes] == ["X-1", "DE 19"]
        assert told.remedy == "Create it in the ERP. Add a row to tax_codes. Then: strata retry 7"

    @pytest.mark.parametrize("failure_class", list(FailureClass))
    def test_every_failure_class_has_words_and_a_remedy(self, failure_class: FailureClass) -> None:
        told = words.plain(item(failure_class=failure_class.value, reason=None))
        assert told.what
        assert told.remedy
        assert "{" not in told.remedy

    @pytest.mark.parametrize("status", list(Status))
    def test_every_status_has_words(self, status: Status) -> None:
        assert words.STATUSES[status]
        assert words.plain(item(status=status, failure_class="", reason=None)).what == words.STATUSES[status]

    @pytest.mark.parametrize("status", [Status.PARKED, Status.SLEEPING, Status.WAITING])
    def test_what_goes_on_by_itself_needs_nobody(self, status: Status) -> None:
        assert not words.plain(item(status=status, failure_class="T")).needs_a_person


@pytest.mark.parametrize(
    ("seconds", "said"), [(-3, "0 s"), (4, "4 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (200_000, "2 d")]
)
def test_ago_has_one_unit(seconds: int, said: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == said
