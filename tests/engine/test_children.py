"""Children: beside their parent, and what becomes of them when it ends."""

from __future__ import annotations

import asyncio
import json

import pytest

from service_kit.engine.arrivals import ChildRaised, ChildSucceeded, TerminateRequested
from service_kit.engine.calls import (
    CancelSent,
    ChildStarted,
    TerminateSent,
)
from service_kit.engine.context import require_workflow
from service_kit.engine.failure import Failure
from service_kit.engine.options import ChildOptions, ParentClose
from service_kit.errors import WorkflowFailed
from tests.engine.conftest import Begin
from tests.engine.driving import Execution, task


def test_child_runs_beside_its_parent(begin: Begin) -> None:
    async def parent() -> list[object]:
        child = require_workflow("the test").start_child("pack", '"box"')
        await task("a")
        return [child.id, json.loads(await child.result)]

    run = begin(parent)
    (call,) = run.calls(ChildStarted)
    assert (call.name, call.input, call.id, call.parent_close) == ("pack", '"box"', "x:0:1", "cancel")
    run.arrive(ChildSucceeded(1, '"packed"'))
    assert run.arrive(ChildSucceeded(1, '"twice"')).events == ()
    run.succeed("a")
    assert run.result == ["x:0:1", "packed"]


def test_child_that_fails_raises_in_the_parent(begin: Begin) -> None:
    async def parent() -> str:
        try:
            await require_workflow("the test").start_child("pack", "1").result
        except WorkflowFailed as error:
            return str(error)
        return "packed"

    run = begin(parent)
    run.arrive(ChildRaised(1, Failure("shop:Torn", "no tape")))
    assert run.result == "workflow 'pack' failed: Torn: no tape"


def test_child_that_nobody_waits_for_any_more_is_told(begin: Begin) -> None:
    async def parent() -> str:
        try:
            async with asyncio.timeout(5):
                await require_workflow("the test").start_child("pack", "1").result
        except TimeoutError:
            await task("a")
        return "done"

    run = begin(parent)
    run.pass_time(5)
    (sent,) = run.calls(CancelSent)
    assert sent.target == "x:0:2"
    assert run.arrive(ChildSucceeded(2, "1")).events == ()
    run.succeed("a")
    assert len(run.calls(CancelSent)) == 1


@pytest.mark.parametrize(("policy", "kind"), [("cancel", CancelSent), ("terminate", TerminateSent)])
def test_parent_that_ends_ends_its_children(
    begin: Begin, policy: ParentClose, kind: type[CancelSent | TerminateSent]
) -> None:
    async def parent() -> None:
        options = ChildOptions(id="c-1", parent_close=policy, timeout_s=9.0, start_delay_s=1.0)
        require_workflow("the test").start_child("pack", "1", options=options)
        require_workflow("the test").start_child("left", "1", options=ChildOptions(parent_close="abandon"))
        await task("a")

    run = begin(parent)
    run.arrive(TerminateRequested())
    assert [sent.target for sent in run.calls(kind)] == ["c-1"]
    assert len(run.calls(CancelSent)) + len(run.calls(TerminateSent)) == 1
    (call, _) = run.calls(ChildStarted)
    assert (call.id, call.timeout_s, call.start_delay_s) == ("c-1", 9.0, 1.0)


def test_what_waits_for_an_answer_is_known_in_the_order_of_its_calls() -> None:
    async def parent() -> None:
        child = require_workflow("the test").start_child("pack", "1")
        await asyncio.gather(task("a"), child.result, task("b"))

    run = Execution(parent, cold=False)
    machine = run.instance._machine
    assert list(machine.open_calls) == []
    run.start()
    run.succeed("a")
    assert [call.name for call in machine.open_calls] == ["pack", "b"]
