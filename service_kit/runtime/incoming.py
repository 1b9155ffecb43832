"""What this process knows to have reached an execution, joined with what the store has for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.engine.arrivals import SignalReceived
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


def of_run(incoming: Sequence[Incoming], run: int) -> Sequence[StoredArrival]:
    """Return what has reached this run, each once."""
    if len(incoming) == 1 and incoming[0].run in (None, run):
        return [incoming[0].arrival]
    return list({one.arrival.key: one.arrival for one in incoming if one.run in (None, run)}.values())


def joined(found: Sequence[StoredArrival], incoming: Sequence[Incoming], run: int) -> Sequence[StoredArrival]:
    """Return what the store has for this run, with the answers that it does not know yet.

    Whatever else came in was stored before this was told of it: what the store does not have any more was used.
    """
    known = {arrival.key: arrival for arrival in found}
    for one in of_run([one for one in incoming if one.finished is not None], run):
        known.setdefault(one.key, one)
    return list(known.values())
