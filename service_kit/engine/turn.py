"""`take_turn`: arrivals in, events and an outcome out. Pure: the caller loads, commits and dispatches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .arrivals import Arrival, DeadlinePassed, TimerFired
from .calls import Call
from .history import Ending, Flag, HistoryEvent, TurnStarted, calls_of
from .instance import Instance
from .machine import Machine

__all__ = ["Outcome", "Turn", "Waiting", "take_turn"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The execution goes on."""

    until_s: float | None
    """When the next turn is due even if nothing arrives; None: never."""


Outcome: TypeAlias = Waiting | Ending


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did. Commit the events first, all together; then dispatch the calls, which are among them."""

    events: tuple[HistoryEvent, ...]
    """What to append to the history; empty if no arrival was one that the execution waits for."""
    calls: tuple[Call, ...]
    outcome: Outcome
    left: tuple[Arrival, ...] = ()
    """Arrivals that came after the run continued as new, such as a request to cancel: deliver them to the next
    run. All others are used up."""


def take_turn(instance: Instance, arrivals: Sequence[Arrival], now_s: float) -> Turn:
    """Apply `arrivals` in order, then whatever is due by `now_s` (seconds since the epoch).

    After each of them the workflow runs until it waits, so it does the same however arrivals of one time are
    grouped into turns. Those that it does not wait for change nothing.

    Raises `NonDeterminismError` if the code does what a workflow cannot, and `TurnTooLong` if it never waits:
    the instance is then discarded, and nothing has happened.
    """
    with instance.moving() as machine:
        events: list[HistoryEvent] = []
        machine.ledger.fresh = events
        machine.loop.advance(_latest_s(machine, arrivals, now_s))
        left = [arrival for arrival in arrivals if not _take(machine, arrival) and machine.leaves(arrival)]
        while machine.ending is None and (due := _next_due(machine)) is not None:
            _take(machine, due)
    outcome = instance.ending or Waiting(instance.wake_at_s)
    return Turn(tuple(events), calls_of(events), outcome, tuple(left))


def _take(machine: Machine, arrival: Arrival) -> bool:
    """Apply an arrival; return whether the workflow waits for it."""
    if not machine.expects(arrival):
        return False
    fresh = machine.ledger.fresh
    if not fresh:
        flags = () if machine.has_started else tuple(int(flag) for flag in Flag)
        fresh.append(TurnStarted(machine.loop.time(), flags))
    fresh.append(arrival)
    machine.accept(arrival)
    return True


def _latest_s(machine: Machine, arrivals: Sequence[Arrival], now_s: float) -> float:
    """Return the turn's time: a timer that somebody says has fired is not in the future any more."""
    due = (
        machine.loop.timers.due_s(arrival.timer) for arrival in arrivals if isinstance(arrival, TimerFired)
    )
    return max([float(now_s), *(time for time in due if time is not None)])


def _next_due(machine: Machine) -> Arrival | None:
    """Return what is due by the machine's time, the earliest first; a timer comes before the deadline."""
    if not machine.has_started:
        return None
    first, deadline_s, now_s = machine.loop.timers.first(), machine.deadline_s, machine.loop.time()
    if first is not None and first[0] <= now_s and (deadline_s is None or first[0] <= deadline_s):
        return TimerFired(first[1])
    if deadline_s is not None and deadline_s <= now_s:
        return DeadlinePassed()
    return None
