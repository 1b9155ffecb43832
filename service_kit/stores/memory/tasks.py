"""Tasks in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from service_kit.engine.arrivals import Arrival
from service_kit.runtime.records import Claim, ClaimedTask, Heartbeat, ScheduleTask, TaskKey

NOBODY = ""
"""The owner of what will be completed from outside."""


@dataclass(slots=True)
class _Kept:
    scheduled: ScheduleTask
    available_at_s: float
    attempt: int
    claim: Claim | None
    epoch: int
    details: str | None = None
    cancelled: bool = False


class MemoryTasks:
    """The port `Tasks`. `answer` lets a task's answer reach its execution."""

    def __init__(self) -> None:
        self._kept: dict[TaskKey, _Kept] = {}
        self.answer: Callable[[str, int, Arrival], None] = lambda execution, run, arrival: None

    async def claim(
        self, names: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedTask]:
        available = [k for k in self._kept.values() if k.scheduled.name in names and _available_s(k) <= now_s]
        for kept in [kept for kept in available if kept.cancelled]:
            del self._kept[kept.scheduled.key]
            available.remove(kept)
        available.sort(key=_available_s)
        return [self._claim(kept, claim) for kept in available[:limit]]

    async def heartbeat(self, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        return [self._beat(beat) for beat in beats]

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        kept = self._held(key, claim)
        if kept is None:
            return False
        kept.claim, kept.available_at_s = None, at_s
        kept.attempt += 1
        self._given_up(kept, details)
        return True

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        kept = self._kept.get(key) if claim is None else self._held(key, claim)
        if kept is None:
            return False
        del self._kept[key]
        if arrival is not None:
            self.answer(key.execution, key.run, arrival)
        return True

    async def detach(
        self, key: TaskKey, claim: Claim, until_s: float | None, details: str | None = None
    ) -> bool:
        kept = self._held(key, claim)
        if kept is None:
            return False
        kept.claim = replace(claim, owner=NOBODY, until_s=float("inf") if until_s is None else until_s)
        self._given_up(kept, details)
        return True

    async def next_available_s(self, names: Sequence[str]) -> float | None:
        return min((_available_s(k) for k in self._kept.values() if k.scheduled.name in names), default=None)

    def schedule(self, effect: ScheduleTask) -> None:
        """Keep a task, unless it is known."""
        epoch = effect.claim.epoch if effect.claim else 0
        kept = _Kept(effect, effect.scheduled_at_s, 1, effect.claim, epoch)
        self._kept.setdefault(effect.key, kept)

    def cancel(self, key: TaskKey) -> None:
        """Drop a task that nobody runs; mark one that somebody does."""
        kept = self._kept.get(key)
        if kept is None:
            return
        if kept.claim is None or kept.claim.owner == NOBODY:
            del self._kept[key]
        else:
            kept.cancelled = True

    def any_due(self) -> bool:
        """Return whether time alone makes, or has made, any task available."""
        return any(_available_s(kept) < float("inf") for kept in self._kept.values())

    def has_of(self, execution: str, run: int) -> bool:
        """Return whether a run has tasks that are not finished."""
        return any((key.execution, key.run) == (execution, run) for key in self._kept)

    def holds(self, key: TaskKey, claim: Claim) -> bool:
        """Return whether a claim is valid."""
        return self._held(key, claim) is not None

    def finish(self, key: TaskKey) -> None:
        """Drop a task whose answer is in the history."""
        self._kept.pop(key, None)

    def _claim(self, kept: _Kept, claim: Claim) -> ClaimedTask:
        lost = kept.claim is not None
        kept.epoch += 1
        kept.attempt += lost
        kept.claim = replace(claim, epoch=kept.epoch)
        scheduled = kept.scheduled
        return ClaimedTask(
            scheduled.key,
            scheduled.name,
            scheduled.input,
            scheduled.options,
            scheduled.scheduled_at_s,
            kept.attempt,
            kept.claim,
            kept.details,
            lost,
        )

    def _beat(self, beat: Heartbeat) -> bool | None:
        kept = self._kept.get(beat.key) if beat.claim is None else self._held(beat.key, beat.claim)
        if kept is None or kept.claim is None:
            return None
        if beat.claim is None and kept.claim.owner != NOBODY:
            return kept.cancelled
        kept.claim = replace(kept.claim, until_s=beat.until_s)
        kept.details = kept.details if beat.details is None else beat.details
        return kept.cancelled

    def _given_up(self, kept: _Kept, details: str | None) -> None:
        kept.details = kept.details if details is None else details
        if kept.cancelled:
            del self._kept[kept.scheduled.key]

    def _held(self, key: TaskKey, claim: Claim) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None or kept.claim is None:
            return None
        return kept if (kept.claim.owner, kept.claim.epoch) == (claim.owner, claim.epoch) else None


def _available_s(kept: _Kept) -> float:
    return kept.available_at_s if kept.claim is None else kept.claim.until_s
