"""The test environment: a whole service in memory, in virtual time."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Token, copy_context
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast

from client_kit import ClientOptions, Connection, DeadLetter, Retry, Transport
from client_kit.executions import ExecutionHandle, SignalContract
from client_kit.options import World
from service_kit.contract.event import Event, Subscription, emit_all
from service_kit.contract.gateway import Gateway, reset_gateway, set_gateway
from service_kit.contract.gather import gather
from service_kit.contract.service import Service, contract_of
from service_kit.contract.task import Task
from service_kit.contract.workflow import Workflow
from service_kit.errors import ExecutionNotFound
from service_kit.runtime.records import StoredExecution
from service_kit.testing.execution import Execution
from service_kit.testing.gateway import StageGateway
from service_kit.testing.loop import Idle
from service_kit.testing.mocks import Mock
from service_kit.testing.recorder import RecordedCall
from service_kit.testing.stage import Stage
from service_kit.testing.transport import StageTransport
from service_kit.testing.waiting import NeverEnds, waits_of

__all__ = ["START", "TestEnvironment"]

S = TypeVar("S", bound=Service)
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E", bound=Event)

START = datetime(2025, 1, 1, tzinfo=UTC)
"""When every environment begins, unless it is told otherwise."""
URL = "http://service.test"
WITHIN = timedelta(days=3_650)
ANSWER_WITHIN = timedelta(days=1)
SHOWN = 5


class TestEnvironment(Generic[S]):
    """A service as the local host runs it, in memory and in virtual time: `with TestEnvironment(Orders) as env`.

    Whatever is due at a moment happens in whatever call comes to that moment: after `env.start(...)` the execution
    stands where it waits for time or for somebody. Time passes by `tick`, `advance`, `advance_to`, and as far as
    needed by `run_until_complete` and `run`. Executions are replayed in every turn; one that cannot be raises its
    NonDeterminismError out of the call in which that is found.

    Nothing here is async, so it serves sync and async tests alike. In an async test (`async with` is the same)
    what the service offers can be awaited, too: `run = await process_order.start("o-1")`, `await run.result()`,
    `await env.client.place_order(...)`; time passes as needed meanwhile.
    """

    __test__ = False  # pytest would take it for tests, by its name

    def __init__(self, service: type[S], *, start: datetime = START) -> None:
        if start.tzinfo is None:
            raise ValueError(
                f"{start} has no time zone, so it is another moment on every machine; give it one"
            )
        self._contract = contract_of(service)
        self._declarations = gather(self._contract)
        self._start_s = start.timestamp()
        self._stage: Stage | None = None
        self._token: Token[Gateway] | None = None
        self._started: Counter[str] = Counter()
        self._gateway = StageGateway(self._open_stage, self.run)
        self.transport: Transport = StageTransport(self._open_stage, self._answer)
        """For clients with options of their own: `connect(Orders, env.url, transport=env.transport, auth=...)`."""
        self.url: str = URL
        world = World(self._now_s, self._now_s, lambda: 0.0)
        self.client: S = Connection(
            service,
            URL,
            transport=self.transport,
            retry=Retry(max_attempts=1),
            options=ClientOptions(world=world),
        ).client()
        """A client over the real HTTP face, without a socket. It does not retry: a test sees every answer."""

    # Time

    @property
    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._open_stage().now()

    def tick(self, seconds: float = 1.0) -> None:
        """Let a second pass, or so many."""
        self._pass_to(self._now_s() + seconds)

    def advance(self, by: timedelta) -> None:
        """Let time pass; what is due meanwhile happens at its moment, in order."""
        self._pass_to(self._now_s() + by.total_seconds())

    def advance_to(self, moment: datetime) -> None:
        """Let time pass until a moment, as `advance`."""
        self._pass_to(moment.timestamp())

    # Executions and events

    def start(self, workflow: Workflow[P, R], *args: P.args, **kwargs: P.kwargs) -> Execution[R]:
        """Start an execution; `env.start(process_order.options(id="o-1"), ...)` gives it an id of its own."""
        chosen = workflow
        if workflow._chosen.start.id is None:  # one that reads well in messages
            chosen = workflow.options(id=self._new_id(workflow.name))
        return self.get(workflow, self.run(chosen.start(*args, **kwargs)).id)

    def get(self, workflow: Workflow[P, R], id: str) -> Execution[R]:
        """Return an execution that a command, a task or a workflow has started. Raises ExecutionNotFound."""
        self.stored(id)
        return Execution(self, ExecutionHandle(self._gateway, workflow, id))

    def run_until_complete(
        self, execution: Execution[R] | ExecutionHandle[R], *, within: timedelta = WITHIN
    ) -> R:
        """Let time pass until an execution has ended; return its result, or raise what it raised.

        Raises NeverEnds, saying what it waits for, if nothing is left that could let it go on, or if it goes on
        after `within`.
        """
        self._complete(self._open_stage().runtime.gateway.outcome(execution.id, None), within, execution.id)
        return self.result_of(execution)

    def signal(
        self, execution: Execution[Any] | ExecutionHandle[Any] | str, signal: SignalContract[T], payload: T
    ) -> None:
        """Send a signal to an execution."""
        target = execution if isinstance(execution, str) else execution.id
        self.run(self._gateway.signal(target, signal.name, signal.encode(payload), uuid.uuid4().hex))

    def emit(self, *events: Event) -> None:
        """Publish events, and let those handle them who want them."""
        self.run(emit_all(*events))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something beside the service, letting time pass as needed: `env.run(env.client.place_order("a"))`.

        Raises NeverEnds if it cannot come to its end.
        """
        return self._complete(work, WITHIN)

    def dead_letters(self, subscription: Subscription[Any] | None = None) -> list[DeadLetter]:
        """Return events whose delivery failed for good, the oldest first."""
        management = self._open_stage().runtime.management
        name = subscription.name if subscription else None
        known = DeadLetter.__dataclass_fields__
        letters = self.run(management.dead_letters(name, 1_000))
        return [DeadLetter(**{k: v for k, v in letter.items() if k in known}) for letter in letters]

    def redrive(self, subscription: Subscription[Any]) -> int:
        """Deliver the dead letters of a subscription again; return how many."""
        return self.run(self._open_stage().runtime.management.redrive(subscription.name, None))

    # Mocks and records

    def mock(self, declared: Task[P, R] | Workflow[P, R]) -> Mock[P, R]:
        """Return what stands in for a task or workflow where a workflow runs it: `env.mock(charge).returns("p-1")`.

        Raises LookupError if the service has no such one.
        """
        return cast("Mock[P, R]", self._open_stage().doubles.mock(declared))

    def calls_of(self, declared: Task[..., Any] | Workflow[..., Any]) -> list[RecordedCall]:
        """Return the attempts of a task, or the executions of a workflow, in the order in which they began."""
        calls = self._open_stage().recorder.calls
        return [call for call in calls if (call.kind, call.name) == (declared.kind, declared.name)]

    def events_of(self, *kinds: type[E]) -> list[E]:
        """Return the published events of these classes, in the order of their publication."""
        classes = {kind.event_name: kind for kind in kinds}
        return [
            classes[event.name].model_validate_json(event.payload)
            for event in self._open_stage().recorder.events.values()
            if event.name in classes
        ]

    # Its life

    def reset(self) -> None:
        """Begin anew: no executions, events, mocks or records; the first moment; the lifespan entered again."""
        self._close(check=True)
        self._open()

    def __enter__(self) -> Self:
        if self._stage is not None:
            raise RuntimeError("the environment is entered already; leave it, or use reset()")
        self._open()
        self._token = set_gateway(self._gateway)
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
        self._close(check=error is None)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    # For its parts

    def stored(self, id: str) -> StoredExecution:
        """Return an execution as it is stored; raise ExecutionNotFound."""
        found = self._open_stage().executions.peek(id)
        if found is None:
            raise ExecutionNotFound(id=id)
        return found

    def result_of(self, execution: Execution[R] | ExecutionHandle[R]) -> R:
        """Return an execution's result, as `Execution.result`."""
        handle = execution.handle if isinstance(execution, Execution) else execution
        if self.stored(handle.id).record.outcome is None:
            raise NeverEnds("\n".join(["it has not ended yet:", *waits_of(self._open_stage(), handle.id)]))
        return self.run(handle.result())

    def _open_stage(self) -> Stage:
        if self._stage is None:
            raise RuntimeError(
                "the environment does not run; enter it: 'with TestEnvironment(...) as env', or use the fixture "
                "'service_env'"
            )
        return self._stage

    def _now_s(self) -> float:
        return self._open_stage().loop.time()

    def _pass_to(self, at_s: float) -> None:
        stage = self._open_stage()
        if at_s < stage.loop.time():
            raise ValueError(f"{at_s - stage.loop.time():g} s: time does not run backwards; use reset()")
        stage.loop.advance_to(at_s)
        self._tell()

    def _complete(self, work: Coroutine[Any, Any, T], within: timedelta, execution: str | None = None) -> T:
        try:
            stage = self._open_stage()
        except RuntimeError:
            work.close()
            raise
        until_s = stage.loop.time() + within.total_seconds()
        context = copy_context()
        context.run(set_gateway, self._gateway)
        # An execution talks to nobody; what its tasks do is known.
        complete = stage.visit if execution is None else stage.loop.complete
        try:
            result = complete(work, until_s, context)
        except Idle as idle:
            self._tell()
            raise NeverEnds(self._why(stage, idle, within, execution)) from None
        finally:
            stage.loop.settle()
            self._tell()
        return result

    def _answer(self, work: Coroutine[Any, Any, T]) -> T:
        return self._complete(work, ANSWER_WITHIN)

    def _new_id(self, workflow: str) -> str:
        while True:
            self._started[workflow] += 1
            id = f"{workflow}-{self._started[workflow]}"  # noqa: A001 - it is one
            if self._open_stage().executions.peek(id) is None:
                return id

    def _why(self, stage: Stage, idle: Idle, within: timedelta, execution: str | None) -> str:
        reason = f"it goes on after {within}" if idle.later else "nothing is left that could let it go on"
        waiting = [execution] if execution else stage.executions.unfinished()[:SHOWN]
        return "\n".join([f"{reason}:", *(line for each in waiting for line in waits_of(stage, each))])

    def _tell(self) -> None:
        """Raise what went wrong out of everybody's sight."""
        troubles = self._open_stage().recorder.troubles
        if troubles:
            first, *others = troubles
            troubles.clear()
            for other in others:
                first.add_note(f"and: {type(other).__name__}: {other}")
            raise first

    def _open(self) -> None:
        stage = Stage(self._contract, self._declarations, self._start_s)
        self._started.clear()
        self._stage = stage
        try:
            stage.open()
        except Idle:
            raise NeverEnds("the service's lifespan waits for something that does not come") from None
        finally:
            if not stage.is_open:
                self._stage = None
                stage.close()

    def _close(self, *, check: bool) -> None:
        stage = self._open_stage()
        try:
            if check:
                stage.executions.check_unfinished()
                self._tell()
        finally:
            self._stage = None
            try:
                stage.close()
            except Idle:
                raise NeverEnds("the service's lifespan does not end") from None
