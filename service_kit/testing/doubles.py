"""Doubles: a service's tasks, workflows and subscriptions as an environment runs them, recorded and open to mocks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias, cast

from service_kit.contract.event import Event, Subscription, SubscriptionOptions
from service_kit.contract.gather import Declarations
from service_kit.contract.task import Task, current_attempt
from service_kit.contract.workflow import Workflow
from service_kit.engine.context import require_workflow
from service_kit.errors import TimedOut
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.records import ClaimedDelivery
from service_kit.testing.mistakes import no_double
from service_kit.testing.mocks import Behaviour, Mock, TimeOut, behave
from service_kit.testing.recorder import RecordedCall, RecordedDelivery, Recorder, all_arguments

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

HANDLER_S = 30.0
"""How long a handler without `timeout_s` may take: as on the local host, where it is the lease."""


Mocked: TypeAlias = Task[..., Any] | Workflow[..., Any] | Subscription[Any]
"""What can be mocked, and whose calls are recorded."""


class Doubles:
    """Everything of a service that an environment runs, and its mocks by kind and name."""

    def __init__(
        self,
        real: Declarations,
        recorder: Recorder,
        now: Callable[[], datetime],
        handled: Callable[[], ClaimedDelivery | None],
    ) -> None:
        self._real = real
        self._recorder = recorder
        self._now = now
        self._handled = handled
        """Returns the delivery that a handler is running for."""
        self._mocks: dict[tuple[str, str], Mock[..., Any]] = {}

    def declarations(self) -> Declarations:
        """Return the service with doubles in the place of what it declares."""
        return replace(
            self._real,
            workflows={
                n: _WorkflowDouble(w, self._begin, self._recorder) for n, w in self._real.workflows.items()
            },
            tasks={name: self._task(task) for name, task in self._real.tasks.items()},
            subscriptions={
                n: _SubscriptionDouble(s, self._deliver) for n, s in self._real.subscriptions.items()
            },
        )

    def mock(self, declared: Mocked) -> Mock[..., Any]:
        """Return the mock of something; raise LookupError if the service has no such one, TypeError if none has."""
        key = self._key(declared, "mocked")
        if key not in self._mocks:
            codec = None if isinstance(declared, Subscription) else declared.calls
            self._mocks[key] = Mock(declared.name, codec)
        return self._mocks[key]

    def calls_of(self, declared: Mocked) -> list[RecordedCall | RecordedDelivery[Any]]:
        """Return what was recorded of something; raises as `mock`: what is never called would always pass a test."""
        key = self._key(declared, "recorded")
        return [call for call in self._recorder.calls if (call.kind, call.name) == key]

    def _key(self, declared: Mocked, what: str) -> tuple[str, str]:
        match declared:
            case Task():
                self._real.task(declared.name)
            case Workflow():
                self._real.workflow(declared.name)
            case Subscription():
                if declared.name not in self._real.subscriptions:
                    raise LookupError(
                        f"subscription '{declared.name}' is not part of service '{self._real.service}'; define or "
                        f"import it in the module of the service or of its workflow, or list its module: include=[...]"
                    )
            case _:
                raise no_double(declared, what)
        return declared.kind, declared.name

    def _take(self, kind: str, name: str) -> Behaviour | None:
        mock = self._mocks.get((kind, name))
        return mock.take() if mock is not None else None

    def _begin(
        self, declared: Task[..., Any] | Workflow[..., Any], arguments: Any, execution: str, attempt: int
    ) -> tuple[int, Behaviour | None]:
        called = RecordedCall(
            kind=declared.kind,
            name=declared.name,
            attempt=attempt,
            at=self._now(),
            arguments=all_arguments(declared.function, arguments),
            execution=execution,
        )
        return self._recorder.begin(called), self._take(declared.kind, declared.name)

    async def _deliver(self, real: Subscription[Any], event: Event) -> None:
        claimed = self._handled()
        assert claimed is not None, "only the subscription worker delivers"
        delivery = RecordedDelivery(
            kind=real.kind,
            name=real.name,
            attempt=claimed.attempt,
            at=self._now(),
            event=event,
            event_id=claimed.event.id,
        )
        place, behaviour = self._recorder.begin(delivery), self._take(real.kind, real.name)
        match behaviour:
            case None:
                work = real.function(event)
            case TimeOut():
                work = _for_ever()  # each delivery has a limit
            case _:
                work = behave(behaviour, event)
        await self._recorder.end(place, work)

    def _task(self, real: Task[..., Any]) -> Task[..., Any]:
        async def invoke(**arguments: Any) -> Any:
            attempt = cast(Attempt, current_attempt())
            key, running = attempt.task.key, self._recorder.running
            place, behaviour = self._begin(real, arguments, key.execution, attempt.number)
            running.add(key)
            try:
                return await self._recorder.end(place, _run(real, behaviour, arguments, attempt))
            finally:
                running.discard(key)

        double = type(real).__new__(type(real))
        double.__dict__.update(real.__dict__)
        double.invoke = invoke
        return double


class _WorkflowDouble(Workflow[..., Any]):
    """A workflow whose runs are recorded once each, and keep to their mock in every replay."""

    def __init__(
        self,
        real: Workflow[..., Any],
        begin: Callable[..., tuple[int, Behaviour | None]],
        recorder: Recorder,
    ) -> None:
        self.__dict__.update(real.__dict__)
        self._real = real
        self._begin = begin
        self._recorder = recorder
        self._begun: dict[tuple[str, int], tuple[int, Behaviour | None]] = {}

    async def run(self, input: str) -> str:
        started = require_workflow("a workflow").started
        key = started.id, started.run
        arguments = self.calls.decode_arguments(input)
        if key not in self._begun:
            self._begun[key] = self._begin(self._real, arguments, started.id, 1)
        place, behaviour = self._begun[key]
        match behaviour:
            case None:
                work = self._real.function(**arguments)
            case TimeOut():
                work = self._take_too_long(started.timeout_s)
            case _:
                work = behave(behaviour, **all_arguments(self._real.function, arguments))
        return self.calls.result.encode(await self._recorder.end(place, work))

    async def _take_too_long(self, timeout_s: float | None) -> Any:
        if timeout_s is not None:
            await _for_ever()  # until the execution's own time is over
        raise TimedOut(f"workflow '{self.name}' did not end in time, says its mock")


class _SubscriptionDouble(Subscription[Any]):
    """A subscription whose deliveries are recorded, and may be mocked."""

    def __init__(
        self, real: Subscription[Any], deliver: Callable[[Subscription[Any], Event], Awaitable[None]]
    ) -> None:
        self.__dict__.update(real.__dict__)
        self._real = real
        self._deliver = deliver
        self.definition: SubscriptionOptions = real.definition.copy()
        self.definition.setdefault("timeout_s", HANDLER_S)

    async def deliver(self, name: str, payload: str) -> None:
        await self._deliver(self._real, self.events[name].model_validate_json(payload))


async def _run(
    task: Task[..., Any], behaviour: Behaviour | None, arguments: dict[str, Any], attempt: Attempt
) -> Any:
    match behaviour:
        case None:
            return await task.invoke(**arguments)
        case TimeOut():
            return await _take_too_long(task, attempt)
        case _:
            return await behave(behaviour, **all_arguments(task.function, arguments))


async def _take_too_long(task: Task[..., Any], attempt: Attempt) -> Any:
    limits = ("timeout_s", "heartbeat_timeout_s", "schedule_to_close_s")
    chosen = attempt.task.options
    if any(task.definition.get(limit) or getattr(chosen, limit, None) for limit in limits):
        await _for_ever()
    raise TimedOut(f"task '{task.name}' did not end in time, says its mock")


async def _for_ever() -> Any:
    await asyncio.get_running_loop().create_future()
