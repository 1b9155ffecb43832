"""Drives one execution turn by turn, as a runtime would; cold, it discards the instance after every turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import pytest

from service_kit.engine.arrivals import Arrival, ExecutionStarted, SignalReceived, TaskRaised, TaskSucceeded
from service_kit.engine.calls import Call, TaskScheduled
from service_kit.engine.context import current_workflow, require_workflow
from service_kit.engine.failure import PLAIN, Failure, FailureCodec
from service_kit.engine.history import ExecutionRaised, ExecutionSucceeded, HistoryEvent
from service_kit.engine.instance import Instance, replay
from service_kit.engine.machine import WorkflowCode
from service_kit.engine.turn import Turn, take_turn
from service_kit.engine.wire import decode_events, encode_events
from service_kit.errors import NonDeterminismError

__all__ = [
    "BEGIN_S",
    "Execution",
    "Function",
    "code_of",
    "history_of",
    "on",
    "receive",
    "recorded",
    "replay_error",
    "task",
    "two_steps",
]

Function: TypeAlias = Callable[..., Coroutine[Any, Any, object]]

BEGIN_S = 1_700_000_000.0


def code_of(function: Function, failures: FailureCodec = PLAIN) -> WorkflowCode:
    """Return a workflow from a function of a JSON value."""

    async def start(input: str) -> str:
        value = json.loads(input)
        return json.dumps(await (function() if value is None else function(value)))

    return WorkflowCode("example", start, failures, line=f"{function.__name__} at its definition")


async def task(name: str, value: object = None) -> Any:
    """Run a durable task."""
    workflow = current_workflow()
    assert workflow is not None
    return json.loads(await workflow.schedule_task(name, json.dumps(value)))


async def two_steps(name: str = "a") -> list[object]:
    """Run two tasks, one after the other."""
    return [await task(name), await task("b")]


async def receive(name: str = "word", timeout_s: float | None = None) -> object:
    """Wait for a signal."""
    workflow = require_workflow("the test")
    return json.loads(await workflow.receive_signal(name, timeout_s=timeout_s))


def on(handler: Callable[[str], object], name: str = "word") -> Callable[[], None]:
    """Handle signals."""
    return require_workflow("the test").on_signal(name, handler)


async def recorded() -> str:
    """Reserve, then charge: the workflow whose changes are tried."""
    await task("reserve", "sku-1")
    await task("charge", 5)
    return "done"


class Execution:
    """One execution and its whole history."""

    def __init__(self, function: Function, *, cold: bool, failures: FailureCodec = PLAIN) -> None:
        self.code = code_of(function, failures)
        self.cold = cold
        self.history: list[HistoryEvent] = []
        self.now_s = BEGIN_S
        self.instance = Instance(self.code)
        self.turn = Turn((), (), ExecutionRaised(Failure("not", "begun")))

    def start(self, input: object = None, **started: Any) -> Turn:
        """Take the first turn."""
        started = {"id": "x", "workflow": "example", "seed": "seed", **started}
        return self.arrive(ExecutionStarted(input=json.dumps(input), **started))

    def arrive(self, *arrivals: Arrival, after_s: float = 0.0) -> Turn:
        """Take a turn with these arrivals, so much later."""
        self.now_s += after_s
        self.turn = take_turn(self.instance, arrivals, self.now_s)
        self.history += self.turn.events
        if self.cold:
            self.replay()
        return self.turn

    def replay(self) -> None:
        """Go on with a new instance, from the history's JSON form."""
        self.instance.discard()
        self.instance = replay(self.code, decode_events(encode_events(self.history)))

    def pass_time(self, seconds: float) -> Turn:
        """Take a turn for no other reason than time."""
        return self.arrive(after_s=seconds)

    def succeed(self, name: str, value: object = None) -> Turn:
        """Let the oldest unanswered task of this name return."""
        return self.arrive(TaskSucceeded(self.open_task(name), json.dumps(value)))

    def fail(self, name: str, failure: Failure) -> Turn:
        """Let the oldest unanswered task of this name raise."""
        return self.arrive(TaskRaised(self.open_task(name), failure))

    def signal(self, name: str, value: object = None, *, id: str) -> Turn:
        """Send a signal."""
        return self.arrive(SignalReceived(id, name, json.dumps(value)))

    def open_task(self, name: str) -> int:
        """Return the number of the oldest unanswered task of this name."""
        answered = {event.task for event in self.history if isinstance(event, TaskSucceeded | TaskRaised)}
        return next(
            event.seq
            for event in self.history
            if isinstance(event, TaskScheduled) and event.name == name and event.seq not in answered
        )

    def calls(self, kind: type[Call]) -> list[Any]:
        """Return the calls of one kind, of the whole history."""
        return [event for event in self.history if isinstance(event, kind)]

    @property
    def result(self) -> Any:
        """What the execution returned."""
        assert isinstance(self.turn.outcome, ExecutionSucceeded), self.turn.outcome
        return json.loads(self.turn.outcome.value)

    @property
    def failure(self) -> Failure:
        """What the execution raised."""
        assert isinstance(self.turn.outcome, ExecutionRaised), self.turn.outcome
        return self.turn.outcome.failure


def history_of(function: Function, *answers: tuple[str, object]) -> list[HistoryEvent]:
    """Return the history of a run in which tasks were answered so."""
    run = Execution(function, cold=False)
    run.start()
    for name, value in answers:
        run.succeed(name, value)
    return run.history


def replay_error(function: Function, history: list[HistoryEvent]) -> NonDeterminismError:
    """Return how this code differs from `history`."""
    with pytest.raises(NonDeterminismError) as caught:
        replay(code_of(function), history)
    return caught.value
