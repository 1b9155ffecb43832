"""Messages name a line of the workflow, and what they say of it is true."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from service_kit.engine.instance import Instance, replay
from service_kit.engine.machine import WorkflowCode
from service_kit.errors import NonDeterminismError
from tests.engine.driving import Execution, history_of, replay_error

Timed = Callable[[float], Coroutine[Any, Any, object]]


async def gathers(seconds: float) -> None:
    await asyncio.gather(asyncio.sleep(seconds), asyncio.sleep(9))  # here


async def creates(seconds: float) -> None:
    pause = asyncio.create_task(asyncio.sleep(seconds))
    await pause  # here


async def groups(seconds: float) -> None:
    async with asyncio.TaskGroup() as group:  # here
        group.create_task(asyncio.sleep(seconds))


def with_seconds(function: Timed, seconds: float) -> Callable[[], Coroutine[Any, Any, object]]:
    async def run() -> object:
        return await function(seconds)

    return run


def line_of(function: Timed) -> str:
    """Return the line of a function that says so, as messages name it."""
    source, first = inspect.getsourcelines(function)
    offset = next(number for number, text in enumerate(source) if text.rstrip().endswith("# here"))
    return f"{__file__}:{first + offset} in {function.__qualname__}"


@pytest.mark.parametrize("function", [gathers, creates, groups])
def test_call_of_a_task_without_code_of_its_own_is_shown_where_the_workflow_waits(function: Timed) -> None:
    error = replay_error(with_seconds(function, 6), history_of(with_seconds(function, 5)))
    assert error.made.startswith("TimerStarted")
    assert error.where == f"{line_of(function)}, where the workflow waits"


def test_each_line_at_which_it_waits_is_shown_once() -> None:
    async def nests(seconds: float) -> None:
        others = [asyncio.create_task(creates(3)), asyncio.create_task(creates(3))]
        await asyncio.sleep(1)
        await asyncio.gather(asyncio.sleep(seconds), creates(3), *others)  # here

    def run(seconds: float) -> Execution:
        run = Execution(with_seconds(nests, seconds), cold=False)
        run.start()
        run.pass_time(1)
        return run

    error = replay_error(with_seconds(nests, 6), run(5).history)
    assert error.where == f"{line_of(nests)}; {line_of(creates)}, where the workflow waits"


def test_task_that_has_not_begun_waits_nowhere() -> None:
    async def never_begun() -> None:
        await asyncio.sleep(1)

    async def begins(seconds: float) -> None:
        await asyncio.gather(asyncio.sleep(seconds), never_begun())  # here

    error = replay_error(with_seconds(begins, 6), history_of(with_seconds(begins, 5)))
    assert error.where == f"{line_of(begins)}, where the workflow waits"


def test_where_no_line_is_the_workflows_the_message_says_so() -> None:
    def code(seconds: float) -> WorkflowCode:
        return WorkflowCode("machinery", lambda _: asyncio.sleep(seconds, "null"))

    run = Execution(creates, cold=False)
    run.code, run.instance = code(5), Instance(code(5))
    run.start()
    with pytest.raises(NonDeterminismError) as caught:
        replay(code(6), run.history)
    assert caught.value.where == "in code that is not the workflow's own"


def test_call_of_the_workflows_own_code_is_shown_by_its_line() -> None:
    async def direct(seconds: float) -> None:
        await asyncio.sleep(seconds)  # here

    error = replay_error(with_seconds(direct, 6), history_of(with_seconds(direct, 5)))
    assert error.where == line_of(direct)
