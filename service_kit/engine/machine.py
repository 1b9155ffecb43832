"""One execution in motion: its loop, its calls, its context, and what each arrival does to them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, assert_never

from ..errors import NonDeterminismError
from .arrivals import (
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
)
from .calls import CancelSent, ChildStarted, TaskCancelRequested, TaskScheduled, TerminateSent
from .context import WorkflowContext
from .failure import PLAIN, Failure, FailureCodec, child_error, describe_error, task_error
from .history import (
    ContinuedAsNew,
    Ending,
    ExecutionCancelled,
    ExecutionRaised,
    ExecutionSucceeded,
    ExecutionTerminated,
    ExecutionTimedOut,
)
from .ledger import CURE, Ledger, describe
from .loop import WorkflowLoop
from .payload import Payload, digest

__all__ = ["Machine", "WorkflowCode"]


@dataclass(frozen=True, slots=True)
class WorkflowCode:
    """A workflow as the engine runs it: payload in, payload out."""

    name: str
    start: Callable[[Payload], Coroutine[Any, Any, Payload]]
    """Decodes the input, runs the user's function, encodes its result."""
    failures: FailureCodec = PLAIN
    line: str = ""
    """Where the function is defined, as `file:line in function`, for messages."""


class Machine:
    """The state of one execution. It never refers to its `Instance`, so that dropping that one ends it."""

    __slots__ = (
        "_cancelled",
        "_code",
        "_context",
        "_forced",
        "_main",
        "deadline_s",
        "ending",
        "ledger",
        "loop",
    )

    def __init__(self, code: WorkflowCode) -> None:
        self.ledger: Ledger = Ledger()
        self.loop: WorkflowLoop = WorkflowLoop(self.ledger)
        self.ending: Ending | None = None
        self.deadline_s: float | None = None
        self._code = code
        self._context: WorkflowContext | None = None
        self._main: asyncio.Task[Payload] | None = None
        self._cancelled: CancelRequested | None = None
        self._forced: Ending | None = None

    @property
    def has_started(self) -> bool:
        """Whether `ExecutionStarted` has been accepted."""
        return self._context is not None

    @property
    def open_calls(self) -> tuple[TaskScheduled | ChildStarted, ...]:
        """The tasks and children whose answers are awaited, in the order of their calls."""
        return () if self._context is None else tuple(opened.call for opened in self._context.open.values())

    def awaits(self, seq: int) -> bool:
        """Return whether the answer of the task or child that this call began is awaited."""
        return self._context is not None and seq in self._context.open

    def expects(self, arrival: Arrival) -> bool:
        """Return whether the execution waits for this; what it does not wait for is late, double, or not its own."""
        context = self._context
        if context is None or self.ending is not None:
            return isinstance(arrival, ExecutionStarted) and context is None
        match arrival:
            case TaskSucceeded(task=seq) | TaskRaised(task=seq):
                return (opened := context.open.get(seq)) is not None and isinstance(
                    opened.call, TaskScheduled
                )
            case ChildSucceeded(child=seq) | ChildRaised(child=seq):
                return (opened := context.open.get(seq)) is not None and isinstance(opened.call, ChildStarted)
            case TimerFired(timer=seq):
                return seq in self.loop.timers
            case SignalReceived():
                return context.mailbox.expects(arrival)
            case CancelRequested():
                return self._cancelled is None
            case DeadlinePassed():
                return self.deadline_s is not None and self.deadline_s <= self.loop.time()
            case TerminateRequested():
                return True
            case ExecutionStarted():
                return False
        assert_never(arrival)

    def accept(self, arrival: Arrival) -> None:
        """Apply an arrival, run until everything waits, and settle whether that was the end."""
        self._apply(arrival)
        self.loop.run()
        if self.ledger.error is None:
            ending = self._find_ending()
            if ending is not None:
                self._end(ending)
            elif (missing := self.ledger.missing()) is not None:
                self.ledger.reject(self._missing(describe(missing)))
        if self.ledger.error is not None:
            raise self.ledger.error

    def leaves(self, arrival: Arrival) -> bool:
        """Return whether this, which comes after the run's end, has to be delivered to the run that follows it.

        A signal has not: it is kept with the others that this run has not used, and goes on with the ending.
        """
        ending, context = self.ending, self._context
        if not isinstance(ending, ContinuedAsNew) or context is None:
            return False
        fresh = self.ledger.fresh
        if isinstance(arrival, SignalReceived) and ending in fresh:
            if context.mailbox.expects(arrival):
                context.mailbox.keep(arrival)
                self.ending = replace(ending, signals=context.mailbox.unused())
                fresh[fresh.index(ending)] = self.ending
            return False
        return isinstance(arrival, SignalReceived | CancelRequested | TerminateRequested)

    def _apply(self, arrival: Arrival) -> None:
        context = self._context
        if context is None:
            assert isinstance(arrival, ExecutionStarted), f"{arrival} came before the execution was started"
            self._start(arrival)
            return
        match arrival:
            case TaskSucceeded(task=seq, value=value) | ChildSucceeded(child=seq, value=value):
                context.open.pop(seq).future.set_result(value)
            case TaskRaised(task=seq, failure=failure) | ChildRaised(child=seq, failure=failure):
                self._raise(context, seq, failure)
            case TimerFired(timer=seq):
                self.loop.fire(seq)
            case SignalReceived():
                context.mailbox.deliver(arrival)
            case CancelRequested(reason=reason):
                self._cancelled = arrival
                assert self._main is not None, "a started execution has a main task"
                self._main.cancel(reason or None)
            case TerminateRequested(reason=reason):
                self._force(ExecutionTerminated(reason))
            case DeadlinePassed():
                self._force(ExecutionTimedOut(context.started.timeout_s or 0.0))
            case ExecutionStarted():
                raise AssertionError(f"execution '{context.id}' was started twice")
            case _:
                assert_never(arrival)

    def _start(self, started: ExecutionStarted) -> None:
        loop = self.loop
        loop.seed_order(int(digest(f"{started.id}:{started.run}"), 16))
        self._context = context = WorkflowContext(loop, self.ledger, started, loop.time())
        loop.workflow = context
        self.deadline_s = started.deadline_s
        if self.deadline_s is None and started.timeout_s is not None:
            self.deadline_s = loop.time() + started.timeout_s
        if self.deadline_s is not None and self.deadline_s <= loop.time():
            # Its code is not run: one that waits for nothing would continue as new for ever.
            self._force(ExecutionTimedOut(started.timeout_s or 0.0))
            return
        for signal in started.signals:
            context.mailbox.deliver(signal)
        # An empty context: what the host happens to have in its own must not reach the workflow.
        self._main = loop.create_task(
            self._run(started.input), name=started.workflow, context=contextvars.Context()
        )

    async def _run(self, input: Payload) -> Payload:
        return await self._code.start(input)

    def _raise(self, context: WorkflowContext, seq: int, failure: Failure) -> None:
        opened, codec = context.open.pop(seq), self._code.failures
        rebuild = task_error if isinstance(opened.call, TaskScheduled) else child_error
        opened.future.set_exception(rebuild(opened.call.name, failure, codec))
        # The failure stands in the history; asyncio's warning that nobody looked at it would be noise.
        opened.future._log_traceback = False

    def _force(self, ending: Ending) -> None:
        self._forced = ending
        self.ledger.stopped = True

    def _find_ending(self) -> Ending | None:
        context, main = self._context, self._main
        if self._forced is not None:
            return self._forced
        assert context is not None, "nothing ends before it is started"
        assert main is not None, "nothing ends before it is started"
        if self.loop.failure is not None:
            return ExecutionRaised(describe_error(self.loop.failure, self._code.failures))
        if context.successor is not None:
            unused = context.mailbox.unused()
            attributes = dict(context.attributes) or None
            return ContinuedAsNew(context.successor, digest(context.successor), unused, attributes)
        if not main.done():
            return None
        if main.cancelled():
            return ExecutionCancelled(self._cancelled.reason if self._cancelled else "")
        if (error := main.exception()) is not None:
            return ExecutionRaised(describe_error(error, self._code.failures))
        return ExecutionSucceeded(main.result(), digest(main.result()))

    def _end(self, ending: Ending) -> None:
        """Tell those who still work for the execution, then close the book."""
        context, ledger = self._context, self.ledger
        assert context is not None, "nothing ends before it is started"
        # A workflow that succeeds may leave work behind it, as a program may; one that is stopped may not.
        leaves_tasks = isinstance(ending, ExecutionSucceeded | ContinuedAsNew)
        for seq, opened in context.open.items():
            call = opened.call
            if isinstance(call, TaskScheduled):
                if not leaves_tasks:
                    ledger.write(TaskCancelRequested(ledger.next_seq(), seq, call.name))
            elif call.parent_close == "cancel":
                ledger.write(CancelSent(ledger.next_seq(), call.id, "the parent has ended"))
            elif call.parent_close == "terminate":
                ledger.write(TerminateSent(ledger.next_seq(), call.id, "the parent has ended"))
        self.ending = ledger.end(ending, self._code.line)

    def _missing(self, recorded: str) -> NonDeterminismError:
        return NonDeterminismError(
            f"the workflow did not make a call that its history holds; {CURE}",
            where=self.loop.waiting_lines(),
            recorded=recorded,
            made="nothing: it waits",
        )
