"""Bugs that are planted one at a time, each one that a durable runtime may really have. One list, though long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from client_kit.executions import StartOptions
from service_kit.contract.schedule import Schedule
from service_kit.engine import turn as engine_turn
from service_kit.engine.arrivals import Arrival, SignalReceived, TimerFired
from service_kit.engine.machine import Machine
from service_kit.engine.turn import Turn
from service_kit.runtime import forking, orchestrator
from service_kit.runtime.forking import Forking
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.orchestrator import Orchestrator
from service_kit.runtime.records import (
    Claim,
    Heartbeat,
    Known,
    NewExecution,
    StoredArrival,
    StoredExecution,
    TaskKey,
    TurnCommit,
)
from service_kit.runtime.warm import Warm
from service_kit.stores.memory import deliveries, tasks
from service_kit.stores.memory.deliveries import MemoryDeliveries
from service_kit.stores.memory.executions import MemoryExecutions
from service_kit.stores.memory.tasks import MemoryTasks

Plant = Callable[[pytest.MonkeyPatch], None]


def _effects_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    commit = MemoryExecutions.commit

    async def planted(self: MemoryExecutions, turn: TurnCommit) -> None:
        for effect in turn.effects:
            self._apply(effect)
        await asyncio.sleep(0.05)
        await commit(self, replace(turn, effects=[]))

    patch.setattr(MemoryExecutions, "commit", planted)


def _dispatch_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    commit_of = Orchestrator._commit_of

    def planted(self: Orchestrator, *args: Any) -> TurnCommit:
        commit = commit_of(self, *args)
        self.aftermath(commit)
        return commit

    def go_on(self: Orchestrator, warm: Warm, turn: Turn, commit: TurnCommit) -> None:
        warm.turn += 1
        if commit.outcome is None and commit.successor is None:
            self.warm.put(warm)

    patch.setattr(Orchestrator, "_commit_of", planted)
    patch.setattr(Orchestrator, "_go_on", go_on)


def _failed_turns_stay_in_memory(patch: pytest.MonkeyPatch) -> None:
    undo = Orchestrator._undo

    def planted(self: Orchestrator, warm: Warm | None, commit: TurnCommit | None) -> None:
        undo(self, None, commit)
        if warm is not None:
            self.warm.put(warm)

    patch.setattr(Orchestrator, "_undo", planted)


def _effects_after_the_commit(patch: pytest.MonkeyPatch) -> None:
    commit = MemoryExecutions.commit

    async def planted(self: MemoryExecutions, turn: TurnCommit) -> None:
        await commit(self, replace(turn, effects=[]))
        await asyncio.sleep(0.05)
        for effect in turn.effects:
            self._apply(effect)

    patch.setattr(MemoryExecutions, "commit", planted)


def _turns_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    commit = MemoryExecutions.commit

    async def planted(self: MemoryExecutions, turn: TurnCommit) -> None:
        record = self._kept[turn.execution].record
        await commit(self, replace(turn, run=record.run, turn=record.turn))

    patch.setattr(MemoryExecutions, "commit", planted)


def _claims_are_not_fenced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryTasks, "_held", lambda self, key, claim: self._kept.get(key))


def _answers_are_not_fenced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryTasks, "holds", lambda self, key, claim: True)


def _arrivals_are_not_deduplicated(patch: pytest.MonkeyPatch) -> None:
    arrive, expects, numbers = MemoryExecutions.arrive, Machine.expects, count()

    def twice(self: MemoryExecutions, id: str, arrival: StoredArrival, run: int | None = None) -> bool:
        return arrive(self, id, replace(arrival, key=f"{arrival.key}#{next(numbers)}"), run)

    def anything(self: Machine, arrival: Arrival) -> bool:
        return isinstance(arrival, SignalReceived) or expects(self, arrival)

    patch.setattr(MemoryExecutions, "arrive", twice)
    patch.setattr(Machine, "expects", anything)


def _used_signals_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    commit = MemoryExecutions._commit

    def planted(self: MemoryExecutions, turn: TurnCommit) -> None:
        commit(self, turn)
        self._kept[turn.execution].used_signals.clear()

    patch.setattr(MemoryExecutions, "_commit", planted)


def _signals_do_not_ask_for_earlier_ones(patch: pytest.MonkeyPatch) -> None:
    def planted(incoming: Sequence[Incoming]) -> bool:
        return not incoming

    patch.setattr(orchestrator, "asks_the_store", planted)


def _lost_wake_ups_are_not_looked_for(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: MemoryExecutions, now_s: float, limit: int) -> Sequence[Any]:
        return []

    patch.setattr(MemoryExecutions, "due", nothing)


def _claims_are_not_extended(patch: pytest.MonkeyPatch) -> None:
    async def planted(self: MemoryTasks, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        return [False for _ in beats]

    patch.setattr(MemoryTasks, "heartbeat", planted)


def _retries_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    retry = MemoryTasks.retry

    async def planted(
        self: MemoryTasks, key: TaskKey, claim: Claim, at_s: float, details: str | None = None
    ) -> bool:
        known = await retry(self, key, claim, at_s, details)
        if (kept := self._kept.get(key)) is not None:
            kept.attempt = 1
        return known

    patch.setattr(MemoryTasks, "retry", planted)


def _retries_are_counted_twice(patch: pytest.MonkeyPatch) -> None:
    retry = MemoryTasks.retry

    async def planted(
        self: MemoryTasks, key: TaskKey, claim: Claim, at_s: float, details: str | None = None
    ) -> bool:
        known = await retry(self, key, claim, at_s, details)
        if known and (kept := self._kept.get(key)) is not None:
            kept.attempt += 1
        return known

    patch.setattr(MemoryTasks, "retry", planted)


def _lost_attempts_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    claim = MemoryTasks._claim

    def planted(self: MemoryTasks, kept: Any, claimed: Claim) -> Any:
        kept.attempt -= kept.claim is not None
        return claim(self, kept, claimed)

    patch.setattr(MemoryTasks, "_claim", planted)


def _timers_fire_early(patch: pytest.MonkeyPatch) -> None:
    next_due = engine_turn._next_due

    def planted(machine: Machine) -> Arrival | None:
        first = machine.loop.timers.first() if machine.has_started else None
        if first is not None and first[0] <= machine.loop.time() + 1.0:
            return TimerFired(first[1])
        return next_due(machine)

    patch.setattr(engine_turn, "_next_due", planted)


def _answered_tasks_are_not_finished(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryTasks, "finish", lambda self, key: None)


def _signals_to_paused_executions_are_dropped(patch: pytest.MonkeyPatch) -> None:
    arrive = MemoryExecutions.arrive

    def planted(self: MemoryExecutions, id: str, arrival: StoredArrival, run: int | None = None) -> bool:
        kept = self._kept.get(id)
        if kept is not None and kept.record.paused is not None:
            return True
        return arrive(self, id, arrival, run)

    patch.setattr(MemoryExecutions, "arrive", planted)


def _claims_of_the_dead_never_run_out(patch: pytest.MonkeyPatch) -> None:
    def available_s(kept: Any) -> float:
        return float("inf") if kept.claim is not None else float(kept.available_at_s)

    patch.setattr(tasks, "_available_s", available_s)


def _deliveries_of_the_dead_never_run_out(patch: pytest.MonkeyPatch) -> None:
    def available_s(kept: Any) -> float:
        return float("inf") if kept.claim is not None else float(kept.available_at_s)

    patch.setattr(deliveries, "_available_s", available_s)


def _starts_are_acknowledged_too_early(patch: pytest.MonkeyPatch) -> None:
    start = RuntimeGateway.start

    async def planted(self: RuntimeGateway, workflow: str, input: str, options: StartOptions) -> str:
        later = asyncio.create_task(start(self, workflow, input, options))
        later.add_done_callback(lambda done: done.exception())
        return options.id or ""

    patch.setattr(RuntimeGateway, "start", planted)


def _events_are_finished_before_they_are_handled(patch: pytest.MonkeyPatch) -> None:
    claim = MemoryDeliveries.claim

    async def planted(self: MemoryDeliveries, *args: Any) -> Any:
        claimed = await claim(self, *args)
        for one in claimed:
            await self.done(one.event.id, one.subscription, one.claim)
        return claimed

    patch.setattr(MemoryDeliveries, "claim", planted)


def _the_last_turn_is_not_loaded(patch: pytest.MonkeyPatch) -> None:
    load = MemoryExecutions.load

    async def planted(self: MemoryExecutions, id: str, known: Known | None = None) -> StoredExecution | None:
        found = await load(self, id, known)
        return found and replace(
            found, history=found.history[:-1] if len(found.history) > 1 else found.history
        )

    patch.setattr(MemoryExecutions, "load", planted)


def _attributes_are_kept_with_the_turn_after(patch: pytest.MonkeyPatch) -> None:
    commit = MemoryExecutions.commit
    late: dict[tuple[int, str], Mapping[str, str | None]] = {}

    async def planted(self: MemoryExecutions, turn: TurnCommit) -> None:
        place = id(self), turn.execution
        await commit(self, replace(turn, attributes=late.get(place, {})))
        late[place] = turn.attributes

    patch.setattr(MemoryExecutions, "commit", planted)


def _forks_do_not_begin_what_was_outstanding(patch: pytest.MonkeyPatch) -> None:
    forked = Forking._forked

    def planted(self: Forking, *args: Any) -> tuple[NewExecution, TurnCommit]:
        new, commit = forked(self, *args)
        self.dispatcher.withdraw(commit.effects)
        return new, replace(commit, effects=[])

    patch.setattr(Forking, "_forked", planted)


def _forks_are_found_by_what_was_said_later(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forking, "_began_with", lambda found, started: found.record.attributes)


def _missed_times_are_left_out(patch: pytest.MonkeyPatch) -> None:
    between = Schedule.between

    def planted(self: Schedule, from_s: float, to_s: float, most: int) -> list[float]:
        return between(self, from_s, to_s, most)[-1:]

    patch.setattr(Schedule, "between", planted)


BUGS: Mapping[str, Plant] = {
    "effects happen before the commit": _effects_before_the_commit,
    "tasks are dispatched before the commit": _dispatch_before_the_commit,
    "effects happen after the commit, outside of it": _effects_after_the_commit,
    "a turn whose commit failed stays in memory": _failed_turns_stay_in_memory,
    "a turn is committed whatever its number": _turns_are_not_compared,
    "a replaced claim still counts": _claims_are_not_fenced,
    "answers count whoever has the claim": _answers_are_not_fenced,
    "arrivals are not deduplicated": _arrivals_are_not_deduplicated,
    "used signals are forgotten": _used_signals_are_forgotten,
    "signals are taken without those stored before": _signals_do_not_ask_for_earlier_ones,
    "nobody looks for lost wake-ups": _lost_wake_ups_are_not_looked_for,
    "claims are not extended": _claims_are_not_extended,
    "retries are not counted": _retries_are_not_counted,
    "retries are counted twice": _retries_are_counted_twice,
    "lost attempts are not counted": _lost_attempts_are_not_counted,
    "timers fire early": _timers_fire_early,
    "answered tasks are not finished": _answered_tasks_are_not_finished,
    "signals to paused executions are dropped": _signals_to_paused_executions_are_dropped,
    "claims of dead processes never run out": _claims_of_the_dead_never_run_out,
    "deliveries of dead processes never run out": _deliveries_of_the_dead_never_run_out,
    "starts are acknowledged before they are stored": _starts_are_acknowledged_too_early,
    "events are finished before they are handled": _events_are_finished_before_they_are_handled,
    "the last turn is not loaded": _the_last_turn_is_not_loaded,
    "attributes are kept with the turn after": _attributes_are_kept_with_the_turn_after,
    "forks do not begin what was outstanding": _forks_do_not_begin_what_was_outstanding,
    "forks are found by what was said later": _forks_are_found_by_what_was_said_later,
    "times that were missed are left out": _missed_times_are_left_out,
}
