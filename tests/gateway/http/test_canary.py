"""The strict protocol rests on parts of uvicorn that are not its public interface. These tests notice a change."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import inspect
import socket
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.http.protocol import StrictProtocol
from gateway.server import UnsafeServerError, make_server
from tests.gateway.http.conftest import Echo


class TestUvicornsInternalContract:
    def test_the_version_is_the_one_it_was_written_for(self) -> None:
        assert uvicorn.__version__ == "0.54.0", "read the changes of httptools_impl.py, then raise this"

    def test_the_class_is_called_with_these_arguments(self) -> None:
        assert list(inspect.signature(HttpToolsProtocol.__init__).parameters) == [
            "self",
            "config",
            "server_state",
            "app_state",
            "_loop",
        ]

    @pytest.mark.parametrize(
        "name",
        [
            "connection_made",
            "connection_lost",
            "data_received",
            "eof_received",
            "on_message_begin",
            "on_url",
            "on_header",
            "on_headers_complete",
            "on_body",
            "on_message_complete",
            "pause_writing",
            "resume_writing",
            "timeout_keep_alive_handler",
            "_unset_keepalive_if_required",
            "_should_upgrade",
            "_unsupported_upgrade_warning",
        ],
    )
    def test_what_is_overridden_or_called_is_still_there(self, name: str) -> None:
        assert callable(getattr(HttpToolsProtocol, name))

    def test_a_cycle_still_has_what_a_refusal_touches(self) -> None:
        names = set(RequestResponseCycle.__init__.__code__.co_names)
        assert {"keep_alive", "disconnected", "response_started", "response_complete", "message_event"} <= names

    async def test_a_whole_server_answers_and_stops(self) -> None:
        app = Echo()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            server = make_server(app, lifespan=False)
            server.capture_signals = contextlib.nullcontext  # pyright: ignore[reportAttributeAccessIssue]
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/a")
            server.should_exit = True
            await asyncio.wait_for(serving, 5)
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert answer.headers["date"].endswith("GMT")
        assert issubclass(server.config.http_protocol_class, StrictProtocol)

    def test_forwarded_addresses_are_not_believed(self) -> None:
        assert make_server(Echo()).config.proxy_headers is False


class TestRefusingToStart:
    def test_without_httptools_nothing_is_served(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = importlib.util.find_spec

        def hidden(name: str, *args: Any) -> Any:
            return None if name == "httptools" else found(name, *args)

        monkeypatch.setattr(importlib.util, "find_spec", hidden)
        with pytest.raises(UnsafeServerError, match="httptools is not installed"):
            make_server(Echo())
