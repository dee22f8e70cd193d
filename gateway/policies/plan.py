"""The plan's rate limit, announced on every answer of a limited API."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gateway.asgi import ASGIApp, Receive, Scope, Send
from gateway.core.problem import ProblemError
from gateway.core.rate import Plan, limit_field, policy_field
from gateway.exchange import exchange_of
from gateway.limiter import Limiter


class PlanLimit(Struct, frozen=True):
    """Count a request of an identified client, whatever its answer will be; a refused one costs nothing.

    One bucket per plan and client: version, path, method and address make no new one (security catalogue G02).
    """

    plans: Mapping[str, Plan]
    limiter: Limiter

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            identity, match = exchange.identity, exchange.match
            if identity is None or match is None or not match.route.limited:
                await app(scope, receive, send)
                return
            name = identity.plan
            plan = self.plans.get(name)
            if plan is None or name not in match.route.plans:
                raise ProblemError("subscription-required", f"Plans of this API: {', '.join(match.route.plans)}.")
            decision = await self.limiter.take(f"{name}:{identity.client_id}", plan)
            exchange.decision = decision
            exchange.answer_headers.append((b"ratelimit-policy", policy_field(name, plan)))
            exchange.answer_headers.append((b"ratelimit", limit_field(name, decision)))
            if not decision.allowed:
                raise ProblemError(
                    "quota-exceeded",
                    f"{plan.quota} requests per {plan.window_s} s.",
                    headers=[(b"retry-after", str(decision.retry_after_s).encode())],
                    members={"violated-policies": [name]},
                )
            await app(scope, receive, send)

        return limited


class AnnouncePolicy(Struct, frozen=True):
    """A caller who is not identified yet learns the policy of the API's first plan."""

    plans: Mapping[str, Plan]

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def announced(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            match = exchange.match
            try:
                await app(scope, receive, send)
            except ProblemError:
                if match is not None and match.route.limited and exchange.decision is None and not exchange.answered:
                    name = match.route.plans[0]
                    exchange.answer_headers.append((b"ratelimit-policy", policy_field(name, self.plans[name])))
                raise

        return announced
