"""Keeps one worker child running: starts it warm, starts it again when it dies, ends it with us."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import msgspec

from strata.launch.child import READY, STOP
from strata.telemetry import log

_STOP_S = 12.0  # its own grace time for runs in hand, and some more


class WorkerChild:
    """The embedded form's one worker."""

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self._process: Process | None = None
        self._settings: dict[str, str] = {}
        self._ready = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False
        self.restarts = 0

    async def warm(self) -> None:
        """Start the process; it loads its code and waits for `go`."""
        with self._log_file.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "strata.launch.child"), stdin=PIPE, stdout=PIPE, stderr=errors
            )

    async def go(self, settings: dict[str, str]) -> None:
        """Give it its settings (environment variables) and keep one running from now on."""
        self._settings = settings
        self._watch = asyncio.create_task(self._keep(), name="worker child")

    async def ready(self) -> None:
        """Return once it takes work, or `go` has failed for good. Raises what made the watch end."""
        assert self._watch is not None, "go comes first"  # noqa: S101
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait([waiting, self._watch], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._watch.done():
            self._watch.result()

    @property
    def running(self) -> bool:
        """Whether it takes work now."""
        return self._ready.is_set()

    async def stop(self) -> None:
        """Let it finish or hand back what it has in hand, then see it end."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            if process.stdin is not None:
                with contextlib.suppress(ConnectionError):
                    process.stdin.write(f"{STOP}\n".encode())
                    await process.stdin.drain()
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    async def _keep(self) -> None:
        pause_s = 0.1
        while not self._stopping:
            if self._process is None:
                await self.warm()
            process = self._process
            assert process is not None  # noqa: S101  # warm() made it
            assert process.stdin is not None  # noqa: S101
            assert process.stdout is not None  # noqa: S101
            with contextlib.suppress(ConnectionError):
                process.stdin.write(msgspec.json.encode(self._settings) + b"\n")
                await process.stdin.drain()
            async for line in process.stdout:
                if line.decode("utf-8", "replace").strip() == READY:
                    self._ready.set()
                    pause_s = 0.1
            code = await process.wait()
            self._ready.clear()
            self._process = None
            if self._stopping:
                return
            self.restarts += 1
            log.error("worker ended, starting another one", exit_code=code, pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 10.0)
