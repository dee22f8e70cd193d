"""Who is calling, and may they: bearer tokens (RFC 6750) and the scope of the operation."""

from __future__ import annotations

from msgspec import Struct

from gateway.asgi import ASGIApp, Receive, Scope, Send, header
from gateway.core.problem import ProblemError
from gateway.exchange import exchange_of
from gateway.identity.tokens import InvalidTokenError, TokenVerifier


class Challenge(Struct, frozen=True):
    """Builds WWW-Authenticate (RFC 6750 section 3, RFC 9728 section 5.1). resource_metadata: an absolute URL."""

    resource_metadata: str

    def __call__(self, error: str = "", description: str = "", scope: str = "") -> tuple[bytes, bytes]:
        parts = ['Bearer realm="strata"']
        if error:
            parts.append(f'error="{error}"')
        if description:
            parts.append(f'error_description="{description}"')
        if scope:
            parts.append(f'scope="{scope}"')
        parts.append(f'resource_metadata="{self.resource_metadata}"')
        return b"www-authenticate", ", ".join(parts).encode()


class Authenticate(Struct, frozen=True):
    """Operations need a valid access token in the Authorization field, never in the query or the body."""

    verifier: TokenVerifier
    challenge: Challenge

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            if exchange.match is not None and exchange.match.route.kind == "operation":
                sent = header(scope["headers"], b"authorization")
                if sent is None:
                    raise ProblemError("unauthenticated", headers=[self.challenge()])
                scheme, _, token = sent.partition(b" ")
                if scheme.lower() != b"bearer":
                    raise ProblemError("unauthenticated", "The scheme is Bearer.", headers=[self.challenge()])
                try:
                    exchange.identity = await self.verifier.identity(token.strip(b" "))
                except InvalidTokenError:
                    raise ProblemError("invalid-token", headers=[self.challenge("invalid_token")]) from None
            await app(scope, receive, send)

        return authenticated


class Authorize(Struct, frozen=True):
    """The token's scopes must contain every scope of the operation, compared as exact strings."""

    challenge: Challenge

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def authorized(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            identity, match = exchange.identity, exchange.match
            if identity is not None and match is not None and not match.route.scopes <= identity.scopes:
                wanted = " ".join(sorted(match.route.scopes))
                raise ProblemError(
                    "insufficient-scope",
                    f"This operation needs: {wanted}.",
                    headers=[self.challenge("insufficient_scope", scope=wanted)],
                )
            await app(scope, receive, send)

        return authorized
