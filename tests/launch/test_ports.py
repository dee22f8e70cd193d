"""A taken port is refused with who has it and what to do."""

from __future__ import annotations

import os
import socket

import pytest

from strata.errors import Conflict, Invalid
from strata.launch import ports
from tests.conftest import free_port


def test_a_free_port_passes() -> None:
    ports.check((free_port(),), host="127.0.0.1", remedy="take another")


def test_a_taken_port_names_its_owner_and_the_remedy() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(Conflict, match=rf"Port {port} .*in use by .*process {os.getpid()}.* take another"):
            ports.check((port,), host="127.0.0.1", remedy="take another")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(Invalid, match="not a port"):
        ports.check((port,), host="127.0.0.1", remedy="take another")
