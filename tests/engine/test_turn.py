"""A turn: what it makes of arrivals, late and double ones too, and of time."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import weakref
from types import FrameType

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
from service_kit.engine.calls import TaskCancelRequested, TaskScheduled
from service_kit.engine.context import current_workflow, require_workflow
from service_kit.engine.failure import Failure
from service_kit.engine.history import (
    ExecutionCancelled,
    ExecutionTerminated,
    ExecutionTimedOut,
    TurnStarted,
    calls_of,
)
from service_kit.engine.instance import Instance
from service_kit.engine.turn import Waiting, take_turn
from service_kit.errors import NonDeterminismError, TaskFailed
from tests.engine.conftest import Begin
from tests.engine.driving import BEGIN_S, Execution, code_of, task


async def two_steps(name: str = "a") -> list[object]:
    return [await task(name), await task("b")]


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


def test_failure_that_nobody_waits_for_is_no_trouble(begin: Begin) -> None:
    async def careless() -> str:
        require_workflow("the test").schedule_task("fire and forget", "1")
        await task("main")
        return "fine"

    run = begin(careless)
    run.fail("fire and forget", Failure("shop:Broken", "no"))
    run.succeed("main")
    gc.collect()
    assert run.result == "fine"


# Ends


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


def test_timer_due_before_the_deadline_still_fires(begin: Begin) -> None:
    async def in_time() -> str:
        await asyncio.sleep(10)
        return "made it"

    run = begin(in_time, timeout_s=30.0)
    run.pass_time(100)
    assert run.result == "made it"


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


# Instances


def test_instance_is_of_no_use_after_a_turn_that_raised() -> None:
    async def bad() -> None:
        await asyncio.to_thread(print)

    instance = Instance(code_of(bad))
    start = ExecutionStarted("x", "example", "null", "s")
    with pytest.raises(NonDeterminismError):
        take_turn(instance, [start], BEGIN_S)
    with pytest.raises(RuntimeError, match="replay the history"):
        take_turn(instance, [start], BEGIN_S)


def test_discarded_instance_runs_nothing_any_more() -> None:
    made: list[object] = []

    async def tidy() -> None:
        try:
            await task("a")
        finally:
            workflow = current_workflow()
            made.append(workflow)
            await task("cleanup")
            made.append("after the cleanup")

    run = Execution(tidy, cold=False)
    run.start()
    history = list(run.history)
    run.instance.discard()
    run.instance.discard()
    assert run.history == history
    assert "after the cleanup" not in made
    with pytest.raises(RuntimeError, match="discarded"):
        run.succeed("a")


def test_cleanup_of_a_forgotten_instance_does_not_leak_into_another() -> None:
    async def leaky() -> None:
        try:
            await task("a")
        finally:
            await task("leaked")

    async def drops_it() -> str:
        victims.clear()
        gc.collect()
        await task("mine")
        return "done"

    victims = [Execution(leaky, cold=False)]
    victims[0].start()
    run = Execution(drops_it, cold=False)
    run.start()
    assert [call.name for call in run.calls(TaskScheduled)] == ["mine"]


def test_discarding_closes_structured_code_that_awaits_in_its_exit() -> None:
    async def structured() -> None:
        async with asyncio.TaskGroup() as group, asyncio.timeout(5):
            group.create_task(task("a"))
            group.create_task(task("b"))
            try:
                await task("c")
            except BaseException:
                await task("again")
                raise

    run = Execution(structured, cold=False)
    run.start()
    run.instance.discard()
    del run
    gc.collect()


def test_instance_that_is_dropped_leaves_memory() -> None:
    run = Execution(two_steps, cold=False)
    run.start()
    loop = weakref.ref(run.instance._machine.loop)
    run.instance.discard()
    del run
    gc.collect()
    assert loop() is None


def test_tasks_of_many_executions_do_not_share_hashes() -> None:
    async def own_hash() -> int:
        return hash(asyncio.current_task())

    hashes = set()
    for number in range(50):
        run = Execution(own_hash, cold=False)
        run.start(id=f"x-{number}")
        hashes.add(run.result)
    assert len(hashes) == 50


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


def test_warm_step_does_not_grow_with_the_history() -> None:
    async def steps() -> None:
        for _ in range(400):
            await task("a")

    run = Execution(steps, cold=False)
    run.start()
    traced: list[int] = []
    for number in range(400):
        entered = 0

        def count(frame: FrameType, event: str, argument: object) -> None:
            nonlocal entered
            entered += 1

        sys.setprofile(count)
        take_turn(run.instance, [TaskSucceeded(number + 1, json.dumps(number))], BEGIN_S)
        sys.setprofile(None)
        traced.append(entered)
    assert max(traced[50:390]) <= min(traced[50:390]) * 1.5
