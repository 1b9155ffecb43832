"""A turn: what it makes of arrivals, late and double ones too, and of time."""

from __future__ import annotations

import asyncio
import gc

import pytest

from service_kit.engine.arrivals import (
    Arrival,
    CancelRequested,
    ChildRaised,
    ChildSucceeded,
    DeadlinePassed,
    ExecutionStarted,
    SignalReceived,
    TaskRaised,
    TaskSucceeded,
    TerminateRequested,
    TimerFired,
    arrival_id,
)
from service_kit.engine.calls import TaskScheduled
from service_kit.engine.context import require_workflow
from service_kit.engine.failure import Failure
from service_kit.engine.history import (
    TurnStarted,
    calls_of,
)
from service_kit.engine.instance import Instance
from service_kit.engine.turn import Waiting, take_turn
from service_kit.errors import TaskFailed
from tests.engine.conftest import Begin
from tests.engine.driving import BEGIN_S, Execution, code_of, task, two_steps


def test_first_turn_starts_the_workflow_and_holds_its_calls(begin: Begin) -> None:
    run = begin(two_steps, "first")
    started = ExecutionStarted("x", "example", '"first"', "seed")
    scheduled = run.turn.events[2]
    assert run.turn.events == (TurnStarted(BEGIN_S, (1,)), started, scheduled)
    assert isinstance(scheduled, TaskScheduled)
    assert (scheduled.seq, scheduled.name, scheduled.input) == (1, "first", "null")
    assert run.turn.calls == (scheduled,)
    assert run.turn.outcome == Waiting(None)


def test_nothing_happens_before_the_start() -> None:
    instance = Instance(code_of(two_steps))
    turn = take_turn(instance, [SignalReceived("1", "s", "1"), TaskSucceeded(1, "1")], BEGIN_S)
    assert (turn.events, turn.outcome) == ((), Waiting(None))


def test_results_that_come_twice_are_used_once(begin: Begin) -> None:
    run = begin(two_steps)
    assert run.arrive(TaskSucceeded(1, "1"), TaskSucceeded(1, "2"), TaskRaised(1, Failure("a:B", ""))).events[
        1
    ] == (TaskSucceeded(1, "1"))
    assert run.arrive(TaskSucceeded(1, "3")).events == ()
    run.succeed("b", 4)
    assert run.result == [1, 4]


def test_start_that_comes_twice_counts_once(begin: Begin) -> None:
    run = begin(two_steps)
    assert run.start().events == ()


def test_answer_of_the_wrong_kind_is_not_an_answer(begin: Begin) -> None:
    async def one_task_one_timer() -> None:
        await asyncio.gather(task("a"), asyncio.sleep(5))

    run = begin(one_task_one_timer)
    wrong: list[Arrival] = [TimerFired(1), ChildSucceeded(1, "1"), TaskSucceeded(2, "1"), TimerFired(77)]
    assert run.arrive(*wrong).events == ()
    assert run.turn.outcome == Waiting(BEGIN_S + 5)


def test_timer_that_fires_twice_fires_once(begin: Begin) -> None:
    async def naps() -> int:
        await asyncio.sleep(1)
        await asyncio.sleep(1)
        return 2

    run = begin(naps)
    run.arrive(TimerFired(1), TimerFired(1), after_s=1)
    assert run.turn.outcome == Waiting(BEGIN_S + 2)
    assert run.arrive(TimerFired(1)).events == ()


def test_late_result_after_a_timeout_is_ignored(begin: Begin) -> None:
    async def impatient() -> object:
        try:
            return await asyncio.wait_for(task("slow"), 5)
        except TimeoutError:
            return await task("plan b")

    run = begin(impatient)
    run.pass_time(5)
    assert run.arrive(TaskSucceeded(2, '"too late"')).events == ()
    run.succeed("plan b", "b")
    assert run.result == "b"


