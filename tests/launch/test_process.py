"""A process is its pid and its start time together."""

from __future__ import annotations

import subprocess
import sys
import time

import msgspec

from strata.launch.process import ProcessId, alive, end, identify, name_of, this_process


def sleeper(*words: str) -> subprocess.Popen[bytes]:
    program = (
        "import signal,sys,time\nif 'deaf' in sys.argv: signal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", f"{program}\ntime.sleep(60)", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


class TestIdentity:
    def test_this_process_is_alive(self) -> None:
        assert alive(this_process())

    def test_the_same_pid_with_another_start_is_somebody_else(self) -> None:
        mine = this_process()
        assert not alive(ProcessId(mine.pid, mine.started - 100))

    def test_a_zombie_is_nobody(self) -> None:
        process = sleeper()
        process.kill()
        time.sleep(0.1)
        assert identify(process.pid) is None
        process.wait()

    def test_it_survives_a_file(self) -> None:
        assert alive(msgspec.json.decode(msgspec.json.encode(this_process()), type=ProcessId))

    def test_its_name_has_program_and_pid(self) -> None:
        assert str(this_process().pid) in name_of(this_process().pid)


class TestEnd:
    def test_one_that_obeys_ends_by_itself(self) -> None:
        process = sleeper()
        known = identify(process.pid)
        assert known is not None
        assert end(known, within_s=5)
        process.wait()

    def test_one_that_does_not_is_killed(self) -> None:
        process = sleeper("deaf")
        known = identify(process.pid)
        assert known is not None
        assert not end(known, within_s=0.3)
        process.wait()

    def test_one_that_is_gone_has_ended(self) -> None:
        process = sleeper()
        known = identify(process.pid)
        assert known is not None
        process.kill()
        process.wait()
        assert end(known, within_s=1)
