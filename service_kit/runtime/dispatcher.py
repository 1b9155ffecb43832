"""From the calls of a turn to effects in the world: pure, so that dispatching a turn again gives the same effects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from client_kit.executions import ExecutionStatus
from service_kit.contract.filters import matches
from service_kit.contract.gather import Declarations
from service_kit.contract.outcomes import encode_outcome
from service_kit.engine.arrivals import (
    Arrival,
    CancelRequested,
    ChildRaised,
    ChildSucceeded,
    ExecutionStarted,
    SignalReceived,
    TaskRaised,
    TerminateRequested,
    arrival_id,
)
from service_kit.engine.calls import (
    AttributeSet,
    Call,
    CancelSent,
    ChildStarted,
    EventsEmitted,
    PatchMarked,
    SignalSent,
    StateSet,
    TaskCancelRequested,
    TaskScheduled,
    TerminateSent,
    TimerCancelled,
    TimerStarted,
)
from service_kit.engine.failure import Failure
from service_kit.engine.history import (
    ContinuedAsNew,
    Ending,
    ExecutionCancelled,
    ExecutionRaised,
    ExecutionSucceeded,
    ExecutionTerminated,
    ExecutionTimedOut,
)
from service_kit.engine.payload import call_id, digest
from service_kit.engine.turn import Outcome, Turn
from service_kit.errors import ExecutionExists
from service_kit.runtime.records import (
    CancelTask,
    Claim,
    CreateExecution,
    Deliver,
    Effect,
    NewExecution,
    ParentLink,
    Publish,
    PublishedEvent,
    ScheduleTask,
    StoredArrival,
    TaskKey,
)

TAKEN = f"{ExecutionExists.__module__}:{ExecutionExists.__qualname__}"


class Placement(Protocol):
    """Decides which tasks the committing process runs itself."""

    def claim_for(self, name: str) -> Claim | None:
        """Return the claim under which it runs a task; None leaves it to any worker."""
        ...

    def withdraw(self, effects: Sequence[Effect]) -> None:
        """Take back the claims among effects that were not committed."""
        ...


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Knows the service: which tasks and workflows there are, and who wants which event."""

    declarations: Declarations
    placement: Placement

    def effects(
        self, turn: Turn, started: ExecutionStarted, parent: ParentLink | None, now_s: float
    ) -> list[Effect]:
        """Return what a turn of the execution `started` wants done, in the order of its calls."""
        effects: list[Effect] = []
        try:
            for call in turn.calls:
                effects += self._of_call(call, started, now_s)
        except BaseException:
            self.placement.withdraw(effects)
            raise
        if (
            parent is not None
            and (answer := answer_to_parent(turn.outcome, started.workflow, parent)) is not None
        ):
            effects.append(Deliver(parent.execution, stored(answer), parent.run))
        return effects

    def withdraw(self, effects: Sequence[Effect]) -> None:
        """Forget effects that were not committed."""
        self.placement.withdraw(effects)

    def publish(self, id: str, name: str, payload: str, now_s: float) -> Publish:
        """Return the publication of an event to every subscription that wants it."""
        content = json.loads(payload)
        wanting = tuple(
            s.name
            for s in self.declarations.subscriptions.values()
            if name in s.events and matches(s.definition.get("match", {}), content)
        )
        return Publish(PublishedEvent(id, name, self.declarations.service, now_s, payload), wanting)

    def _of_call(self, call: Call, started: ExecutionStarted, now_s: float) -> Sequence[Effect]:
        match call:
            case TaskScheduled():
                return [self._task(call, started, now_s)]
            case TaskCancelRequested(task=seq):
                return [CancelTask(TaskKey(started.id, started.run, seq))]
            case ChildStarted():
                return [self._child(call, started, now_s)]
            case CancelSent(target=target, reason=reason):
                return [Deliver(target, stored(CancelRequested(reason)))]
            case TerminateSent(target=target, reason=reason):
                return [Deliver(target, stored(TerminateRequested(reason)))]
            case SignalSent(target=target, id=id, name=name, payload=payload):
                return [Deliver(target, stored(SignalReceived(id, name, payload)))]
            case EventsEmitted(events=events):
                return [self.publish(e.id, e.name, e.payload, now_s) for e in events]
            case TimerStarted() | TimerCancelled() | StateSet() | AttributeSet() | PatchMarked():
                return ()  # kept by the commit itself: when to wake, what is shown, what it is found by
        assert_never(call)

    def _task(self, call: TaskScheduled, started: ExecutionStarted, now_s: float) -> Effect:
        try:
            self.declarations.task(call.name)
        except LookupError as error:
            return _answer(started, TaskRaised(call.seq, Failure("builtins:LookupError", str(error))))
        key = TaskKey(started.id, started.run, call.seq)
        return ScheduleTask(
            key, call.name, call.input, call.options, now_s, self.placement.claim_for(call.name)
        )

    def _child(self, call: ChildStarted, started: ExecutionStarted, now_s: float) -> Effect:
        try:
            self.declarations.workflow(call.name)
        except LookupError as error:
            return _answer(started, ChildRaised(call.seq, Failure("builtins:LookupError", str(error))))
        taken = f"the id '{call.id}' of child '{call.name}' is another execution's; give the child an id of its own"
        return CreateExecution(
            NewExecution(
                started=ExecutionStarted(
                    id=call.id,
                    workflow=call.name,
                    input=call.input,
                    # Derived, so that dispatching again creates the same child.
                    seed=digest(f"{started.seed}:{started.run}:{call.seq}"),
                    timeout_s=call.timeout_s,
                    parent=started.id,
                    attributes=call.attributes,
                ),
                input_digest=input_digest(call.name, call.input),
                created_at_s=now_s,
                begin_at_s=now_s + (call.start_delay_s or 0),
                parent=ParentLink(started.id, started.run, call.seq, call.parent_close),
                attributes=call.attributes or {},
            ),
            stored(ChildRaised(call.seq, Failure(TAKEN, taken, fields=json.dumps({"id": call.id})))),
            call.id != call_id(started.id, started.run, call.seq),
        )


