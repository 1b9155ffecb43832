"""Deadlines, which are asyncio's timeouts by any clock; and allowances."""

from __future__ import annotations

import asyncio

import pytest

from service_kit.runtime.clock import Clock, Deadline, SystemClock
from service_kit.runtime.limits import Allowance
from tests.runtime.running import ManualClock, settle

pytestmark = pytest.mark.anyio


async def _wait(clock: Clock, seconds: float | None, inside: float) -> Deadline:
    deadline = Deadline(clock, seconds)
    async with deadline:
        await clock.sleep(inside)
    return deadline


async def test_a_block_that_takes_too_long_is_ended(clock: ManualClock) -> None:
    block = asyncio.create_task(_wait(clock, 5, 10))
    await clock.advance(5)
    with pytest.raises(TimeoutError):
        await block


async def test_a_block_that_is_quick_enough_is_left_alone(clock: ManualClock) -> None:
    for seconds in (11, None):
        block = asyncio.create_task(_wait(clock, seconds, 10))
        await clock.advance(10)
        assert (await block).expired is False


async def test_what_the_block_raises_is_not_changed(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="own"):
        async with Deadline(clock, 5):
            raise ValueError("own")


async def test_a_cancellation_from_outside_stays_one(clock: ManualClock) -> None:
    block = asyncio.create_task(_wait(clock, 5, 10))
    await settle()
    block.cancel()
    with pytest.raises(asyncio.CancelledError):
        await block


async def test_a_cancellation_from_outside_wins_over_a_deadline_of_the_same_moment(
    clock: ManualClock,
) -> None:
    async def work() -> None:
        async with Deadline(clock, 5):
            await asyncio.Event().wait()

    block = asyncio.create_task(work())
    await settle()
    block.cancel()
    await clock.advance(5)
    with pytest.raises(asyncio.CancelledError):
        await block


async def test_deadlines_may_stand_in_each_other(clock: ManualClock) -> None:
    async def work() -> str:
        async with Deadline(clock, 10):
            try:
                async with Deadline(clock, 2):
                    await asyncio.Event().wait()
            except TimeoutError:
                await clock.sleep(1)
                return "inner"
        return "none"

    block = asyncio.create_task(work())
    await clock.advance(3)
    assert await block == "inner"


async def test_the_machines_clock_keeps_deadlines_too() -> None:
    clock = SystemClock()
    with pytest.raises(TimeoutError):
        await _wait(clock, 0.001, 60)
    assert (await _wait(clock, 60, 0.001)).expired is False


async def test_a_rate_saves_up_what_one_second_allows(clock: ManualClock) -> None:
    allowance = Allowance(clock, None, 4.0)
    allowance.spend(1)
    assert allowance.next_s() == clock.now_s() + 0.25
    await clock.advance(100)
    assert (allowance.room(0), allowance.next_s()) == (4, None)


async def test_a_clock_that_jumps_back_takes_nothing_away(clock: ManualClock) -> None:
    allowance = Allowance(clock, None, 1.0)
    assert allowance.room(0) == 1
    clock.jump(-3600)
    assert allowance.room(0) == 1
    allowance.spend(1)
    await clock.advance(1)
    assert allowance.room(0) == 1


async def test_the_narrower_of_two_limits_counts(clock: ManualClock) -> None:
    allowance = Allowance(clock, 3, 2.0)
    await clock.advance(10)
    assert [allowance.room(running) for running in range(5)] == [1, 1, 1, 0, 0]
    assert Allowance(clock, None, None).room(5) is None
