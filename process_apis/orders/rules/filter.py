"""Whether an order goes on, waits, or is left alone (BR9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from process_apis.orders.tables import FilterRule, is_or_any
from strata.canonical.orders import ChannelOrder


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What the filter decided and why."""

    action: Literal["release", "hold", "skip"]
    reason: str = ""


NO_RULE = Verdict("hold", "No row of the table order_filter fits this order. Add one that says what to do with it.")


def _fits(rule: FilterRule, order: ChannelOrder) -> bool:
    return (
        is_or_any(rule.shop, order.shop)
        and is_or_any(rule.financial_state, order.financial_state)
        and is_or_any(rule.fraud_risk, order.fraud_risk)
        and rule.b2b in {None, order.b2b}
        and rule.test in {None, order.test}
        and rule.cancelled in {None, order.cancelled_at is not None}
        and is_or_any(rule.fulfilment_state, order.fulfilment_state)
        and is_or_any(rule.channel, order.channel)
        and (rule.placed_before is None or order.created_at < rule.placed_before)
    )


def judge(order: ChannelOrder, rules: Iterable[FilterRule]) -> Verdict:
    """The verdict of the first rule that fits; an order that no rule names is held, never passed on by accident."""
    for rule in rules:
        if _fits(rule, order):
            words = {"financial_state": order.financial_state.replace("_", " "), "fraud_risk": order.fraud_risk}
            reason = rule.reason
            for name, value in words.items():
                reason = reason.replace(f"{{{name}}}", value)
            return Verdict(rule.action, reason)
    return NO_RULE
