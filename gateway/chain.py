"""The order of the policies, written once, outermost first. Read it from top to bottom: that is a request's way."""

from __future__ import annotations

from typing import Protocol

from gateway.asgi import ASGIApp
from gateway.policies.body import BodyLimit, MediaTypes
from gateway.policies.correlate import RequestId, Trace
from gateway.policies.forward import Forward
from gateway.policies.hygiene import Hygiene
from gateway.policies.identity import Authenticate, Authorize
from gateway.policies.observe import Observe
from gateway.policies.plan import AnnouncePolicy, PlanLimit
from gateway.policies.problems import Problems
from gateway.policies.routing import Routing


class Policy(Protocol):
    """One concern: settings in a Struct, and a call that wraps the next handler."""

    def __call__(self, app: ASGIApp) -> ASGIApp: ...


ORDER: tuple[type[Policy], ...] = (
    Observe,  # counts whatever leaves, refusals too
    RequestId,
    Trace,
    Problems,  # everything inside may raise
    Hygiene,  # one canonical reading before anybody decides by it
    Routing,  # 404 and 405 for everybody, before credentials are asked for
    AnnouncePolicy,
    BodyLimit,
    Authenticate,
    PlanLimit,
    Authorize,  # after the limit: guessing at operations costs
    MediaTypes,  # after the identity: a stranger learns no media types
    Forward,
)


def chain(*policies: Policy) -> ASGIApp:
    """The policies as one application. Raises ValueError when they are not all there in ORDER."""
    if tuple(type(policy) for policy in policies) != ORDER:
        raise ValueError("the policies are not those of ORDER")
    app: ASGIApp = _end
    for policy in reversed(policies):
        app = policy(app)
    return app


async def _end(*_: object) -> None:
    raise RuntimeError("Forward calls the service, nothing behind it")
