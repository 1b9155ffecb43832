"""Executions in memory. Every method is atomic: none awaits between its first look and its last change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from service_kit.engine.arrivals import Arrival
from service_kit.runtime.dispatcher import ENDS, SIGNAL_PREFIX, stored
from service_kit.runtime.ports import ClaimLost, Conflict
from service_kit.runtime.records import (
    BlobKey,
    CancelTask,
    CreateExecution,
    Deliver,
    DueExecution,
    Effect,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRecord,
    Known,
    NewExecution,
    Publish,
    ScheduleTask,
    StoredArrival,
    StoredExecution,
    TurnCommit,
    changed_attributes,
    record_of,
)
from service_kit.stores.memory.blobs import MemoryBlobs
from service_kit.stores.memory.deliveries import MemoryDeliveries
from service_kit.stores.memory.tasks import MemoryTasks


@dataclass(slots=True)
class _Kept:
    record: ExecutionRecord
    history: list[str] = field(default_factory=list[str])
    arrivals: dict[str, _Arrived] = field(default_factory=dict[str, "_Arrived"])
    used_signals: dict[str, float] = field(default_factory=dict[str, float])
    """When each was used."""
    states: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Arrived:
    stored: StoredArrival
    run: int | None


class MemoryExecutions:
    """The ports `Executions`, `ExecutionIndex` and `Retention`."""

    def __init__(self, tasks: MemoryTasks, deliveries: MemoryDeliveries) -> None:
        self.blobs: MemoryBlobs = MemoryBlobs()
        self._tasks = tasks
        self._deliveries = deliveries
        self._kept: dict[str, _Kept] = {}

    async def create(self, new: NewExecution, first: TurnCommit | None = None) -> ExecutionRecord | None:
        taken = self._create(new, waits=first is None)
        if taken is None and first is not None:
            self._commit(first)
        return taken

    async def load(self, id: str, known: Known | None = None) -> StoredExecution | None:
        kept = self._kept.get(id)
        if kept is None:
            return None
        skip = known.turn if known is not None and known.run == kept.record.run else 0
        return StoredExecution(kept.record, kept.history[skip:], [a.stored for a in kept.arrivals.values()])

    async def commit(self, turn: TurnCommit) -> None:
        self._commit(turn)

    def _commit(self, turn: TurnCommit) -> None:
        kept = self._kept.get(turn.execution)
        if kept is None:
            raise Conflict(f"execution '{turn.execution}' is gone")
        record = kept.record
        if (record.run, record.turn) != (turn.run, turn.turn) or not _moves(record):
            raise Conflict(f"turn {turn.turn} of run {turn.run} of execution '{turn.execution}' is not due")
        lost = [done.key for done in turn.finished if not self._tasks.holds(done.key, done.claim)]
        if lost:
            raise ClaimLost(lost)
        for key in turn.used:
            kept.arrivals.pop(key, None)
            if key.startswith(SIGNAL_PREFIX):
                kept.used_signals[key] = turn.at_s
        for done in turn.finished:
            self._tasks.finish(done.key)
        kept.states.update(turn.states)
        if turn.attributes:
            record = replace(record, attributes=changed_attributes(record.attributes, turn.attributes))
        if turn.successor is None:
            kept.history.append(turn.events)
            kept.record = replace(
                record,
                turn=record.turn + 1,
                wake_at_s=turn.wake_at_s,
                status=turn.status,
                outcome=turn.outcome,
                ended_at_s=None if turn.outcome is None else turn.at_s,
            )
        else:
            kept.history = []
            first = _Arrived(stored(turn.successor), None)
            left = {key: arrived for key, arrived in kept.arrivals.items() if arrived.run is None}
            kept.arrivals = {first.stored.key: first, **left}
            kept.record = replace(record, run=record.run + 1, turn=0, wake_at_s=turn.at_s)
        if turn.outcome is not None:
            kept.arrivals.clear()
            kept.used_signals.clear()
        for effect in turn.effects:
            self._apply(effect)

    async def deliver(
        self, id: str, arrival: StoredArrival, run: int | None = None, *, workflow: str | None = None
    ) -> bool:
        kept = self._kept.get(id)
        if kept is not None and workflow not in (None, kept.record.workflow):
            return False
        return self.arrive(id, arrival, run)

    async def read(self, id: str) -> ExecutionRecord | None:
        kept = self._kept.get(id)
        return kept.record if kept else None

    async def state(self, id: str, name: str) -> str | None:
        kept = self._kept.get(id)
        return kept.states.get(name) if kept else None

    async def pause(self, id: str, reason: str | None) -> bool:
        kept = self._kept.get(id)
        if kept is None or kept.record.outcome is not None:
            return False
        kept.record = replace(kept.record, paused=reason)
        return True

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        newest_first = sorted(
            self._kept.values(), key=lambda k: (k.record.created_at_s, k.record.id), reverse=True
        )
        found = [k.record for k in newest_first if _wanted(k.record, query)]
        if query.after is not None:
            created_at, _, last = query.after.partition("/")
            found = [r for r in found if (r.created_at_s, r.id) < (float(created_at), last)]
        page = found[: query.limit]
        return ExecutionPage(page, _cursor(page[-1]) if len(found) > len(page) else None)

    async def ended(self, ids: Sequence[str]) -> Mapping[str, str]:
        found = [kept.record for each in ids if (kept := self._kept.get(each)) is not None]
        return {record.id: record.outcome for record in found if record.outcome is not None}

    async def forget(self, ended_before_s: float | None, used_before_s: float, limit: int) -> int:
        ended = [kept.record for kept in self._kept.values() if kept.record.ended_at_s is not None]
        gone = [
            record.id
            for record in ended
            if ended_before_s is not None and (record.ended_at_s or 0) < ended_before_s
        ]
        for each in gone[:limit]:
            del self._kept[each]
        for kept in self._kept.values():
            for key in [key for key, at_s in kept.used_signals.items() if at_s < used_before_s]:
                del kept.used_signals[key]
        forgotten = max(len(gone[:limit]), self._deliveries.forget(used_before_s, limit))
        self.blobs.forget(used_before_s, self._needs)
        return forgotten

    async def due(self, now_s: float, limit: int) -> Sequence[DueExecution]:
        due = [kept.record for kept in self._kept.values() if self._is_due(kept, now_s)]
        due.sort(key=lambda record: (record.wake_at_s or record.created_at_s, record.id))
        return [DueExecution(record.id, Known(record.run, record.turn)) for record in due[:limit]]

    async def next_wake_s(self) -> float | None:
        wakes = [
            k.record.wake_at_s
            for k in self._kept.values()
            if _moves(k.record) and k.record.wake_at_s is not None
        ]
        return min(wakes, default=None)

    def arrive(self, id: str, arrival: StoredArrival, run: int | None = None) -> bool:
        """Keep an arrival, as `deliver`; for the other parts of this store."""
        kept = self._kept.get(id)
        if kept is None or (run is not None and kept.record.run != run):
            return False
        if kept.record.outcome is None and arrival.key not in kept.used_signals:
            kept.arrivals.setdefault(arrival.key, _Arrived(arrival, run))
        return True

    def answer(self, execution: str, run: int, arrival: Arrival) -> None:
        """Let the answer to a call arrive, if its run goes on."""
        self.arrive(execution, stored(arrival), run)

    def _needs(self, key: BlobKey) -> bool:
        kept = self._kept.get(key.owner)
        if kept is None:
            return self._deliveries.has(key.owner)
        return key.run is None or key.run >= kept.record.run or self._tasks.has_of(key.owner, key.run)

    def _create(self, new: NewExecution, *, waits: bool = True) -> ExecutionRecord | None:
        """Keep an execution, whose start waits to be used; return who has its id."""
        started = new.started
        if started.id in self._kept:
            return self._kept[started.id].record
        self._kept[started.id] = _Kept(record_of(new))
        if waits:
            self.arrive(started.id, stored(started))
        return None

    def _apply(self, effect: Effect) -> None:
        match effect:
            case ScheduleTask():
                self._tasks.schedule(effect)
            case CancelTask(key=key):
                self._tasks.cancel(key)
            case CreateExecution(new=new, if_taken=if_taken):
                taken = self._create(new)
                if taken is not None and taken.parent != new.parent and new.parent is not None:
                    self.arrive(new.parent.execution, if_taken, new.parent.run)
            case Deliver(execution=id, arrival=arrival, run=run):
                self.arrive(id, arrival, run)
            case Publish():
                self._deliveries.add(effect)
            case _:
                assert_never(effect)

    def _is_due(self, kept: _Kept, now_s: float) -> bool:
        record = kept.record
        if not _moves(record):
            return False
        wakes = record.wake_at_s is not None and record.wake_at_s <= now_s
        # Before its first turn an execution may be delayed: what has arrived then waits with it, but for its end.
        return wakes or (bool(kept.arrivals) if record.turn > 0 else not ENDS.isdisjoint(kept.arrivals))


def _moves(record: ExecutionRecord) -> bool:
    return record.outcome is None and record.paused is None


def _wanted(record: ExecutionRecord, query: ExecutionQuery) -> bool:
    return (
        query.workflow in (None, record.workflow)
        and query.status in (None, record.status)
        and all(record.attributes.get(name) == value for name, value in query.attributes.items())
    )


def _cursor(record: ExecutionRecord) -> str:
    return f"{record.created_at_s!r}/{record.id}"
