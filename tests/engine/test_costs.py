"""What a turn costs, counted in calls of functions and not in time: it grows with what is done, and no faster."""

from __future__ import annotations

import asyncio
import sys
from types import FrameType

import pytest

from tests.engine.driving import Execution, Function


async def _many_tasks(count: int) -> None:
    waiting = [asyncio.create_task(asyncio.Event().wait()) for _ in range(count)]
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()


async def _many_timers(count: int) -> None:
    for seconds in range(count):
        asyncio.get_running_loop().call_later(1 + seconds, print)


async def _many_cancelled_timers(count: int) -> None:
    loop = asyncio.get_running_loop()
    for seconds in range(count):
        loop.call_later(1 + seconds, print)
        loop.call_later(1 + seconds, print).cancel()


@pytest.mark.parametrize("function", [_many_tasks, _many_timers, _many_cancelled_timers])
def test_twice_as_many_cost_twice_as_much(function: Function) -> None:
    assert _calls(function, 1_600) < 2.6 * _calls(function, 800)


def _calls(function: Function, count: int) -> int:
    run = Execution(function, cold=False)
    called = 0

    def count_one(frame: FrameType, event: str, argument: object) -> None:
        nonlocal called
        called += 1

    sys.setprofile(count_one)
    try:
        run.start(count)
    finally:
        sys.setprofile(None)
    return called
