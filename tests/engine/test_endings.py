"""How executions end, and who is told."""

from __future__ import annotations

import asyncio

import pytest

from service_kit.engine.arrivals import (
    CancelRequested,
    DeadlinePassed,
    ExecutionStarted,
    TerminateRequested,
)
from service_kit.engine.calls import TaskCancelRequested, TaskScheduled
from service_kit.engine.context import require_workflow
from service_kit.engine.history import (
    ExecutionCancelled,
    ExecutionTerminated,
    ExecutionTimedOut,
    TurnStarted,
)
from tests.engine.conftest import Begin
from tests.engine.driving import BEGIN_S, Execution, task, two_steps


def test_cancellation_lets_cleanup_run_tasks(begin: Begin) -> None:
    async def careful() -> None:
        try:
            await asyncio.gather(task("a"), task("b"))
        finally:
            await task("undo")

    run = begin(careful)
    run.arrive(CancelRequested("changed my mind"))
    assert [call.name for call in run.calls(TaskCancelRequested)] == ["a", "b"]
    run.succeed("undo")
    assert run.turn.outcome == ExecutionCancelled("changed my mind")


def test_cancellation_can_be_caught(begin: Begin) -> None:
    async def stubborn() -> str:
        try:
            await task("a")
        except asyncio.CancelledError as error:
            return f"caught {error}"
        return "not reached"

    run = begin(stubborn)
    run.arrive(CancelRequested("why"))
    assert run.result == "caught why"


def test_workflow_may_cancel_itself(begin: Begin) -> None:
    async def gives_up() -> None:
        main = asyncio.current_task()
        assert main is not None
        main.cancel()
        await task("a")

    assert begin(gives_up).turn.outcome == ExecutionCancelled("")


def test_cancellation_that_waits_with_the_start_finds_the_workflow_waiting() -> None:
    run = Execution(two_steps, cold=False)
    run.arrive(ExecutionStarted("x", "example", "null", "s"), CancelRequested("at once"))
    assert run.turn.outcome == ExecutionCancelled("at once")
    assert [call.name for call in run.calls(TaskCancelRequested)] == ["a"]


def test_termination_runs_no_code_although_time_has_made_a_condition_true(begin: Begin) -> None:
    reached: list[str] = []

    async def waits() -> None:
        workflow = require_workflow("the test")
        began = workflow.now()
        await workflow.condition(lambda: workflow.now() > began)
        reached.append("the line after")

    run = begin(waits)
    run.arrive(TerminateRequested("enough"), after_s=5)
    assert run.turn.outcome == ExecutionTerminated("enough")
    assert reached == []


def test_termination_runs_no_code_and_tells_the_tasks(begin: Begin) -> None:
    async def stubborn() -> None:
        try:
            await asyncio.gather(task("a"), task("b"))
        finally:
            await task("never")

    run = begin(stubborn)
    run.arrive(TerminateRequested("enough"))
    assert run.turn.outcome == ExecutionTerminated("enough")
    assert [call.name for call in run.calls(TaskScheduled)] == ["a", "b"]
    assert [call.task for call in run.calls(TaskCancelRequested)] == [1, 2]


def test_success_leaves_tasks_behind_and_failure_does_not(begin: Begin) -> None:
    async def ends(how: str) -> None:
        require_workflow("the test").schedule_task("background", "1")
        if how == "badly":
            raise ValueError("no")

    assert begin(ends, "well").calls(TaskCancelRequested) == []
    assert len(begin(ends, "badly").calls(TaskCancelRequested)) == 1


def test_timeout_of_the_execution_ends_it(begin: Begin) -> None:
    async def slow() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            await task("never")

    run = begin(slow, timeout_s=30.0)
    assert begin(slow, timeout_s=30.0).instance.wake_at_s == BEGIN_S + 30
    assert run.arrive(DeadlinePassed()).events == ()
    assert run.pass_time(29).events == ()
    run.pass_time(1)
    assert run.turn.outcome == ExecutionTimedOut(30.0)
    assert run.instance.wake_at_s is None
    assert run.calls(TaskScheduled) == []


@pytest.mark.parametrize(("left_s", "late_s"), [(10, 10), (10, 500), (-5, 0)])
def test_timeout_that_began_with_an_earlier_run_ends_this_one_at_its_time(
    begin: Begin, left_s: float, late_s: float
) -> None:
    async def slow() -> None:
        await asyncio.sleep(20)

    run = begin(slow, run=3, timeout_s=30.0, deadline_s=BEGIN_S + left_s)
    if left_s > 0:
        assert run.instance.wake_at_s == BEGIN_S + left_s
        assert run.pass_time(left_s - 1).events == ()
        run.pass_time(late_s - left_s + 1)
    assert run.turn.outcome == ExecutionTimedOut(30.0)


def test_run_that_begins_after_its_timeout_runs_no_code(begin: Begin) -> None:
    ran: list[str] = []

    async def goes_on() -> None:
        ran.append("ran")
        await require_workflow("the test").continue_as_new("null")

    run = begin(goes_on, run=3, timeout_s=30.0, deadline_s=BEGIN_S)
    assert run.turn.outcome == ExecutionTimedOut(30.0)
    assert [type(event) for event in run.history] == [TurnStarted, ExecutionStarted, ExecutionTimedOut]
    assert ran == []


@pytest.mark.parametrize("timeout_s", [30.0, 10.0])
def test_timer_due_before_the_deadline_or_with_it_still_fires(begin: Begin, timeout_s: float) -> None:
    async def in_time() -> str:
        await asyncio.sleep(10)
        return "made it"

    run = begin(in_time, timeout_s=timeout_s)
    run.pass_time(100)
    assert run.result == "made it"


def test_timer_due_after_the_deadline_does_not_fire_however_late_the_turn(begin: Begin) -> None:
    async def too_slow() -> str:
        await asyncio.sleep(40)
        return "unreachable"

    run = begin(too_slow, timeout_s=30.0)
    run.pass_time(100)
    assert run.turn.outcome == ExecutionTimedOut(30.0)


def test_deadline_ends_a_workflow_whose_timers_come_later(begin: Begin) -> None:
    async def naps() -> None:
        while True:
            await asyncio.sleep(20)

    run = begin(naps, timeout_s=30.0)
    run.pass_time(100)
    assert run.turn.outcome == ExecutionTimedOut(30.0)


def test_workflow_that_raises_fails_with_its_traceback(begin: Begin) -> None:
    async def raises() -> None:
        await task("a")
        raise ValueError("bad luck")

    run = begin(raises)
    run.succeed("a")
    assert (run.failure.type, run.failure.message) == ("builtins:ValueError", "bad luck")
    assert 'raise ValueError("bad luck")' in run.failure.traceback
    assert "machine.py" not in run.failure.traceback
