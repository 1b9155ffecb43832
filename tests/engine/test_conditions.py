"""Conditions: waiting until something holds."""

from __future__ import annotations

import asyncio

from service_kit.engine.calls import (
    TimerCancelled,
)
from service_kit.engine.context import require_workflow
from service_kit.errors import TimedOut
from tests.engine.conftest import Begin
from tests.engine.driving import task


def test_condition_waits_until_it_holds(begin: Begin) -> None:
    async def waits() -> list[int]:
        counts: list[int] = []
        require_workflow("the test").on_signal("count", lambda payload: counts.append(int(payload)))
        await require_workflow("the test").condition(lambda: len(counts) >= 2)
        return counts

    run = begin(waits)
    run.signal("count", 1, id="1")
    assert run.instance.ending is None
    run.signal("count", 2, id="2")
    assert run.result == [1, 2]


def test_condition_that_holds_already_does_not_wait(begin: Begin) -> None:
    async def waits() -> str:
        await require_workflow("the test").condition(lambda: True, timeout_s=5)
        return "done"

    assert begin(waits).result == "done"


def test_condition_that_does_not_hold_in_time_times_out(begin: Begin) -> None:
    async def waits() -> str:
        try:
            await require_workflow("the test").condition(lambda: False, timeout_s=5)
        except TimedOut as error:
            return str(error)
        return "held"

    run = begin(waits)
    run.pass_time(5)
    assert run.result == "the condition did not hold within 5 s"


def test_condition_in_time_cancels_its_timer(begin: Begin) -> None:
    async def waits() -> str:
        done: list[object] = []
        asyncio.get_running_loop().create_task(task("a")).add_done_callback(done.append)
        await require_workflow("the test").condition(lambda: bool(done), timeout_s=5)
        return "held"

    run = begin(waits)
    run.succeed("a")
    assert run.result == "held"
    assert len(run.calls(TimerCancelled)) == 1


def test_one_waiter_may_undo_the_condition_of_the_next(begin: Begin) -> None:
    async def takes_turns() -> list[str]:
        workflow = require_workflow("the test")
        free, order = [True], list[str]()

        async def enter(name: str) -> None:
            await workflow.condition(lambda: free[0])
            assert free[0], f"{name} was let in while it was occupied"
            free[0] = False
            order.append(name)
            await task(name)
            free[0] = True

        free[0] = False
        work = [asyncio.create_task(enter(name)) for name in ("a", "b", "c")]
        await task("open")
        free[0] = True
        await asyncio.gather(*work)
        return order

    run = begin(takes_turns)
    for name in ("open", "a", "b", "c"):
        run.succeed(name)
    assert run.result == ["a", "b", "c"]


def test_condition_that_raises_raises_where_it_is_awaited(begin: Begin) -> None:
    async def waits() -> str:
        ready: list[int] = []

        def explode() -> bool:
            if ready:
                raise ValueError("asked too late")
            return False

        asyncio.get_running_loop().call_later(1, ready.append, 1)
        try:
            await require_workflow("the test").condition(explode)
        except ValueError as error:
            return str(error)
        return "held"

    run = begin(waits)
    run.pass_time(1)
    assert run.result == "asked too late"
