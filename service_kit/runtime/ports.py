"""The ports of the durable runtime. Every implementation runs one contract suite, `tests/stores`.

All methods are safe to call again after a failure or a lost reply: ids are deterministic, duplicates are no-ops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from service_kit.engine.arrivals import Arrival
from service_kit.runtime.records import (
    Blob,
    BlobKey,
    Claim,
    ClaimedDelivery,
    ClaimedTask,
    DeadLetter,
    DueExecution,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRecord,
    Heartbeat,
    Known,
    LetterPage,
    LetterPlace,
    NewExecution,
    Publish,
    StoredArrival,
    StoredExecution,
    TaskKey,
    TurnCommit,
)


class Conflict(Exception):
    """This is not the execution's next turn, or it takes none: it has ended, is paused, or gone. Load it again."""


class ClaimLost(Conflict):
    """The answers of these tasks were found under claims that are not valid any more: without them, try again."""

    def __init__(self, keys: Sequence[TaskKey]) -> None:
        super().__init__(f"claims were lost: {keys}")
        self.keys: frozenset[TaskKey] = frozenset(keys)


class Unstorable(Exception):
    """What is to be stored is too large, or no text: it will not be stored the next time either."""


class Executions(Protocol):
    """Executions with their histories and arrivals."""

    async def create(self, new: NewExecution, first: TurnCommit | None = None) -> ExecutionRecord | None:
        """Store an execution, with its first turn if that is given; None: it is stored.

        If the id is taken, nothing is stored, and the record that has the id is returned.
        """
        ...

    async def load(self, id: str, known: Known | None = None) -> StoredExecution | None:
        """Return an execution with its waiting arrivals, and the turns that the caller does not know yet."""
        ...

    async def commit(self, turn: TurnCommit) -> None:
        """Commit a turn and its effects; raise Conflict if it is not this turn's turn, or the execution is paused.

        Raises ClaimLost if the claim of a finished task is not valid any more: its answer does not count.
        Atomic: history, used arrivals, finished tasks, record and successor together or not at all. Effects come
        with them or after them, at least once, and never without them. Where the committing turn ends a child,
        telling its parent is one of the effects.
        """
        ...

    async def deliver(
        self, id: str, arrival: StoredArrival, run: int | None = None, *, workflow: str | None = None
    ) -> bool:
        """Keep an arrival for the execution's next turn; False if it does not exist, or (`run`) is another run.

        False, too, if it is of another workflow than the one that is named.

        One with a key that waits already is a no-op, and so is a signal that was used within the last day. One that
        was given a run is gone when that run is over.
        """
        ...

    async def read(self, id: str) -> ExecutionRecord | None: ...

    async def state(self, id: str, name: str) -> str | None:
        """Return the latest value of a published state."""
        ...

    async def pause(self, id: str, reason: str | None) -> bool:
        """Stop turns of an execution for a reason, or allow them (None); False if there is none, or it has ended.

        Arrivals are kept meanwhile.
        """
        ...


