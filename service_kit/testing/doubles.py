"""Doubles: a service's tasks, workflows and subscriptions as an environment runs them, recorded and open to mocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from service_kit.contract.event import Subscription
from service_kit.contract.gather import Declarations
from service_kit.contract.task import Task, current_attempt
from service_kit.contract.workflow import Workflow
from service_kit.engine.context import require_workflow
from service_kit.errors import TimedOut
from service_kit.runtime.attempt import Attempt
from service_kit.testing.mocks import Behaviour, Mock, TimeOut, behave
from service_kit.testing.recorder import RecordedCall, Recorder, all_arguments

HANDLER_S = 30.0
"""How long a handler without `timeout_s` may take: as on the local host, where it is the lease."""


class Doubles:
    """Everything of a service that an environment runs, and its mocks by kind and name."""

    def __init__(self, real: Declarations, recorder: Recorder, now: Callable[[], datetime]) -> None:
        self._real = real
        self._recorder = recorder
        self._now = now
        self._mocks: dict[tuple[str, str], Mock[..., Any]] = {}

    def declarations(self) -> Declarations:
        """Return the service with doubles in the place of what it declares."""
        return replace(
            self._real,
            workflows={n: _WorkflowDouble(w, self._begin) for n, w in self._real.workflows.items()},
            tasks={name: self._task(task) for name, task in self._real.tasks.items()},
            subscriptions={name: _handler(s) for name, s in self._real.subscriptions.items()},
        )

    def mock(self, declared: Task[..., Any] | Workflow[..., Any]) -> Mock[..., Any]:
        """Return the mock of a task or workflow; raise LookupError if the service has no such one."""
        find = self._real.task if isinstance(declared, Task) else self._real.workflow
        find(declared.name)
        key = declared.kind, declared.name
        if key not in self._mocks:
            self._mocks[key] = Mock(declared.name, declared.calls)
        return self._mocks[key]

    def _take(self, declared: Task[..., Any] | Workflow[..., Any]) -> Behaviour | None:
        mock = self._mocks.get((declared.kind, declared.name))
        return mock.take() if mock is not None else None

    def _begin(
        self, declared: Task[..., Any] | Workflow[..., Any], arguments: Any, execution: str, attempt: int
    ) -> Behaviour | None:
        called = RecordedCall(
            declared.kind,
            declared.name,
            all_arguments(declared.function, arguments),
            execution,
            attempt,
            self._now(),
        )
        self._recorder.calls.append(called)
        return self._take(declared)

    def _task(self, real: Task[..., Any]) -> Task[..., Any]:
        async def invoke(**arguments: Any) -> Any:
            attempt = cast(Attempt, current_attempt())
            key, running = attempt.task.key, self._recorder.running
            behaviour = self._begin(real, arguments, key.execution, attempt.number)
            running.add(key)
            try:
                return await _run(real, behaviour, arguments, attempt)
            finally:
                running.discard(key)

        double = type(real).__new__(type(real))
        double.__dict__.update(real.__dict__)
        double.invoke = invoke
        return double


class _WorkflowDouble(Workflow[..., Any]):
    """A workflow whose runs are recorded once each, and keep to their mock in every replay."""

    def __init__(self, real: Workflow[..., Any], begin: Callable[..., Behaviour | None]) -> None:
        self.__dict__.update(real.__dict__)
        self._real = real
        self._begin = begin
        self._begun: dict[tuple[str, int], Behaviour | None] = {}

    async def run(self, input: str) -> str:
        started = require_workflow("a workflow").started
        key = started.id, started.run
        arguments = self.calls.decode_arguments(input)
        if key not in self._begun:
            self._begun[key] = self._begin(self._real, arguments, started.id, 1)
        behaviour = self._begun[key]
        match behaviour:
            case None:
                return await self._real.run(input)
            case TimeOut():
                return await self._take_too_long(started.timeout_s)
            case _:
                result = await behave(behaviour, all_arguments(self._real.function, arguments))
                return self.calls.result.encode(result)

    async def _take_too_long(self, timeout_s: float | None) -> str:
        if timeout_s is not None:
            await asyncio.get_running_loop().create_future()  # until the execution's own time is over
        raise TimedOut(f"workflow '{self.name}' did not end in time, says its mock")


async def _run(
    task: Task[..., Any], behaviour: Behaviour | None, arguments: dict[str, Any], attempt: Attempt
) -> Any:
    match behaviour:
        case None:
            return await task.invoke(**arguments)
        case TimeOut():
            return await _take_too_long(task, attempt)
        case _:
            return await behave(behaviour, all_arguments(task.function, arguments))


async def _take_too_long(task: Task[..., Any], attempt: Attempt) -> Any:
    limits = ("timeout_s", "heartbeat_timeout_s", "schedule_to_close_s")
    chosen = attempt.task.options
    if any(task.definition.get(limit) or getattr(chosen, limit, None) for limit in limits):
        await asyncio.get_running_loop().create_future()
    raise TimedOut(f"task '{task.name}' did not end in time, says its mock")


def _handler(real: Subscription[Any]) -> Subscription[Any]:
    double = type(real).__new__(type(real))
    double.__dict__.update(real.__dict__)
    definition = real.definition.copy()
    definition.setdefault("timeout_s", HANDLER_S)
    double.definition = definition
    return double
