"""What this process knows to have reached an execution, joined with what the store has for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.engine.arrivals import ExecutionStarted, SignalReceived
from service_kit.runtime.records import FinishedTask, StoredArrival


@dataclass(frozen=True, slots=True)
class Incoming:
    """An arrival that this process knows of before it has read it from the store."""

    arrival: StoredArrival
    run: int | None = None
    """The run that it answers."""
    finished: FinishedTask | None = None
    """The task that it answers, if that was run here: the store gets to know of it by the turn that uses it."""


def asks_the_store(incoming: Sequence[Incoming]) -> bool:
    """Return whether the store may have more than is known here: after a hint; and before a signal, for their order."""
    return not incoming or any(isinstance(one.arrival.arrival, SignalReceived) for one in incoming)


def joined(found: Sequence[StoredArrival], incoming: Sequence[Incoming], run: int) -> Sequence[StoredArrival]:
    """Return what has reached this run, each once, its start before all else."""
    if not found and len(incoming) == 1 and incoming[0].run in (None, run):
        return [incoming[0].arrival]
    known = {arrival.key: arrival for arrival in found}
    for one in incoming:
        if one.run in (None, run):
            known.setdefault(one.arrival.key, one.arrival)
    return sorted(known.values(), key=lambda a: not isinstance(a.arrival, ExecutionStarted))