class ExecutionIndex(Protocol):
    """Finding executions."""

    async def list(self, query: ExecutionQuery) -> ExecutionPage: ...

    async def ended(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the outcomes of those of these executions that have ended."""
        ...

    async def due(self, now_s: float, limit: int) -> Sequence[DueExecution]:
        """Return running, unpaused executions that have arrivals or whose `wake_at_s` has passed.

        The oldest first. The truth that reconciliation works from, whatever wake-ups were lost.
        """
        ...

    async def next_wake_s(self) -> float | None:
        """Return the earliest `wake_at_s` of running, unpaused executions."""
        ...


class Tasks(Protocol):
    """Scheduled tasks and the claims on them."""

    async def claim(
        self, names: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedTask]:
        """Claim tasks of these names that are available: not claimed, or by a claim that has run out.

        Each gets the epoch after its last one, whatever `claim.epoch` says. One that is cancelled is dropped.
        """
        ...

    async def heartbeat(self, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        """Extend claims and keep details, all in one write; return for each whether the task is cancelled.

        None: the claim is not valid any more (replaced, or the task is finished). One without a claim extends
        nothing while a worker still has the task.
        """
        ...

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        """Make the next attempt available at a time; False if the claim is not valid any more.

        A cancelled task is finished instead.
        """
        ...

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        """Finish a task and let its answer arrive, both or none; False if the claim is not valid any more.

        No claim: somebody else completes it (a token); valid while the task is unfinished.
        No arrival: nobody waits for the answer.
        """
        ...

    async def detach(
        self, key: TaskKey, claim: Claim, until_s: float | None, details: str | None = None
    ) -> bool:
        """Give up the claim without finishing: the task will be completed from outside, before `until_s` if given.

        Past `until_s` it becomes available again, as if an attempt had been lost. A cancelled task is finished.
        """
        ...

    async def next_available_s(self, names: Sequence[str]) -> float | None:
        """Return when the next task of these names becomes available, claims that run out included."""
        ...


class Deliveries(Protocol):
    """Deliveries of events to subscriptions."""

    async def publish(self, events: Sequence[Publish]) -> None:
        """Store one delivery for each event and subscription, all or none; one that is known stays as it is."""
        ...

    async def claim(
        self, subscriptions: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedDelivery]:
        """Claim available deliveries, as `Tasks.claim`."""
        ...

    async def done(self, event_id: str, subscription: str, claim: Claim) -> bool:
        """Finish a delivery; a later one of the same event is a no-op for a day at least."""
        ...

    async def retry(self, event_id: str, subscription: str, claim: Claim, at_s: float) -> bool: ...

    async def bury(self, event_id: str, subscription: str, claim: Claim, failure: str, at_s: float) -> bool:
        """Make it a dead letter."""
        ...


class DeadLetters(Protocol):
    """Deliveries that failed for good."""

    async def list(self, subscription: str | None, limit: int, after: LetterPlace | None) -> LetterPage:
        """Return one page, the oldest first: of those behind a place, which may be gone itself."""
        ...

    async def read(self, subscription: str, event_id: str) -> DeadLetter | None: ...

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        """Make dead letters available again, with fresh attempts; return how many (None: all of the subscription)."""
        ...

    async def discard(self, subscription: str, event_ids: Sequence[str], now_s: float) -> Mapping[str, bool]:
        """Finish deliveries that are dead letters; return for each that is known whether it was one.

        As after `Deliveries.done`, a later delivery of the same event is a no-op for a day at least.
        """
        ...


class DeliverySchedule(Protocol):
    """When subscription workers have to look again."""

    async def next_delivery_s(self, subscriptions: Sequence[str]) -> float | None:
        """Return when the next delivery becomes available, claims that run out included."""
        ...


class Retention(Protocol):
    """What keeps the store from growing for ever."""

    async def forget(self, ended_before_s: float | None, used_before_s: float, limit: int) -> int:
        """Forget what nobody needs any more, at most `limit` of each; return how many.

        Executions that ended before a time (None: they are kept); finished deliveries and used signals, which only
        keep duplicates away, of before another.
        """
        ...


class Blobs(Protocol):
    """Large payloads, kept beside what refers to them.

    `Retention.forget` removes those that nothing needs any more, if they were stored before `used_before_s`: their
    owner is neither an execution nor an event with deliveries, or it is at a later run that has no tasks of theirs.
    """

    async def put(self, blobs: Sequence[Blob]) -> None:
        """Store them, all or none; one that is there already counts as stored anew."""
        ...

    async def get(self, keys: Sequence[BlobKey]) -> Mapping[BlobKey, str]:
        """Return those of them that there are."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one store."""

    executions: Executions
    index: ExecutionIndex
    tasks: Tasks
    deliveries: Deliveries
    letters: DeadLetters
    schedule: DeliverySchedule
    retention: Retention
    blobs: Blobs | None = None
    """None: large payloads stay in their places, as far as the store can hold them."""