def test_result_in_the_same_turn_as_the_timeout_wins(begin: Begin) -> None:
    async def close_call() -> object:
        return await asyncio.wait_for(task("slow"), 5)

    run = begin(close_call)
    slow = run.calls(TaskScheduled)[0].seq
    run.arrive(TaskSucceeded(slow, '"just in time"'), after_s=60)
    assert run.result == "just in time"


def test_arrivals_after_the_end_change_nothing(begin: Begin) -> None:
    async def short() -> str:
        asyncio.get_running_loop().create_task(task("left"))
        return "done"

    run = begin(short)
    ending = run.turn.outcome
    late: list[Arrival] = [
        TaskSucceeded(1, "1"),
        SignalReceived("1", "s", "1"),
        CancelRequested(),
        TerminateRequested(),
        DeadlinePassed(),
    ]
    for arrival in late:
        turn = run.arrive(arrival, after_s=10)
        assert (turn.events, turn.calls, turn.outcome) == ((), (), ending)


def test_workflow_does_the_same_however_arrivals_are_grouped() -> None:
    async def listens() -> list[object]:
        workflow = require_workflow("the test")
        seen: list[object] = []
        workflow.on_signal("word", lambda payload: seen.append(payload))
        seen.append(await task("a"))
        seen.append(await workflow.receive_signal("other"))
        seen.append(await task("b"))
        return seen

    arrivals: list[Arrival] = [
        SignalReceived("1", "word", "1"),
        TaskSucceeded(1, "2"),
        SignalReceived("2", "other", "3"),
        SignalReceived("3", "word", "4"),
        TaskSucceeded(2, "5"),
    ]
    together, apart = Execution(listens, cold=False), Execution(listens, cold=False)
    together.start()
    together.arrive(*arrivals)
    apart.start()
    for arrival in arrivals:
        apart.arrive(arrival)
    assert together.result == apart.result == ["1", 2, "3", "4", 5]
    assert [e for e in together.history if not isinstance(e, TurnStarted)] == [
        e for e in apart.history if not isinstance(e, TurnStarted)
    ]


def test_failed_task_raises_in_the_workflow(begin: Begin) -> None:
    async def catches() -> str:
        try:
            await task("a")
        except TaskFailed as error:
            return f"{type(error).__name__}: {error}"
        return "no error"

    run = begin(catches)
    run.fail("a", Failure("shop:Broken", "no stock"))
    assert run.result == "TaskFailed: task 'a' failed: Broken: no stock"


def test_failure_that_nobody_waits_for_is_no_trouble(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    async def careless() -> str:
        require_workflow("the test").schedule_task("fire and forget", "1")
        await task("main")
        return "fine"

    run = begin(careless)
    run.fail("fire and forget", Failure("shop:Broken", "no"))
    run.succeed("main")
    gc.collect()
    assert run.result == "fine"
    assert caplog.records == []


# Ends


# Instances


@pytest.mark.parametrize(
    ("arrival", "id"),
    [
        (ExecutionStarted("x", "w", "1", "s"), "started"),
        (TaskSucceeded(3, "1"), "task:3"),
        (TaskRaised(3, Failure("a:B", "")), "task:3"),
        (ChildSucceeded(4, "1"), "child:4"),
        (ChildRaised(4, Failure("a:B", "")), "child:4"),
        (TimerFired(5), "timer:5"),
        (SignalReceived("s-1", "name", "1"), "signal:s-1"),
        (CancelRequested("why"), "cancel"),
        (TerminateRequested("why"), "terminate"),
        (DeadlinePassed(), "deadline"),
    ],
)
def test_arrivals_have_ids_by_which_a_store_drops_doubles(arrival: Arrival, id: str) -> None:
    assert arrival_id(arrival) == id


def test_calls_of_a_committed_turn_can_be_found_again(begin: Begin) -> None:
    run = begin(two_steps)
    assert calls_of(run.turn.events) == run.turn.calls
