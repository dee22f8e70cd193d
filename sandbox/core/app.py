"""The ASGI app around a vendor: control API, faults, latency, request log, and the vendor's answers."""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec

from sandbox.core import control
from sandbox.core.faults import Fault
from sandbox.core.http import (
    ClientGone,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    cut,
    read_request,
    send_half,
    send_response,
)
from sandbox.core.requests import Logged, clip
from sandbox.core.vendor import Vendor

log = logging.getLogger("sandbox")


class Outcome(msgspec.Struct):
    """What goes back over the socket. cut: "now" without a byte, "half" after half of the body."""

    response: Response | None
    cut: str | None = None


class VendorApp:
    """Serves one vendor and, below `/_sandbox`, the control over it."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        # Work goes on when its caller has gone, as at a real vendor: the tasks are held here, not by the connection.
        self._working: set[asyncio.Task[Outcome]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            request = await read_request(scope, receive)
        except ClientGone:
            return
        if request.path == control.PREFIX or request.path.startswith(control.PREFIX + "/"):
            await send_response(send, control.answer(self.vendor, request), head=request.method == "HEAD")
            return
        task = asyncio.create_task(self._serve(request))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        outcome = await asyncio.shield(task)
        if outcome.cut == "half" and outcome.response is not None:
            await send_half(send, outcome.response)
            cut(scope)
        elif outcome.cut is not None or outcome.response is None:
            cut(scope)
        else:
            await send_response(send, outcome.response, head=request.method == "HEAD")

    async def _serve(self, request: Request) -> Outcome:
        vendor, context = self.vendor, self.vendor.context
        began = time.perf_counter()
        operations, account = vendor.identify(request)
        entry = context.requests.start(
            Logged(
                id=0,
                at=context.clock.now(),
                method=request.method,
                path=request.path,
                query=request.query_string.decode("latin-1"),
                operation=",".join(operations),
                account=account,
                request_headers={k: v for k, v in request.headers.items() if k not in control.HIDDEN_HEADERS},
                request_body=clip(request.body),
            )
        )
        throttled = False
        try:
            refused = vendor.admit(request)
            if refused is not None:
                throttled = True
                outcome = Outcome(refused)
            else:
                try:
                    faults = context.faults.strike(
                        operations=operations, method=request.method, path=request.path, account=account
                    )
                    entry.fault = ",".join(fault.id for fault in faults) or None
                    throttled = any(fault.kind == "throttle" for fault in faults)
                    outcome = await self._with_faults(request, faults)
                finally:
                    vendor.leave(request)
            if outcome.response is not None:
                entry.status = outcome.response.status if outcome.cut is None else 0
                entry.response_body = clip(outcome.response.body)
            return outcome
        finally:
            entry.ms = (time.perf_counter() - began) * 1000
            context.requests.finish(entry, throttled=throttled)

    async def _with_faults(self, request: Request, faults: list[Fault]) -> Outcome:  # noqa: PLR0911  # one per kind
        vendor = self.vendor
        latency_ms = vendor.limits.latency_ms + sum(f.latency_ms or 0 for f in faults)
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)
        fault = next((f for f in faults if f.kind != "latency"), None)
        if fault is None:
            return Outcome(self._handle(request))
        hang_s = vendor.limits.request_timeout_s if fault.hang_s is None else fault.hang_s
        match fault.kind:
            case "timeout_before":
                await asyncio.sleep(hang_s)
                return Outcome(None, cut="now")
            case "timeout_after":
                response = self._handle(request)
                await asyncio.sleep(hang_s)
                return Outcome(response, cut="now")
            case "connection_reset":
                return Outcome(None, cut="now")
            case "truncated":
                return Outcome(_dressed(self._handle(request), fault), cut="half")
            case "malformed":
                response = self._handle(request)
                response.body = fault.body.encode() if fault.body is not None else response.body[:-1] + b',"'
                return Outcome(_dressed(response, fault))
            case _:
                response = vendor.error(request, fault.kind, fault)
                if fault.kind == "status":
                    response.status = fault.status
                if fault.body is not None:
                    response.body = fault.body.encode()
                return Outcome(_dressed(response, fault))

    def _handle(self, request: Request) -> Response:
        try:
            with self.vendor.context.store.transaction():
                return self.vendor.handle(request)
        except Exception:
            # A bug in the simulator: the caller sees what a vendor's own bug looks like, we see the traceback.
            log.exception("%s %s %s failed", self.vendor.name, request.method, request.path)
            return self.vendor.error(request, "internal", None)


def _dressed(response: Response, fault: Fault) -> Response:
    given = {name.lower() for name in fault.headers}
    kept = [(k, v) for k, v in response.headers if k.lower() not in given]
    response.headers = [*kept, *fault.headers.items()]
    return response
