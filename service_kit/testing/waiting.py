"""Saying what an execution waits for, when nothing is left that could let it go on."""

from __future__ import annotations

from collections.abc import Iterator

from service_kit.engine.calls import ChildStarted, TaskScheduled
from service_kit.engine.history import HistoryEvent
from service_kit.engine.instance import replay
from service_kit.engine.machine import WorkflowCode
from service_kit.engine.wire import decode_events
from service_kit.runtime.records import TaskKey
from service_kit.testing.stage import Stage

__all__ = ["NeverEnds", "waits_of"]


class NeverEnds(AssertionError):
    """What a test waits for does not come; the message says what it waits for itself, and what has failed there."""


def waits_of(stage: Stage, id: str) -> list[str]:
    """Return what an execution waits for, line by line: its own code, its tasks, its children."""
    return list(_waits(stage, id, ""))


def _waits(stage: Stage, id: str, indent: str) -> Iterator[str]:
    found = stage.executions.peek(id)
    if found is None:
        yield f"{indent}execution '{id}' does not exist"
        return
    record = found.record
    told = f"{indent}execution '{id}' of '{record.workflow}'"
    if record.outcome is not None:
        yield f"{told} has ended: {record.status}"
    elif record.paused is not None:
        yield f"{told} is paused: {record.paused}"
    elif not found.history:
        yield f"{told} has not begun yet"
    else:
        history = [event for turn in found.history for event in decode_events(turn)]
        yield f"{told} waits at {_lines(stage, record.workflow, history)}"
        for call in _open_calls(history):
            if isinstance(call, ChildStarted):
                yield from _waits(stage, call.id, indent + "  ")
            else:
                yield f"{indent}  task '{call.name}' {_task(stage, TaskKey(id, record.run, call.seq))}"


def _lines(stage: Stage, name: str, history: list[HistoryEvent]) -> str:
    declarations = stage.runtime.declarations
    workflow = declarations.workflow(name)
    instance = replay(WorkflowCode(name, workflow.run, declarations.failures, workflow.line), history)
    try:
        with instance.moving() as machine:
            return machine.loop.waiting_lines() or workflow.line
    finally:
        instance.discard()


def _open_calls(history: list[HistoryEvent]) -> list[TaskScheduled | ChildStarted]:
    asked = {event.seq: event for event in history if isinstance(event, TaskScheduled | ChildStarted)}
    for event in history:
        answered = getattr(event, "task", None) or getattr(event, "child", None)
        if isinstance(answered, int):  # by its answer, or because the workflow has given it up
            asked.pop(answered, None)
    return list(asked.values())


def _task(stage: Stage, key: TaskKey) -> str:
    stands = "waits for its next attempt, or for somebody to complete it by its token"
    if key in stage.recorder.running:
        stands = "is running, and has not come to its end"
    count, last = stage.executions.failures_of(key)
    if not count:
        return stands
    return (
        f"{stands}; {count} {'attempt has' if count == 1 else 'attempts have'} failed, the last with {last}"
    )
