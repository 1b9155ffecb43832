"""Instances: warm, discarded, forgotten."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import weakref
from types import FrameType

import pytest

from service_kit.engine.arrivals import (
    ExecutionStarted,
    TaskSucceeded,
)
from service_kit.engine.calls import TaskScheduled
from service_kit.engine.context import current_workflow, require_workflow
from service_kit.engine.instance import Instance, replay
from service_kit.engine.turn import take_turn
from service_kit.errors import NonDeterminismError
from tests.engine.driving import BEGIN_S, Execution, code_of, task, two_steps


def test_instance_is_of_no_use_after_a_turn_that_raised() -> None:
    async def bad() -> None:
        await asyncio.to_thread(print)

    instance = Instance(code_of(bad))
    start = ExecutionStarted("x", "example", "null", "s")
    with pytest.raises(NonDeterminismError):
        take_turn(instance, [start], BEGIN_S)
    assert instance._machine.loop.is_closed(), "what is left of the workflow's code was closed"
    with pytest.raises(RuntimeError, match="replay the history"):
        take_turn(instance, [start], BEGIN_S)


def test_instance_runs_during_its_turns_only() -> None:
    async def looks() -> bool:
        running = asyncio.get_running_loop().is_running()
        await task("a")
        return running

    run = Execution(looks, cold=False)
    loop = run.instance._machine.loop
    assert not loop.is_running()
    run.start()
    assert not loop.is_running()
    run.succeed("a")
    assert run.result is True


def test_long_history_replays_to_its_end_and_goes_on_from_there() -> None:
    async def many() -> int:
        for number in range(300):
            await task(f"step-{number}")
        return 300

    run = Execution(many, cold=False)
    run.start()
    for number in range(299):
        run.succeed(f"step-{number}")
    assert len(run.history) > 600
    instance = replay(code_of(many), run.history)
    turn = take_turn(instance, [TaskSucceeded(300, "null")], BEGIN_S)
    assert turn.events[-1] == instance.ending


def test_instance_that_is_taking_a_turn_cannot_take_another_one() -> None:
    async def recursive() -> None:
        take_turn(run.instance, [], BEGIN_S)

    run = Execution(recursive, cold=False)
    run.start()
    assert run.failure.type == "builtins:RuntimeError"
    assert "it is taking one now" in run.failure.message


def test_tasks_that_are_done_leave_memory() -> None:
    made: weakref.WeakSet[asyncio.Task[None]] = weakref.WeakSet()

    async def many() -> int:
        for _ in range(2_000):
            one = asyncio.create_task(asyncio.sleep(0))
            made.add(one)
            await one
        return len(made)

    run = Execution(many, cold=False)
    run.start()
    assert run.result < 100


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


@pytest.mark.parametrize("error", [SystemExit, BaseException, None], ids=str)
def test_discarding_ends_whatever_the_code_raises_as_it_is_closed(error: type[BaseException] | None) -> None:
    async def waits() -> None:
        try:
            async with asyncio.TaskGroup():
                await task(
                    "a"
                )  # the group has nobody else to wait for, and raises the GeneratorExit in a group
        finally:
            if error is not None:
                raise error

    run = Execution(waits, cold=False)
    run.start()
    run.instance.discard()
    run.replay()


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


def test_futures_hash_equally_in_every_process() -> None:
    async def hashes() -> list[int]:
        loop = asyncio.get_running_loop()
        call = require_workflow("the test").schedule_task("a", "1")
        return [hash(call), hash(loop.create_future()), hash(loop.create_future())]

    first, second = Execution(hashes, cold=False), Execution(hashes, cold=False)
    first.start()
    second.start()
    assert first.result == second.result == sorted(first.result)


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
