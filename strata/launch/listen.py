"""A uvicorn server as a part of ours: started, waited for and stopped by whoever owns it, never by its own signals."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import uvicorn

from strata.errors import Conflict, StrataError


class Listener:
    """One server in this event loop."""

    def __init__(self, server: uvicorn.Server, host: str, port: int) -> None:
        self._server = server
        self._task: asyncio.Task[None] | None = None
        self._socket = bind(host, port)

    async def start(self) -> None:
        """Return once it takes connections. Raises what ended it instead."""
        # signals belong to the supervisor; uvicorn would take them over and end the process its own way
        self._server.capture_signals = contextlib.nullcontext  # pyright: ignore[reportAttributeAccessIssue]
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="server")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise StrataError("The HTTP server ended while it started; see the log")
            await asyncio.sleep(0.005)

    async def wait(self) -> None:
        """Return when it has ended. Raises what ended it."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Take no more connections, let requests in hand finish, then end."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises Conflict when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Conflict(f"Port {port} of {host} cannot be used ({error.strerror})") from error
    return listener
