"""`patched`: changed code beside executions that began before the change."""

from __future__ import annotations

import asyncio

from service_kit.engine.calls import PatchMarked, TaskScheduled
from service_kit.engine.context import require_workflow
from service_kit.engine.history import ExecutionSucceeded
from service_kit.engine.instance import replay
from tests.engine.driving import Execution, code_of, history_of, recorded, task


async def with_patch() -> str:
    workflow = require_workflow("the test")
    if workflow.patched("fraud"):
        await task("check")
    await task("reserve", "sku-1")
    if workflow.patched("fraud"):
        await task("check again")
    await task("charge", 5)
    return "done"


def test_patch_takes_the_new_path_in_new_executions() -> None:
    run = Execution(with_patch, cold=True)
    run.start()
    for name in ("check", "reserve", "check again", "charge"):
        run.succeed(name)
    assert run.result == "done"
    assert run.calls(PatchMarked) == [PatchMarked("fraud")]


def test_patch_keeps_the_old_path_in_executions_that_passed_it() -> None:
    run = Execution(recorded, cold=True)
    run.start()
    run.code = code_of(with_patch)
    run.replay()
    run.succeed("reserve")
    run.succeed("charge")
    assert run.result == "done"
    assert [call.name for call in run.calls(TaskScheduled)] == ["reserve", "charge"]


def test_patch_may_be_deleted_once_no_execution_takes_the_old_path() -> None:
    async def after() -> str:
        await task("check")
        await task("reserve", "sku-1")
        await task("check again")
        await task("charge", 5)
        return "done"

    run = Execution(with_patch, cold=False)
    run.start()
    for name in ("check", "reserve", "check again", "charge"):
        run.succeed(name)
    assert replay(code_of(after), run.history).ending == ExecutionSucceeded(
        '"done"',
        getattr(run.history[-1], "args_hash"),  # noqa: B009 - the last event is an ending
    )


def test_one_of_two_patches_may_be_deleted() -> None:
    async def two() -> None:
        workflow = require_workflow("the test")
        first, second = workflow.patched("first"), workflow.patched("second")
        await task(f"{first} {second}")

    async def one() -> None:
        await task(f"True {require_workflow('the test').patched('second')}")

    replay(code_of(one), history_of(two))


def test_patch_is_not_taken_for_another_that_was_deleted() -> None:
    async def before() -> None:
        require_workflow("the test").patched("old")
        await asyncio.Event().wait()

    seen: list[bool] = []

    async def after() -> None:
        seen.append(require_workflow("the test").patched("new"))
        await asyncio.Event().wait()

    replay(code_of(after), history_of(before))
    assert seen == [False]


def test_patch_deleted_from_the_end_of_a_turn_is_not_missed() -> None:
    async def marks() -> None:
        workflow = require_workflow("the test")
        await task("a")
        workflow.patched("late")
        await asyncio.Event().wait()

    async def does_not() -> None:
        await task("a")
        await asyncio.Event().wait()

    assert replay(code_of(does_not), history_of(marks, ("a", None))).ending is None
