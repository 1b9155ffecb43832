"""Calls: what workflow code asks for. A call is the fact that records it, so the history is the outbox.

Every call has a `seq` (its number in the execution), its kind (the class), a `name` and an `args_hash`, and some say
which execution they are about: replay compares all of them. What else a call holds (timeouts, retries, what becomes of
a child) is for those who carry it out. There the recorded call counts, and changed code only for calls to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .options import ParentClose, TaskOptions
from .payload import Payload

__all__ = [
    "AttributeSet",
    "Call",
    "CancelSent",
    "ChildStarted",
    "Emitted",
    "EventsEmitted",
    "PatchMarked",
    "SignalSent",
    "StateSet",
    "TaskCancelRequested",
    "TaskScheduled",
    "TerminateSent",
    "TimerCancelled",
    "TimerStarted",
]


@dataclass(frozen=True, slots=True)
class TaskScheduled:
    """Run a task; `TaskSucceeded` or `TaskRaised` with this `seq` answers."""

    seq: int
    name: str
    args_hash: str
    input: Payload
    options: TaskOptions | None = None


@dataclass(frozen=True, slots=True)
class TaskCancelRequested:
    """Tell a task that nobody waits for it any more: its heartbeat hears of it. Its result will be ignored."""

    seq: int
    task: int
    name: str

    @property
    def args_hash(self) -> str:
        return str(self.task)


@dataclass(frozen=True, slots=True)
class TimerStarted:
    """Wake the execution at `due_s`, in seconds since the epoch."""

    seq: int
    due_s: float

    name = ""

    @property
    def args_hash(self) -> str:
        return repr(self.due_s)


@dataclass(frozen=True, slots=True)
class TimerCancelled:
    """Forget a timer. Firing it nevertheless does no harm."""

    seq: int
    timer: int

    name = ""

    @property
    def args_hash(self) -> str:
        return str(self.timer)


@dataclass(frozen=True, slots=True)
class ChildStarted:
    """Start the execution `id` of workflow `name`; `ChildSucceeded` or `ChildRaised` with this `seq` answers."""

    seq: int
    name: str
    args_hash: str
    input: Payload
    id: str
    parent_close: ParentClose = "cancel"
    timeout_s: float | None = None
    start_delay_s: float | None = None
    attributes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CancelSent:
    """Ask another execution (a child, mostly) to cancel itself."""

    seq: int
    target: str
    reason: str

    @property
    def name(self) -> str:
        return self.target

    args_hash = ""


@dataclass(frozen=True, slots=True)
class TerminateSent:
    """End another execution at once, without its cleanup."""

    seq: int
    target: str
    reason: str

    @property
    def name(self) -> str:
        return self.target

    args_hash = ""


@dataclass(frozen=True, slots=True)
class SignalSent:
    """Deliver a signal to another execution, which deduplicates by `id`."""

    seq: int
    name: str
    args_hash: str
    payload: Payload
    target: str
    id: str


@dataclass(frozen=True, slots=True)
class Emitted:
    """One event of an `EventsEmitted`; subscriptions deduplicate by `id`."""

    id: str
    name: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class EventsEmitted:
    """Publish events, in order."""

    seq: int
    name: str
    """The names of the events, separated by commas."""
    args_hash: str
    events: tuple[Emitted, ...]


@dataclass(frozen=True, slots=True)
class StateSet:
    """Publish a state of the execution: the latest payload per name is what readers see."""

    seq: int
    name: str
    args_hash: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class AttributeSet:
    """Let the execution be found by an attribute: lists are filtered by them."""

    seq: int
    name: str
    args_hash: str
    value: str | None = None
    """None: it is not found by this attribute any more."""


@dataclass(frozen=True, slots=True)
class PatchMarked:
    """Remember that this execution takes the new path of `patched(id)`.

    It has no number of its own: a marker whose `patched` has been deleted from the code is skipped, and the
    numbers of the calls around it stay what they were.
    """

    id: str

    seq = 0

    @property
    def name(self) -> str:
        return self.id

    args_hash = ""


Call: TypeAlias = (
    TaskScheduled
    | TaskCancelRequested
    | TimerStarted
    | TimerCancelled
    | ChildStarted
    | CancelSent
    | TerminateSent
    | SignalSent
    | EventsEmitted
    | StateSet
    | AttributeSet
    | PatchMarked
)
