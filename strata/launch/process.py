"""Processes of the operating system, told apart by pid and start time: a pid alone may be somebody else's by now."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil
from msgspec import Struct


class ProcessId(Struct, frozen=True):
    """One process, for good."""

    pid: int
    started: float
    """When it was started, in seconds since 1970 as the system tells it."""


def this_process() -> ProcessId:
    """The process that asks."""
    return ProcessId(os.getpid(), psutil.Process().create_time())


def identify(pid: int) -> ProcessId | None:
    """The process that has this pid now; None when there is none, or only a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return ProcessId(pid, process.create_time())
    except psutil.NoSuchProcess:
        return None


def alive(process: ProcessId) -> bool:
    """Whether it still runs. Start times are compared with some slack: the clock may have been set meanwhile."""
    found = identify(process.pid)
    return found is not None and abs(found.started - process.started) < 2


def name_of(pid: int) -> str:
    """What a person would call the process: its program and pid."""
    try:
        words = psutil.Process(pid).cmdline()
        text = " ".join(words)[:80] if words else psutil.Process(pid).name()
    except psutil.Error:
        return f"process {pid}"
    return f"{text} (process {pid})"


def end(process: ProcessId, *, within_s: float, number: signal.Signals = signal.SIGTERM) -> bool:
    """Ask it to end and wait; kill it when it does not within the time. True when it ended by itself."""
    if not alive(process):
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
    if _gone(process, within_s):
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    _gone(process, 5)
    return False


def _gone(process: ProcessId, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
