"""Bodies: the media type before the first byte, the size while the bytes stream."""

from __future__ import annotations

from msgspec import Struct

from gateway.asgi import ASGIApp, Message, Receive, Scope, Send, header
from gateway.core.admit import accepts, media_type
from gateway.core.problem import ProblemError
from gateway.core.route import Route
from gateway.exchange import Exchange, exchange_of


class MediaTypes(Struct, frozen=True):
    """415 for a body of another type than the operation takes, 406 when nothing it answers is accepted."""

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def negotiated(scope: Scope, receive: Receive, send: Send) -> None:
            match = exchange_of(scope).match
            if match is not None and match.route.kind == "operation":
                _check(match.route, scope)
            await app(scope, receive, send)

        return negotiated


def _check(route: Route, scope: Scope) -> None:
    headers = scope["headers"]
    accept = header(headers, b"accept")
    if accept is not None and route.answers and not accepts(accept, route.answers):
        offered = ", ".join(sorted(kind.decode() for kind in route.answers))
        raise ProblemError("not-acceptable", f"Offered: {offered}.")
    if not route.takes or not _has_body(scope):
        return
    sent = header(headers, b"content-type")
    if sent is None or media_type(sent) not in route.takes or not _utf8(sent):
        wanted = ", ".join(sorted(kind.decode() for kind in route.takes))
        raise ProblemError("unsupported-media-type", f"Send {wanted}.", headers=[(b"accept", wanted.encode())])


def _has_body(scope: Scope) -> bool:
    length = header(scope["headers"], b"content-length")
    return length not in {None, b"0"} or header(scope["headers"], b"transfer-encoding") is not None


def _utf8(content_type: bytes) -> bool:
    _, _, parameters = content_type.lower().partition(b"charset=")
    return not parameters or parameters.strip(b' "').startswith(b"utf-8")


class BodyLimit(Struct, frozen=True):
    """Refuse bodies over the route's limit with 413: by their declared length at once, else on the byte too many.

    The refusal stands even when the service behind swallows it: its answer is not sent.
    """

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            limit = exchange.match.route.max_body_bytes if exchange.match else 0
            declared = header(scope["headers"], b"content-length")
            if declared is not None and declared.isdigit() and int(declared) > limit:
                raise too_large(limit)

            async def counted() -> Message:
                message = await receive()
                if message["type"] == "http.request":
                    exchange.received_bytes += len(message.get("body", b""))
                    if exchange.received_bytes > limit:
                        exchange.refused = too_large(limit)
                        raise too_large(limit)
                elif not exchange.answered:
                    exchange.gone = True
                return message

            async def unless_refused(message: Message) -> None:
                if exchange.refused is None or exchange.answered:
                    await send(message)

            try:
                await app(scope, counted, unless_refused)
            finally:
                if exchange.refused is not None and not exchange.answered:
                    raise refusal(exchange)

        return limited


def too_large(limit: int) -> ProblemError:
    """413 that names the limit."""
    detail = f"The limit is {limit} bytes." if limit else "This operation takes no body."
    return ProblemError("content-too-large", detail, members={"limit_bytes": limit})


def refusal(exchange: Exchange) -> ProblemError:
    """A fresh copy of the refusal that was noted while the body streamed."""
    noted = exchange.refused
    if noted is None:
        raise LookupError("nothing was refused")
    return ProblemError(noted.slug, noted.detail, members=noted.members)