def stored(arrival: Arrival) -> StoredArrival:
    """Return an arrival with the key that makes a second delivery of it a no-op."""
    return StoredArrival(arrival_id(arrival), arrival)


SIGNAL_PREFIX: str = stored(SignalReceived("", "", "")).key
"""What the keys of signals begin with."""

ENDS: frozenset[str] = frozenset(stored(each).key for each in (CancelRequested(), TerminateRequested()))
"""The keys of what ends an execution even before it begins."""


def input_digest(workflow: str, payload: str) -> str:
    """Return what two starts of one id must have in common."""
    return digest(f"{workflow}\n{payload}")


def status_of(ending: Ending) -> ExecutionStatus:
    """Return the status that an ending leads to; a run that continues as new leaves its execution running."""
    match ending:
        case ExecutionSucceeded():
            return "succeeded"
        case ExecutionRaised():
            return "failed"
        case ExecutionCancelled():
            return "cancelled"
        case ExecutionTimedOut():
            return "timed_out"
        case ExecutionTerminated():
            return "terminated"
        case ContinuedAsNew():
            return "running"
    assert_never(ending)


def outcome_of(ending: Ending) -> str | None:
    """Return the JSON of an ending that ends the execution."""
    return None if isinstance(ending, ContinuedAsNew) else encode_outcome(ending)


def answer_to_parent(outcome: Outcome, workflow: str, parent: ParentLink) -> Arrival | None:
    """Return what the parent is told of its child, of this workflow, after a turn: nothing, if it has not ended."""
    match outcome:
        case ExecutionSucceeded(value=value):
            return ChildSucceeded(parent.seq, value)
        case ExecutionRaised(failure=failure):
            return ChildRaised(parent.seq, failure)
        case ExecutionCancelled(reason=reason):
            return ChildRaised(parent.seq, Failure("", reason or "it was cancelled", "cancelled"))
        case ExecutionTerminated(reason=reason):
            return ChildRaised(parent.seq, Failure("", reason or "it was terminated", "terminated"))
        case ExecutionTimedOut(timeout_s=timeout_s):
            message = f"workflow '{workflow}' did not end within {timeout_s:g} s"
            return ChildRaised(parent.seq, Failure("", message, "timeout"))
        case _:
            return None


def _answer(started: ExecutionStarted, arrival: Arrival) -> Deliver:
    return Deliver(started.id, stored(arrival), started.run)
