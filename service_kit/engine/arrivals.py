"""Arrivals: what reaches an execution from outside. Accepted in a turn, an arrival becomes history as it is.

Delivering one twice, late or after the end is harmless: the engine drops what it does not wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from .failure import Failure
from .payload import Payload

__all__ = [
    "Arrival",
    "CancelRequested",
    "ChildRaised",
    "ChildSucceeded",
    "DeadlinePassed",
    "ExecutionStarted",
    "SignalReceived",
    "TaskRaised",
    "TaskSucceeded",
    "TerminateRequested",
    "TimerFired",
    "arrival_id",
]


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """A signal, deduplicated by `id`."""

    id: str
    name: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class ExecutionStarted:
    """The first arrival of every execution."""

    id: str
    workflow: str
    input: Payload
    seed: str
    """Where `random()` and `uuid4()` of the workflow begin: random, and secret if what they give shall be."""
    timeout_s: float | None = None
    parent: str | None = None
    """The id of the parent's execution; whoever delivers the result knows which of its calls it answers."""
    run: int = 0
    """How many times the execution has continued as new. Calls are numbered anew in each run: whoever delivers
    an answer delivers it to the run that asked."""
    signals: tuple[SignalReceived, ...] = ()
    """Signals that the run before this one received and did not use."""
    attributes: Mapping[str, str] | None = None
    """Search attributes that it begins with; None: none, or of a version that did not tell."""
    deadline_s: float | None = None
    """When `timeout_s` is over, in seconds since the epoch, if it began with an earlier run; None: it begins here."""


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    """The task scheduled by call number `task` returned."""

    task: int
    value: Payload


@dataclass(frozen=True, slots=True)
class TaskRaised:
    """The task scheduled by call number `task` failed for good, timed out, or was cancelled."""

    task: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The timer started by call number `timer` is due.

    Nobody has to send it: a turn fires what is due by its own time. A host that wakes a shade early sends it
    to say so, and the execution's time goes on to the timer's.
    """

    timer: int


@dataclass(frozen=True, slots=True)
class ChildSucceeded:
    """The child started by call number `child` returned."""

    child: int
    value: Payload


@dataclass(frozen=True, slots=True)
class ChildRaised:
    """The child started by call number `child` failed, timed out, was cancelled, or could not start."""

    child: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Cancel as asyncio does: `CancelledError` in the workflow, which may clean up. Only the first one counts."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class TerminateRequested:
    """End the execution at once; none of its code runs any more."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The execution's own timeout has passed. As with timers, a turn notices by itself."""


Arrival: TypeAlias = (
    ExecutionStarted
    | TaskSucceeded
    | TaskRaised
    | TimerFired
    | ChildSucceeded
    | ChildRaised
    | SignalReceived
    | CancelRequested
    | TerminateRequested
    | DeadlinePassed
)


def arrival_id(arrival: Arrival) -> str:
    """Return an id that is equal for two deliveries of the same arrival, within one run of an execution."""
    match arrival:
        case TaskSucceeded(task=seq) | TaskRaised(task=seq):
            return f"task:{seq}"
        case ChildSucceeded(child=seq) | ChildRaised(child=seq):
            return f"child:{seq}"
        case TimerFired(timer=seq):
            return f"timer:{seq}"
        case SignalReceived(id=id):
            return f"signal:{id}"
        case ExecutionStarted():
            return "started"
        case CancelRequested():
            return "cancel"
        case TerminateRequested():
            return "terminate"
        case DeadlinePassed():
            return "deadline"
    assert_never(arrival)
