"""The decision against a model that keeps every admitted request."""

from __future__ import annotations

import http_sf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.core.rate import SLOTS, Decision, Plan, Usage, decide, limit_field, policy_field

PLANS = st.builds(Plan, quota=st.integers(1, 50), window_s=st.integers(1, 60))


class AgainstTheModel(RuleBasedStateMachine):
    """Random waits and requests: what passes is bounded in every window, and the fields are true."""

    @initialize(plan=PLANS, start=st.integers(0, 10**9))
    def start(self, plan: Plan, start: int) -> None:
        self.plan = plan
        self.now = start
        self.usage = Usage()
        self.admitted: list[int] = []

    @rule(us=st.integers(0, 5_000_000))
    def wait(self, us: int) -> None:
        self.now += us

    @rule(share=st.floats(0.9, 1.1))
    def wait_about_a_window(self, share: float) -> None:
        self.now += int(self.plan.window_s * 1_000_000 * share)

    @rule(times=st.integers(1, 30))
    def request(self, times: int) -> None:
        window = self.plan.window_s * 1_000_000
        for _ in range(times):
            decision = decide(self.usage, self.now, self.plan)
            lately = sum(at > self.now - window for at in self.admitted)
            earlier = sum(at > self.now - window - self.plan.slot_us for at in self.admitted)
            # exact but for one slot: never more than the window allows, never less than a slot more of it would
            assert lately < self.plan.quota if decision.allowed else earlier >= self.plan.quota
            if decision.allowed:
                self.admitted.append(self.now)
                assert 0 <= decision.remaining < self.plan.quota
                again = self.now + decision.reset_s * 1_000_000
                assert decide(copy(self.usage), again, self.plan).remaining == self.plan.quota - 1
            else:
                assert decision.remaining == 0
                assert decision.reset_s >= decision.retry_after_s >= 1
                later = self.now + decision.retry_after_s * 1_000_000
                assert decide(copy(self.usage), later, self.plan).allowed

    @invariant()
    def no_window_admits_more_than_the_quota(self) -> None:
        window = self.plan.window_s * 1_000_000
        for first, at in enumerate(self.admitted):
            assert sum(at <= other < at + window for other in self.admitted[first:]) <= self.plan.quota

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        assert len(self.usage.slots) <= SLOTS + 1
        assert self.usage.used == sum(self.usage.slots.values()) <= self.plan.quota


def copy(usage: Usage) -> Usage:
    return Usage(dict(usage.slots), usage.used, usage.ends_us)


TestAgainstTheModel = AgainstTheModel.TestCase
TestAgainstTheModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


class TestOverTime:
    def test_after_a_pause_a_window_still_admits_no_more_than_the_quota(self) -> None:
        """A bucket would let 1,200 through in the minute after a pause."""
        plan, usage = Plan(600, 60), Usage()
        admitted = sum(decide(usage, 10**12 + step * 10_000, plan).allowed for step in range(6_000))
        assert admitted == 600

    def test_an_even_caller_gets_nearly_all_of_it(self) -> None:
        plan, usage = Plan(600, 60), Usage()
        admitted = sum(decide(usage, step * 50_000, plan).allowed for step in range(20 * 600))
        assert 0.98 * 6_000 <= admitted <= 6_000

    def test_a_clock_that_steps_back_makes_nobody_richer(self) -> None:
        plan, usage = Plan(2, 60), Usage()
        assert decide(usage, 100_000_000, plan).allowed
        assert decide(usage, 70_000_000, plan).allowed
        assert not decide(usage, 100_000_000, plan).allowed

    def test_a_clock_that_jumps_far_back_locks_nobody_out(self) -> None:
        plan, usage = Plan(1, 60), Usage()
        assert decide(usage, 10**15, plan).allowed
        assert decide(usage, 10**12, plan).allowed
        assert not decide(usage, 10**12, plan).allowed


class TestFields:
    @given(PLANS, st.booleans(), st.integers(0, 10**6), st.integers(0, 10**6))
    def test_an_independent_parser_reads_them(self, plan: Plan, allowed: bool, left: int, seconds: int) -> None:
        policies = http_sf.parse(policy_field("standard", plan), tltype="list")
        assert policies == [("standard", {"q": plan.quota, "w": plan.window_s})]
        decision = Decision(allowed, left, seconds, 0 if allowed else 7)
        limits = http_sf.parse(limit_field("standard", decision), tltype="list")
        assert limits == [("standard", {"r": left, "t": seconds if allowed else 7})]

    @pytest.mark.parametrize("plan", [Plan(600, 60), Plan(1, 1), Plan(1, 7), Plan(100_000_000, 86_400)])
    def test_the_slots_are_never_shorter_than_the_window(self, plan: Plan) -> None:
        assert plan.slot_us * SLOTS >= plan.window_s * 1_000_000
