"""Keeps the log files of a data folder from growing for ever."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from strata.telemetry import log

LIMIT_BYTES = 50 * 1024 * 1024
"""Size from which a log is put aside; what was put aside before is dropped, so a log takes twice this at most."""


def put_aside(path: Path, limit_bytes: int = LIMIT_BYTES) -> bool:
    """Move the content of a log that has grown too large to `NAME.1`. Answers whether it did.

    The file itself stays, emptied: several processes have it open for appending and go on at its new end. Lines that
    are written between the copy and the emptying are lost.
    """
    try:
        if path.stat().st_size < limit_bytes:
            return False
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)
    except OSError as error:
        log.warning("a log could not be put aside", file=path.name, error=repr(error))
        return False
    return True


async def keep_small(paths: Sequence[Path], *, every_s: float = 30.0) -> None:
    """Look after the logs for ever."""
    while True:
        for path in paths:
            if path.exists():
                await asyncio.to_thread(put_aside, path)
        await asyncio.sleep(every_s)
