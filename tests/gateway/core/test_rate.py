"""The decision against a model that keeps every admitted request."""

from __future__ import annotations

from fractions import Fraction

import http_sf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.core.rate import Decision, Plan, decide, limit_field, policy_field

PLANS = st.builds(
    Plan,
    quota=st.integers(1, 50),
    window_s=st.integers(1, 60),
    burst=st.none() | st.integers(1, 60),
)


class TokenBucket:
    """The textbook bucket in exact fractions: `burst` tokens, one more every window/quota."""

    def __init__(self, plan: Plan) -> None:
        self.rate = Fraction(1, plan.emission_us)
        self.size = Fraction(plan.tolerance)
        self.tokens, self.at = self.size, 0

    def refill(self, now: int) -> None:
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.rate)
        self.at = now

    def take(self, now: int) -> bool:
        self.refill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class AgainstTheModel(RuleBasedStateMachine):
    """Random waits and requests: the decision equals the bucket's, and the fields are true."""

    @initialize(plan=PLANS)
    def start(self, plan: Plan) -> None:
        self.plan = plan
        self.model = TokenBucket(plan)
        self.now = 1_000_000_000
        self.model.at = self.now
        self.tat = 0
        self.admitted: list[int] = []
        self.last: Decision | None = None

    @rule(us=st.integers(0, 5_000_000))
    def wait(self, us: int) -> None:
        self.now += us

    @rule(times=st.integers(1, 30))
    def request(self, times: int) -> None:
        for _ in range(times):
            before = self.last
            decision, self.tat = decide(self.tat, self.now, self.plan)
            assert decision.allowed is self.model.take(self.now)
            assert decision.remaining == (int(self.model.tokens) if decision.allowed else 0)
            assert decision.remaining >= 0
            if decision.allowed:
                self.admitted.append(self.now)
            else:
                assert decision.retry_after_s >= 1
                assert decision.reset_s >= decision.retry_after_s
                later = self.now + decision.retry_after_s * 1_000_000
                assert decide(self.tat, later, self.plan)[0].allowed
            if before is not None and self.last is not None:
                assert decision.remaining <= self.plan.tolerance
            self.last = decision

    @invariant()
    def no_window_admits_more_than_quota_and_burst(self) -> None:
        window = self.plan.window_s * 1_000_000
        recent = [at for at in self.admitted if at > self.now - window]
        # emission is rounded down to whole microseconds, which lets in less than one request more per window
        assert len(recent) <= window // self.plan.emission_us + self.plan.tolerance


TestAgainstTheModel = AgainstTheModel.TestCase
TestAgainstTheModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


class TestFields:
    @given(PLANS, st.booleans(), st.integers(0, 10**6), st.integers(0, 10**6))
    def test_an_independent_parser_reads_them(self, plan: Plan, allowed: bool, left: int, seconds: int) -> None:
        policies = http_sf.parse(policy_field("standard", plan), tltype="list")
        assert policies == [("standard", {"q": plan.quota, "w": plan.window_s})]
        decision = Decision(allowed, left, seconds, 0 if allowed else 7)
        limits = http_sf.parse(limit_field("standard", decision), tltype="list")
        assert limits == [("standard", {"r": left, "t": seconds if allowed else 7})]

    @pytest.mark.parametrize("plan", [Plan(600, 60), Plan(1, 1), Plan(100_000_000, 1)])
    def test_one_request_always_costs_time(self, plan: Plan) -> None:
        assert plan.emission_us >= 1
