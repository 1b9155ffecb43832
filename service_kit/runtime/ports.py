"""The ports of the durable runtime. Every implementation runs one contract suite, `tests/stores`.

All methods are safe to call again after a failure or a lost reply: ids are deterministic, duplicates are no-ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from service_kit.engine.arrivals import Arrival
from service_kit.runtime.records import (
    Claim,
    ClaimedDelivery,
    ClaimedTask,
    DeadLetter,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRecord,
    Known,
    NewExecution,
    Publish,
    StoredArrival,
    StoredExecution,
    TaskKey,
    TurnCommit,
)


class Conflict(Exception):
    """A turn of this number is committed already, the run is over, or the execution is gone: load it again."""


class Executions(Protocol):
    """Executions with their histories and arrivals."""

    async def create(self, new: NewExecution) -> ExecutionRecord:
        """Store an execution unless its id is taken; return what is stored under the id, new or old."""
        ...

    async def load(self, id: str, known: Known | None = None) -> StoredExecution | None:
        """Return an execution with its waiting arrivals, and the turns that the caller does not know yet."""
        ...

    async def commit(self, turn: TurnCommit) -> None:
        """Commit a turn and its effects; raise Conflict if it is not this turn's turn.

        Atomic: history, used arrivals, finished tasks, record and successor together or not at all. Effects come
        with them or after them, at least once, and never without them. Where the committing turn ends a child,
        telling its parent is one of the effects.
        """
        ...

    async def deliver(self, id: str, arrival: StoredArrival, run: int | None = None) -> bool:
        """Keep an arrival for the execution's next turn; False if it does not exist, or (`run`) is another run."""
        ...

    async def read(self, id: str) -> ExecutionRecord | None: ...

    async def state(self, id: str, name: str) -> str | None:
        """Return the latest value of a published state."""
        ...

    async def pause(self, id: str, reason: str | None) -> bool:
        """Stop turns of an execution for a reason, or allow them (None); False if it does not exist.

        Arrivals are kept meanwhile.
        """
        ...


class ExecutionIndex(Protocol):
    """Finding executions."""

    async def list(self, query: ExecutionQuery) -> ExecutionPage: ...

    async def due(self, now_s: float, limit: int) -> Sequence[str]:
        """Return ids of running, unpaused executions that have arrivals or whose `wake_at_s` has passed.

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

        Each gets the epoch after its last one, whatever `claim.epoch` says.
        """
        ...

    async def heartbeat(self, key: TaskKey, claim: Claim, details: str | None) -> bool | None:
        """Extend a claim to `claim.until_s` and keep the details; return whether the task is cancelled.

        None: the claim is not valid any more (replaced, or the task is finished).
        """
        ...

    async def retry(self, key: TaskKey, claim: Claim, at_s: float) -> bool:
        """Make the next attempt available at a time; False if the claim is not valid any more."""
        ...

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival) -> bool:
        """Finish a task and let its answer arrive, both or none; False if the claim is not valid any more.

        No claim: somebody else completes it (a token, a cancellation); valid while the task is unfinished.
        """
        ...

    async def detach(self, key: TaskKey, claim: Claim, until_s: float | None) -> bool:
        """Give up the claim without finishing: the task will be completed from outside, before `until_s` if given.

        Past `until_s` it becomes available again, as if an attempt had been lost.
        """
        ...

    async def next_available_s(self, names: Sequence[str]) -> float | None:
        """Return when the next task of these names becomes available, claims that run out included."""
        ...


class Deliveries(Protocol):
    """Deliveries of events to subscriptions, and the dead letters among them."""

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

    async def dead(self, subscription: str | None, limit: int) -> Sequence[DeadLetter]:
        """Return dead letters, the oldest first."""
        ...

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        """Make dead letters available again, with fresh attempts; return how many (None: all of the subscription)."""
        ...


class DeliverySchedule(Protocol):
    """When subscription workers have to look again."""

    async def next_delivery_s(self, subscriptions: Sequence[str]) -> float | None:
        """Return when the next delivery becomes available, claims that run out included."""
        ...


class Wakeups(Protocol):
    """Hints that something may be due. Losing one costs time, never work."""

    def execution(self, id: str) -> None:
        """An execution may have a turn to take."""
        ...

    def tasks(self) -> None:
        """A task may be available."""
        ...

    def deliveries(self) -> None:
        """A delivery may be available."""
        ...
