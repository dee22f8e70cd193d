"""Whether the ports are free, and who has them when they are not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

import psutil

from strata.errors import Conflict, Invalid
from strata.launch.process import name_of

HIGHEST_PORT = 65535


def check(ports: Iterable[int], *, host: str, remedy: str) -> None:
    """Raise Conflict naming the taken port, who has it and the remedy; Invalid for a number that is no port."""
    for port in ports:
        if not 0 < port <= HIGHEST_PORT:
            raise Invalid(f"{port} is not a port. {remedy}")
        taken = _why_not(host, port)
        if taken is not None:
            raise Conflict(f"Port {port} of {host} is {taken}. {remedy}")


def _why_not(host: str, port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"in use by {owner(port)}"
            return f"not to be had ({error.strerror})"
    return None


def owner(port: int) -> str:
    """Who listens on a port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if connection.status == psutil.CONN_LISTEN and local and local.port == port and connection.pid:
                return name_of(connection.pid)
    except psutil.AccessDenied:
        pass  # some systems show sockets to root alone
    return "another program"
