"""`asyncio.wait_for` makes the same calls on every Python, by whatever name it is called."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from typing import Any

import pytest

from service_kit.engine.calls import TaskScheduled, TimerCancelled, TimerStarted
from service_kit.engine.waitfor import install_wait_for
from tests.engine.conftest import Begin
from tests.engine.driving import Execution, task

early = asyncio.wait_for
"""The function as a module has it that imported it by name before any workflow ran."""


async def side_by_side(names: list[str]) -> list[Any]:
    return list(await asyncio.gather(*[asyncio.wait_for(task(name), 30) for name in names]))


async def side_by_side_by_an_early_name(names: list[str]) -> list[Any]:
    return list(await asyncio.gather(*[early(task(name), 30) for name in names]))


@pytest.mark.parametrize("function", [side_by_side, side_by_side_by_an_early_name])
def test_each_one_starts_its_timer_and_then_what_it_waits_for(
    begin: Begin, function: Callable[..., Any]
) -> None:
    run = begin(function, ["a", "b"])
    assert [(type(call), call.seq) for call in run.turn.calls] == [
        (TimerStarted, 1),
        (TaskScheduled, 2),
        (TimerStarted, 3),
        (TaskScheduled, 4),
    ]
    run.succeed("b", "B")
    assert [type(call) for call in run.turn.calls] == [TimerCancelled]
    run.succeed("a", "A")
    assert run.result == ["A", "B"]


def test_one_runs_its_coroutine_in_the_task_that_waits(begin: Begin) -> None:
    async def alone() -> bool:
        outer = asyncio.current_task()

        async def inner() -> bool:
            await task("work")
            return asyncio.current_task() is outer

        return await asyncio.wait_for(inner(), 5)

    run = begin(alone)
    run.succeed("work")
    assert run.result is True


def test_one_beside_other_tasks_begins_before_those_made_before_it(begin: Begin) -> None:
    async def beside() -> list[Any]:
        other = asyncio.create_task(task("other"))
        return [await asyncio.wait_for(task("first"), 9), await other]

    run = begin(beside)
    assert [call.name for call in run.turn.calls] == ["", "first", "other"]


def test_what_is_late_is_cancelled_and_times_out(begin: Begin) -> None:
    async def late() -> str:
        try:
            return str(await asyncio.wait_for(task("slow"), 3))
        except TimeoutError:
            return "late"

    run = begin(late)
    run.pass_time(3)
    assert run.result == "late"


@pytest.mark.parametrize("timeout_s", [0, -1])
def test_without_time_nothing_is_begun(begin: Begin, timeout_s: int) -> None:
    async def at_once() -> str:
        try:
            return str(await asyncio.wait_for(task("never"), timeout_s))
        except TimeoutError:
            return "late"

    run = begin(at_once)
    assert (run.result, run.turn.calls) == ("late", ())


def test_without_a_limit_there_is_no_timer(begin: Begin) -> None:
    async def for_ever() -> Any:
        return await asyncio.wait_for(task("work"), None)

    run = begin(for_ever)
    assert [call.name for call in run.turn.calls] == ["work"]
    run.succeed("work", 7)
    assert run.result == 7


def test_outside_of_workflows_it_is_as_ever() -> None:
    Execution(side_by_side, cold=False)

    async def waits(wait: Callable[..., Any]) -> bool:
        outer = asyncio.current_task()

        async def inner() -> bool:
            await asyncio.sleep(0)
            return asyncio.current_task() is outer

        with pytest.raises(TimeoutError):
            await wait(asyncio.get_running_loop().create_future(), 0.001)
        shares: bool = await wait(inner(), 60)
        return shares

    for wait in (asyncio.wait_for, asyncio.tasks.wait_for, early):
        assert asyncio.run(waits(wait)) is (sys.version_info >= (3, 12))


def test_it_keeps_its_name_and_its_signature() -> None:
    Execution(side_by_side, cold=False)
    assert asyncio.wait_for is asyncio.tasks.wait_for is early
    assert (early.__name__, early.__module__) == ("wait_for", "asyncio.tasks")
    assert inspect.iscoroutinefunction(early)
    assert list(inspect.signature(early).parameters) == ["fut", "timeout"]


def test_a_function_that_somebody_has_put_in_its_place_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def theirs(fut: Any, timeout: float | None) -> Any:
        return await fut

    monkeypatch.setattr(asyncio.tasks, "wait_for", theirs)
    code = theirs.__code__
    install_wait_for()
    assert theirs.__code__ is code
    assert theirs.__kwdefaults__ is None


def test_only_the_first_execution_changes_it() -> None:
    Execution(side_by_side, cold=False)
    code, given = early.__code__, early.__kwdefaults__
    Execution(side_by_side, cold=False)
    assert early.__code__ is code
    assert early.__kwdefaults__ is given
    assert asyncio.run(_doubled()) == 2


async def _doubled() -> int:
    async def one() -> int:
        return 1

    return await early(one(), 60) + await asyncio.wait_for(one(), None)
