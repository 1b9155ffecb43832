"""Time and timers: durable, in order, and no more of them than are needed."""

from __future__ import annotations

import asyncio

from service_kit.engine.arrivals import TimerFired
from service_kit.engine.calls import TaskCancelRequested, TimerCancelled, TimerStarted
from service_kit.engine.turn import Waiting
from tests.engine.conftest import Begin
from tests.engine.driving import BEGIN_S, Execution, task


def test_sleep_waits_for_a_durable_timer(begin: Begin) -> None:
    async def nap() -> str:
        await asyncio.sleep(10)
        return "rested"

    run = begin(nap)
    assert run.calls(TimerStarted) == [TimerStarted(1, BEGIN_S + 10)]
    assert run.turn.outcome == Waiting(BEGIN_S + 10)
    assert run.pass_time(9.5).events == ()
    run.pass_time(0.5)
    assert run.result == "rested"
    assert run.calls(TimerCancelled) == []


def test_sleep_zero_lets_others_run_and_records_nothing(begin: Begin) -> None:
    async def polite() -> list[str]:
        said: list[str] = []

        async def say(word: str) -> None:
            for _ in range(2):
                said.append(word)
                await asyncio.sleep(0)

        await asyncio.gather(say("a"), say("b"))
        return said

    run = begin(polite)
    assert run.result == ["a", "b", "a", "b"]
    assert run.calls(TimerStarted) == []


def test_timeout_cancels_what_it_covers_and_tells_the_task(begin: Begin) -> None:
    async def impatient() -> str:
        try:
            async with asyncio.timeout(5):
                await task("slow")
        except TimeoutError:
            return "gave up"
        return "done"

    run = begin(impatient)
    run.pass_time(5)
    assert run.result == "gave up"
    assert run.calls(TaskCancelRequested) == [TaskCancelRequested(3, 2, "slow")]


def test_timeout_that_is_not_needed_cancels_its_timer(begin: Begin) -> None:
    async def patient() -> int:
        async with asyncio.timeout(5):
            value: int = await task("quick")
        await asyncio.sleep(60)
        return value

    run = begin(patient)
    run.succeed("quick", 7)
    assert run.calls(TimerCancelled) == [TimerCancelled(3, 1)]
    assert run.turn.outcome == Waiting(BEGIN_S + 60)
    run.pass_time(60)
    assert run.result == 7


def test_timeout_at_uses_the_time_of_the_history(begin: Begin) -> None:
    async def until() -> float:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(loop.time() + 3):
                await asyncio.sleep(100)
        except TimeoutError:
            pass
        return loop.time()

    run = begin(until)
    run.pass_time(4.25)
    assert run.result == BEGIN_S + 4.25


def test_timeout_of_zero_needs_no_timer(begin: Begin) -> None:
    async def now_or_never() -> str:
        try:
            async with asyncio.timeout(0):
                await task("slow")
        except TimeoutError:
            return "never"
        return "now"

    run = begin(now_or_never)
    assert run.result == "never"
    assert run.calls(TimerStarted) == []


def test_wait_for_raises_timeout_error(begin: Begin) -> None:
    async def waiting() -> str:
        try:
            await asyncio.wait_for(task("slow"), 2)
        except TimeoutError:
            return "late"
        return "in time"

    late = begin(waiting)
    late.pass_time(2)
    assert late.result == "late"
    in_time = begin(waiting)
    in_time.succeed("slow")
    assert in_time.result == "in time"


def test_timers_that_are_due_together_fire_in_the_order_of_time(begin: Begin) -> None:
    async def clocks() -> list[int]:
        order: list[int] = []

        async def after(seconds: int) -> None:
            await asyncio.sleep(seconds)
            order.append(seconds)

        await asyncio.gather(after(30), after(10), after(20), after(10))
        return order

    run = begin(clocks)
    run.pass_time(100)
    assert run.result == [10, 10, 20, 30]


def test_timer_may_be_said_to_have_fired_a_shade_early(begin: Begin) -> None:
    async def nap() -> float:
        await asyncio.sleep(10)
        return asyncio.get_running_loop().time()

    run = begin(nap)
    run.arrive(TimerFired(1), after_s=9.9)
    assert run.result == BEGIN_S + 10


def test_timer_that_never_fires_is_not_recorded(begin: Begin) -> None:
    async def forever() -> None:
        await asyncio.sleep(float("inf"))

    run = begin(forever)
    assert run.turn.outcome == Waiting(None)
    assert run.calls(TimerStarted) == []


def test_timer_of_the_past_runs_at_once_and_is_not_recorded(begin: Begin) -> None:
    async def late() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(-5, seen.append, "late")
        loop.call_at(loop.time(), seen.append, "now")
        await asyncio.sleep(0)
        return seen

    run = begin(late)
    assert run.result == ["late", "now"]
    assert run.calls(TimerStarted) == []


def test_timer_at_no_number_is_an_error(begin: Begin) -> None:
    async def nonsense() -> None:
        asyncio.get_running_loop().call_later(float("nan"), print)

    assert begin(nonsense).failure.type == "builtins:ValueError"


def test_time_does_not_run_backwards(begin: Begin) -> None:
    async def clock() -> list[float]:
        loop = asyncio.get_running_loop()
        times = [loop.time()]
        await task("a")
        return [*times, loop.time()]

    run = begin(clock)
    run.now_s -= 50
    run.succeed("a")
    assert run.result == [BEGIN_S, BEGIN_S]


def test_many_timeouts_that_are_never_needed_leave_no_rubbish() -> None:
    async def busy() -> None:
        for seconds in range(1, 21):
            asyncio.get_running_loop().call_later(seconds, print)  # they stay at the head of the queue
        for _ in range(1_000):
            async with asyncio.timeout(86_400):
                await asyncio.sleep(0)
        await task("last")

    run = Execution(busy, cold=False)
    run.start()
    assert len(run.instance._machine.loop.timers._heap) < 150
