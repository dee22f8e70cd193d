"""Readiness is asked for by anybody; the database is asked seldom."""

from __future__ import annotations

import asyncio

from gateway.health import Checks


class TestChecks:
    async def test_many_who_ask_are_one_look(self) -> None:
        now, looks = [0.0], [0]

        async def look() -> bool:
            looks[0] += 1
            await asyncio.sleep(0)
            return looks[0] == 1

        checks = Checks({"database": look}, lambda: now[0])
        answers = await asyncio.gather(*(checks.states() for _ in range(50)))
        assert looks == [1]
        assert all(answer == {"database": True} for answer in answers)
        now[0] = 0.3
        assert await checks.states() == {"database": False}
        assert looks == [2]

    async def test_a_check_that_raises_is_down(self) -> None:
        async def broken() -> bool:
            raise RuntimeError("no")

        assert await Checks({"worker": broken}).states() == {"worker": False}
