"""Work as it is claimed and done: tasks, deliveries of events, and the right to run them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.engine.options import TaskOptions


@dataclass(frozen=True, slots=True)
class TaskKey:
    """One task call of one run of an execution."""

    execution: str
    run: int
    seq: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one owner to work on something until a time; `epoch` grows with every claim of the same thing.

    Whoever acts under a claim gives it along; the store refuses one that another has replaced (fencing).
    """

    owner: str
    until_s: float
    epoch: int = 1


@dataclass(frozen=True, slots=True)
class FinishedTask:
    """A task with the claim under which its answer was found: valid, or the answer does not count."""

    key: TaskKey
    claim: Claim


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life of a task, which extends its claim."""

    key: TaskKey
    claim: Claim | None
    """None: of a task that was detached, to be completed from outside."""
    until_s: float
    details: str | None = None
    """None: those of the heartbeat before stay."""


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """A task attempt that its claimer may run."""

    key: TaskKey
    name: str
    input: str
    options: TaskOptions | None
    scheduled_at_s: float
    attempt: int
    """From 1. An attempt whose claim ran out has failed and is counted."""
    claim: Claim
    details: str | None = None
    """Of the last heartbeat of the attempts before."""
    lost: bool = False
    """Whether the attempt before this one vanished: its claim ran out without a word."""


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event with its envelope."""

    id: str
    name: str
    source: str
    time_s: float
    payload: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery of an event to a subscription that its claimer may run."""

    event: PublishedEvent
    subscription: str
    attempt: int
    claim: Claim
    lost: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that failed for good."""

    event: PublishedEvent
    subscription: str
    attempts: int
    failure: str
    """JSON of the engine's Failure, traceback included."""
    died_at_s: float


@dataclass(frozen=True, slots=True, order=True)
class LetterPlace:
    """Where a dead letter stands in a list: by time, then by name."""

    died_at_s: float
    subscription: str
    event_id: str


@dataclass(frozen=True, slots=True)
class LetterPage:
    """One page of a list, without what cannot be read; `after` leads to the next one, None: there is none."""

    letters: Sequence[DeadLetter]
    after: LetterPlace | None


def place_of(letter: DeadLetter) -> LetterPlace:
    """Return where a letter stands."""
    return LetterPlace(letter.died_at_s, letter.subscription, letter.event.id)
