"""The test environment: a whole service in memory, in virtual time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from contextvars import Token
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

from pydantic_core import to_json

from client_kit import ClientOptions, Connection, DeadLetter, Retry, Transport
from client_kit.executions import ExecutionHandle, SignalContract, check_typed
from client_kit.ids import new_id
from client_kit.letters import letter_of
from client_kit.options import World
from service_kit.contract.event import Event, Subscription, emit_all
from service_kit.contract.gateway import Gateway, reset_gateway, set_gateway
from service_kit.contract.service import Service, contract_of
from service_kit.contract.task import Task
from service_kit.contract.workflow import Workflow
from service_kit.errors import ExecutionNotFound
from service_kit.testing.director import WITHIN, Director
from service_kit.testing.execution import Execution
from service_kit.testing.mistakes import (
    expect_coroutine,
    expect_events,
    expect_execution,
    expect_seconds,
    expect_span,
    expect_workflow,
)
from service_kit.testing.mocks import Mock
from service_kit.testing.recorder import RecordedCall, RecordedDelivery
from service_kit.testing.transport import StageTransport

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["START", "TestEnvironment"]

S = TypeVar("S", bound=Service)
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E", bound=Event)

START = datetime(2025, 1, 1, tzinfo=UTC)
"""When every environment begins, unless it is told otherwise."""
URL = "http://service.test"


class TestEnvironment(Generic[S]):
    """A service as the local host runs it, in memory and in virtual time: `with TestEnvironment(Orders) as env`.

    Whatever is due at a moment happens in whatever call comes to that moment: after `env.start(...)` the execution
    stands where it waits for time or for somebody. Time passes by `tick`, `advance`, `advance_to`, and as far as
    needed by `run_until_complete` and `run`. Executions are replayed over and over, and at their end; one that cannot
    be replayed raises its NonDeterminismError out of the call in which that is found.

    Schedules begin as time passes, and their calls are recorded among the others: `env.mock(send_report).returns(None)`
    keeps one out of a test of something else.

    Nothing here is async, so it serves sync and async tests alike. In an async test (`async with` is the same)
    what the service offers can be awaited, too: `run = await process_order.start("o-1")`, `await run.result()`,
    `await env.client.place_order(...)`; time passes as needed meanwhile.
    """

    __test__ = False  # pytest would take it for tests, by its name

    def __init__(self, service: type[S], *, start: datetime = START) -> None:
        director = self._director = Director(contract_of(service), _seconds(start))
        self._token: Token[Gateway] | None = None
        self._started: Counter[str] = Counter()
        self.transport: Transport = StageTransport(lambda: director.stage, director.run, director.listen)
        """For clients with options of their own: `connect(Orders, env.url, transport=env.transport, auth=...)`."""
        self.url: str = URL
        world = World(director.now_s, director.now_s, lambda: 0.0, math.inf)
        self.client: S = Connection(
            service,
            URL,
            transport=self.transport,
            retry=Retry(max_attempts=1),
            options=ClientOptions(world=world),
        ).client()
        """A client over the real HTTP face, without a socket. It does not retry: a test sees every answer.

        Its `await execution.result()` waits as `run_until_complete(execution)` does, which takes its handles, too: time
        passes as needed, and NeverEnds says what the execution waits for if it cannot end.
        """

    # Time

    @property
    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._director.stage.now()

    def tick(self, seconds: float = 1.0) -> None:
        """Let a second pass, or so many."""
        expect_seconds(seconds)
        self._director.pass_to(self._director.now_s() + seconds)

    def advance(self, by: timedelta) -> None:
        """Let time pass; what is due meanwhile happens at its moment, in order."""
        expect_span(by)
        self._director.pass_to(self._director.now_s() + by.total_seconds())

    def advance_to(self, moment: datetime) -> None:
        """Let time pass until a moment, as `advance`."""
        self._director.pass_to(_seconds(moment))

    # Executions and events

    def start(self, workflow: Workflow[P, R], *args: P.args, **kwargs: P.kwargs) -> Execution[R]:
        """Start an execution; `env.start(process_order.options(id="o-1"), ...)` gives it an id of its own."""
        expect_workflow(workflow)
        chosen = workflow
        if workflow._chosen.start.id is None:  # one that reads well in messages
            chosen = workflow.options(id=self._new_id(workflow.name))
        return self.get(workflow, self.run(chosen.start(*args, **kwargs)).id)

    def get(self, workflow: Workflow[P, R], id: str) -> Execution[R]:
        """Return an execution that a command, a task or a workflow has started. Raises ExecutionNotFound."""
        found = self._director.stored(id).record.workflow
        if found != workflow.name:
            raise ExecutionNotFound(id=id, belongs_to=found)
        return Execution(self._director, ExecutionHandle(self._director.gateway, workflow, id))

    def fork(self, execution: Execution[R], turn: int, id: str) -> Execution[R]:
        """Begin an execution with the first turns of this one, as `manage(client).fork`."""
        self.run(self._director.stage.runtime.management.fork(execution.id, turn, id))
        return Execution(
            self._director, ExecutionHandle(self._director.gateway, execution.handle._workflow, id)
        )

    def run_until_complete(
        self, execution: Execution[R] | ExecutionHandle[R], *, within: timedelta = WITHIN
    ) -> R:
        """Let time pass until an execution has ended; return its result, or raise what it raised.

        Raises NeverEnds, saying what it waits for, if nothing is left that could let it go on, or if it goes on
        after `within`.
        """
        expect_execution(execution)
        self._director.wait_for(execution.id, within)
        return self._director.result_of(execution.handle if isinstance(execution, Execution) else execution)

    def signal(
        self, execution: Execution[Any] | ExecutionHandle[Any] | str, signal: SignalContract[T], payload: T
    ) -> None:
        """Send a signal to an execution."""
        check_typed("signal", signal)
        target = execution if isinstance(execution, str) else execution.id
        self.run(self._director.gateway.signal(target, signal.name, signal.encode(payload), new_id()))

    def emit(self, *events: Event) -> None:
        """Publish events, and let those handle them who want them."""
        expect_events(events)
        self.run(emit_all(*events))

    def complete_task(self, token: str, value: object) -> bool:
        """Complete a task with its result, by the token that it has given away; False if nobody waits for it.

        Raises ValueError for what is no token, or no result of this task.
        """
        completion = self._director.stage.runtime.completion
        return self.run(completion.succeed(token, to_json(value).decode()))

    def fail_task(self, token: str, message: str) -> bool:
        """Fail a task for good, by its token; False if nobody waits for it."""
        return self.run(self._director.stage.runtime.completion.fail(token, message))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something beside the service, letting time pass as needed: `env.run(env.client.place_order("a"))`.

        Raises NeverEnds if it cannot come to its end.
        """
        expect_coroutine(work)
        return self._director.run(work)

    def dead_letters(self, subscription: Subscription[Any] | None = None) -> list[DeadLetter]:
        """Return events whose delivery failed for good, the oldest first."""
        name = subscription.name if subscription else None
        return [letter_of(members) for members in self.run(self._letters(name))]

    def redrive(self, subscription: Subscription[Any]) -> int:
        """Deliver the dead letters of a subscription again; return how many."""
        return self.run(self._director.stage.runtime.management.letters.redrive(subscription.name, None))

    # Mocks and records

    @overload
    def mock(self, declared: Task[P, R] | Workflow[P, R]) -> Mock[P, R]: ...
    @overload
    def mock(self, declared: Subscription[E]) -> Mock[[E], object]: ...
    def mock(self, declared: Task[P, R] | Workflow[P, R] | Subscription[Any]) -> Mock[..., Any]:
        """Return what stands in for a task or workflow where a workflow runs it: `env.mock(charge).returns("p-1")`.

        For a subscription it stands in wherever an event is delivered. Raises LookupError if the service has no such
        one, and TypeError for something else, a command say.
        """
        return self._director.stage.doubles.mock(declared)

    @overload
    def calls_of(self, declared: Task[..., Any] | Workflow[..., Any]) -> list[RecordedCall]: ...
    @overload
    def calls_of(self, declared: Subscription[E]) -> list[RecordedDelivery[E]]: ...
    def calls_of(self, declared: Task[..., Any] | Workflow[..., Any] | Subscription[Any]) -> list[Any]:
        """Return the attempts of a task, the runs of a workflow, or the deliveries to a subscription, as they began.

        `[call.event for call in env.calls_of(tell_customer)]`; mocked ones are among them. Raises as `mock`.
        """
        return self._director.stage.doubles.calls_of(declared)

    def events_of(self, *kinds: type[E]) -> list[E]:
        """Return the published events of these classes, in the order of their publication."""
        classes = {kind.event_name: kind for kind in kinds}
        return [
            classes[event.name].model_validate_json(event.payload)
            for event in self._director.stage.recorder.events.values()
            if event.name in classes
        ]

    # Its life

    def reset(self) -> None:
        """Begin anew: no executions, events, mocks or records; the first moment; the lifespan entered again."""
        self._director.close(check=True)
        self._started.clear()
        self._director.open()

    def __enter__(self) -> Self:
        if self._director.is_open:
            raise RuntimeError("the environment is entered already; leave it, or use reset()")
        self._started.clear()
        self._director.open()
        self._token = set_gateway(self._director.gateway)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            with suppress(
                ValueError
            ):  # an async fixture may be left in another context than it was entered in
                reset_gateway(self._token)
        self._director.close(check=error is None)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    async def _letters(self, subscription: str | None) -> list[Mapping[str, Any]]:
        found, after = list[Mapping[str, Any]](), None
        while True:
            page, after = await self._director.stage.runtime.management.letters.list(
                subscription, 1_000, after
            )
            found += page
            if after is None:
                return found

    def _new_id(self, workflow: str) -> str:
        """Return an id that reads well in messages."""
        while True:
            self._started[workflow] += 1
            name = f"{workflow}-{self._started[workflow]}"
            if self._director.stage.executions.peek(name) is None:
                return name


def _seconds(moment: datetime) -> float:
    """Return seconds since the epoch."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone, so it is another moment on every machine; give it one")
    return moment.timestamp()
