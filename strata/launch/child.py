"""The worker that lives and dies with `strata run`: `python -m strata.launch.child`, told what to do on standard input.

The first line is the settings as environment variables in JSON (so that no secret stands in an argument list). It loads
its code before it reads them, so that it is warm when the database is. When standard input ends, whoever started it is
gone, however it went: it stops, within two seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time

GRACE_AFTER_PARENT_S = 1.5
"""How long it may hand back its runs when its parent died: nobody waits for it, and a new one is about to start."""
READY = "worker ready"
STOP = "stop"


def main() -> None:
    """Load, wait for the settings, work."""
    import msgspec  # noqa: PLC0415  # only the child pays for its imports
    import uvloop  # noqa: PLC0415

    from strata import settings as configuration  # noqa: PLC0415
    from strata.launch.work import work  # noqa: PLC0415

    _preload()
    line = sys.stdin.readline()
    if line.strip() in {"", STOP}:
        return
    os.environ.update(msgspec.json.decode(line, type=dict[str, str]))
    settings = configuration.load()

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C reaches the whole group; the parent decides
        threading.Thread(target=_watch, args=(loop, stop), daemon=True, name="parent").start()
        await work(settings, stop, ready=lambda: print(READY, flush=True))

    uvloop.run(run())


def _preload() -> None:
    from strata.contracts.operation import Layer  # noqa: PLC0415
    from strata.topology import factory_module, services_of  # noqa: PLC0415

    for layer in (Layer.PROCESS, Layer.SYSTEM):
        for service in services_of(layer):
            __import__(factory_module(service))


def _watch(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Read what the parent says until it says stop, or no more at all."""
    line = sys.stdin.readline()
    with contextlib.suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(stop.set)
    if not line:
        time.sleep(GRACE_AFTER_PARENT_S)
        os._exit(0)


if __name__ == "__main__":
    main()
