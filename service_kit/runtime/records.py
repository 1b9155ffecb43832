"""What stores keep: frozen records, payloads as JSON text, times in seconds since the epoch.

Every port speaks this vocabulary; that of workers is in `work`, and to be had from here, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from client_kit.executions import ExecutionStatus
from service_kit.engine.arrivals import Arrival, ExecutionStarted
from service_kit.engine.options import ParentClose, TaskOptions
from service_kit.runtime.work import Claim as Claim
from service_kit.runtime.work import ClaimedDelivery as ClaimedDelivery
from service_kit.runtime.work import ClaimedTask as ClaimedTask
from service_kit.runtime.work import DeadLetter as DeadLetter
from service_kit.runtime.work import FinishedTask as FinishedTask
from service_kit.runtime.work import Heartbeat as Heartbeat
from service_kit.runtime.work import LetterPage as LetterPage
from service_kit.runtime.work import LetterPlace as LetterPlace
from service_kit.runtime.work import PublishedEvent as PublishedEvent
from service_kit.runtime.work import TaskKey as TaskKey
from service_kit.runtime.work import place_of as place_of


@dataclass(frozen=True, slots=True)
class ParentLink:
    """Where the result of a child goes."""

    execution: str
    run: int
    seq: int
    """The number of the parent's call that started the child."""
    on_close: ParentClose


def _no_attributes() -> dict[str, str]:
    return {}


def _no_changes() -> dict[str, str | None]:
    return {}


def changed_attributes(attributes: Mapping[str, str], changes: Mapping[str, str | None]) -> Mapping[str, str]:
    """Return search attributes as they are after these changes."""
    if not changes:
        return attributes
    return {name: value for name, value in {**attributes, **changes}.items() if value is not None}


@dataclass(frozen=True, slots=True)
class NewExecution:
    """An execution to be stored, with its first arrival."""

    started: ExecutionStarted
    input_digest: str
    """What decides whether a second start with this id means the same."""
    created_at_s: float
    begin_at_s: float
    """Its first turn is due then: later than `created_at_s` if its start is delayed."""
    parent: ParentLink | None = None
    attributes: Mapping[str, str] = field(default_factory=_no_attributes)


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """An execution, without its history."""

    id: str
    workflow: str
    status: ExecutionStatus
    input_digest: str
    created_at_s: float
    ended_at_s: float | None
    run: int
    """How many times it has continued as new."""
    turn: int
    """How many turns of this run are committed: the number of the next one."""
    wake_at_s: float | None
    """When it is due even if nothing arrives."""
    parent: ParentLink | None
    paused: str | None
    """Why it takes no turns; None: it does."""
    attributes: Mapping[str, str]
    outcome: str | None
    """The JSON of its ending; None while it runs."""


def record_of(new: NewExecution) -> ExecutionRecord:
    """Return the record of an execution that has just been stored."""
    return ExecutionRecord(
        id=new.started.id,
        workflow=new.started.workflow,
        status="running",
        input_digest=new.input_digest,
        created_at_s=new.created_at_s,
        ended_at_s=None,
        run=0,
        turn=0,
        wake_at_s=new.begin_at_s,
        parent=new.parent,
        paused=None,
        attributes=dict(new.attributes),
        outcome=None,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """How far an execution has come: `turn` turns of `run`."""

    run: int
    turn: int


@dataclass(frozen=True, slots=True)
class DueExecution:
    """An execution that may take a turn, and how far it has come."""

    id: str
    known: Known


@dataclass(frozen=True, slots=True)
class StoredArrival:
    """Something that has reached an execution and is not in its history yet."""

    key: str
    """Equal for two deliveries of the same: the second is a no-op."""
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class StoredExecution:
    """Everything that a cold start needs."""

    record: ExecutionRecord
    history: Sequence[str]
    """The JSON of each committed turn of this run, in order; after `known`, if that was of the same run."""
    arrivals: Sequence[StoredArrival]
    """In the order in which they came."""


# Effects of a turn


@dataclass(frozen=True, slots=True)
class ScheduleTask:
    """Make a task available to workers."""

    key: TaskKey
    name: str
    input: str
    options: TaskOptions | None
    scheduled_at_s: float
    claim: Claim | None = None
    """Who runs its first attempt: the committing process itself, which then needs no other commit for it."""


@dataclass(frozen=True, slots=True)
class CancelTask:
    """Tell a task that nobody waits for it: at once if it is not running, at its heartbeat if it is."""

    key: TaskKey


@dataclass(frozen=True, slots=True)
class CreateExecution:
    """Start a child."""

    new: NewExecution
    if_taken: StoredArrival
    """What its parent is told if its id is another execution's: one that this call did not create."""
    may_be_taken: bool = True
    """Whether the id was chosen, and not derived from the call."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Let an arrival reach an execution; one that has ended, or does not exist, ignores it."""

    execution: str
    arrival: StoredArrival
    run: int | None = None
    """For an answer to a call: the run that asked. A later run ignores it."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish an event: one delivery for each subscription that wants it."""

    event: PublishedEvent
    subscriptions: tuple[str, ...]


Effect: TypeAlias = ScheduleTask | CancelTask | CreateExecution | Deliver | Publish


@dataclass(frozen=True, slots=True)
class TurnCommit:
    """One turn, to be committed atomically with its effects."""

    execution: str
    run: int
    turn: int
    """The turn's number: the commit succeeds only if the execution has had exactly so many."""
    events: str
    """JSON of the turn's history events."""
    used: Sequence[str]
    """Keys of the stored arrivals that the turn has used up. Signals among them are remembered for a day at least."""
    finished: Sequence[FinishedTask]
    """Tasks whose answers are among the events: they need no worker any more."""
    effects: Sequence[Effect]
    states: Mapping[str, str]
    """Published states, by name."""
    wake_at_s: float | None
    at_s: float
    status: ExecutionStatus = "running"
    outcome: str | None = None
    """JSON of the ending, with a status other than running."""
    successor: ExecutionStarted | None = None
    """For a run that continues as new: the first arrival of the next one, which begins with turn 0."""
    attributes: Mapping[str, str | None] = field(default_factory=_no_changes)
    """Search attributes that it sets, by name; None: takes away."""


@dataclass(frozen=True, slots=True)
class ExecutionQuery:
    """Which executions to list, newest first."""

    workflow: str | None = None
    status: ExecutionStatus | None = None
    attributes: Mapping[str, str] = field(default_factory=_no_attributes)
    limit: int = 100
    after: str | None = None
    """The cursor of the page before."""


@dataclass(frozen=True, slots=True)
class ExecutionPage:
    """One page of a list; `after` leads to the next one, None: there is none."""

    executions: Sequence[ExecutionRecord]
    after: str | None


# What lies beside


@dataclass(frozen=True, slots=True)
class BlobKey:
    """Where a large payload is kept."""

    owner: str
    """The execution, or the event, that it goes with."""
    run: int | None
    """The run that alone needs it; None: all of them."""
    digest: str


@dataclass(frozen=True, slots=True)
class Blob:
    """A large payload."""

    key: BlobKey
    text: str
    stored_at_s: float
