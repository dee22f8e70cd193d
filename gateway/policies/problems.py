"""Every refusal and every failure inside becomes one problem document (RFC 9457)."""

from __future__ import annotations

import structlog
from msgspec import Struct

from gateway.asgi import ASGIApp, Receive, Scope, Send, respond
from gateway.core.problem import MEDIA_TYPE, ProblemError, render
from gateway.exchange import Exchange, exchange_of

_log = structlog.stdlib.get_logger("strata.gateway")


class Problems(Struct, frozen=True):
    """Answer ProblemError as what it says and anything else as internal-error; the cause goes to the log only."""

    base: str

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            try:
                await app(scope, receive, send)
            except ProblemError as problem:
                await self._answer(exchange, problem, send)
            except Exception as error:
                _log.exception("request_failed", request_id=exchange.request_id, error=type(error).__name__)
                await self._answer(exchange, ProblemError("internal-error"), send)

        return guarded

    async def _answer(self, exchange: Exchange, problem: ProblemError, send: Send) -> None:
        if exchange.gone:
            return  # nobody is left to read it
        exchange.problem = problem.slug
        if exchange.answered:
            # Half an answer is out: only cutting the connection tells the client that the rest will not come.
            raise AnswerCutError(problem.slug)
        body = render(
            problem,
            base=self.base,
            instance=exchange.sent_path,
            request_id=exchange.request_id,
            trace_id=exchange.trace_id,
        )
        fields = [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store"), *problem.headers]
        await respond(send, problem.status, fields, body)


class AnswerCutError(Exception):
    """An answer failed after its header had left; the server closes the connection."""
