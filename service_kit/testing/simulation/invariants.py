"""What must hold when a simulation has ended, whatever went wrong in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

from service_kit.contract.gather import Declarations
from service_kit.engine.arrivals import Arrival, ExecutionStarted, SignalReceived, arrival_id
from service_kit.engine.calls import Call, ChildStarted, EventsEmitted, PatchMarked
from service_kit.engine.history import HistoryEvent
from service_kit.runtime.records import StoredExecution
from service_kit.testing.replayer import replay_history
from service_kit.testing.simulation.programs import forked_from, is_of_a_schedule
from service_kit.testing.simulation.service import MOST_ATTEMPTS, Happened
from service_kit.testing.simulation.world import World, said_by

Executions: TypeAlias = Mapping[str, StoredExecution]


def check(world: World, found: Executions, declarations: Declarations) -> None:
    """Report to the world whatever does not hold."""
    looks = (_histories, _recorded_once, _children_asked_for, _attempts, _acknowledged, _events, _found_by)
    for look in looks:
        look(world, found)
    _replays(world, found, declarations)


def compare(world: World, found: Executions, expected: Mapping[str, str | None]) -> None:
    """Report results that differ from those of the run without faults."""
    for name in sorted(expected.keys() | found.keys()):
        if is_of_a_schedule(name):
            continue  # how many there are depends on how long a simulation lasts
        original = forked_from(name)
        if original is not None and name not in found:
            continue  # it had no turn to be forked from when it was tried
        have = found[name].record.outcome if name in found else "no such execution"
        wanted = expected.get(original or name)
        if have is not None and have != wanted:
            world.violate("same results", f"'{name}' ended as {have}, without faults as {wanted}")


def _histories(world: World, found: Executions) -> None:
    for name, stored in found.items():
        kept = world.committed[name, stored.record.run]
        if list(stored.history) != kept:
            world.violate(
                "one history", f"'{name}' has {len(stored.history)} turns; {len(kept)} were committed"
            )


def _recorded_once(world: World, found: Executions) -> None:
    for (name, _), events in sorted(world.events.items()):
        counts = Counter(key for event in events if (key := _once(event)) is not None)
        for key, count in counts.items():
            if count > 1:
                world.violate("recorded once", f"'{name}' has {key} {count} times")
    for name in found:
        signals = Counter(event.id for event in world.history(name) if isinstance(event, SignalReceived))
        for signal, count in signals.items():
            if count > 1:
                world.violate("recorded once", f"the runs of '{name}' have signal {signal} {count} times")


def _once(event: HistoryEvent) -> str | None:
    """Return what may stand in one history only once."""
    if isinstance(event, Call):
        return None if isinstance(event, PatchMarked) else f"call {event.seq}"
    return arrival_id(event) if isinstance(event, Arrival) else None


def _children_asked_for(world: World, found: Executions) -> None:
    asked = {
        event.id for events in world.events.values() for event in events if isinstance(event, ChildStarted)
    }
    for name, stored in found.items():
        if stored.record.parent is not None and name not in asked:
            world.violate(
                "recorded before done", f"child '{name}' exists, but no committed turn has started it"
            )


def _attempts(world: World, found: Executions) -> None:
    for key, numbers in world.attempts.items():
        most = MOST_ATTEMPTS[world.scheduled.get(key, "work")]
        if max(len(numbers), *numbers) > most:
            world.violate(
                "attempts are counted", f"task {key} was tried {len(numbers)} times, {most} allowed"
            )


def _acknowledged(world: World, found: Executions) -> None:
    for name in world.acknowledged["start"]:
        if name not in found:
            world.violate(
                "acknowledged is kept", f"the start of '{name}' was acknowledged; it does not exist"
            )
    for signal in world.acknowledged["signal"]:
        if not any(_holds(event, signal) for event in world.history(signal.partition("/")[0])):
            world.violate("acknowledged is kept", f"signal '{signal}' was acknowledged; no history has it")


def _holds(event: HistoryEvent, signal: str) -> bool:
    match event:
        case SignalReceived(id=id):
            return id == signal
        case ExecutionStarted(signals=signals):
            return any(each.id == signal for each in signals)
        case _:
            return False


def _events(world: World, found: Executions) -> None:
    emitted = [
        Happened.model_validate_json(each.payload).what
        for events in world.events.values()
        for event in events
        if isinstance(event, EventsEmitted)
        for each in event.events
    ]
    for what in [*world.acknowledged["event"], *emitted]:
        if not world.handled_events[what]:
            world.violate(
                "acknowledged is kept", f"event '{what}' was published; no subscription has handled it"
            )


def _found_by(world: World, found: Executions) -> None:
    for name, stored in found.items():
        said = said_by(world.history(name))
        if stored.record.attributes != said:
            kept = dict(stored.record.attributes)
            world.violate("found by what it says", f"'{name}' is found by {kept}; its histories say {said}")


def _replays(world: World, found: Executions, declarations: Declarations) -> None:
    for (name, run), events in sorted(world.events.items()):
        if name not in found:
            continue  # which is reported as its loss
        try:
            replay_history(declarations, events)
        except Exception as error:  # noqa: BLE001 - it is reported
            world.violate("histories replay", f"run {run} of '{name}': {type(error).__name__}: {error}")
