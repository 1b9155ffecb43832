"""From a turn that was taken to the record that is committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service_kit.engine.arrivals import TaskRaised
from service_kit.engine.calls import AttributeSet, StateSet, TaskScheduled
from service_kit.engine.history import ContinuedAsNew
from service_kit.engine.turn import Turn, Waiting
from service_kit.engine.wire import encode_events
from service_kit.runtime.dispatcher import Dispatcher, outcome_of, status_of
from service_kit.runtime.overdue import earliest_s, withdrawn
from service_kit.runtime.records import FinishedTask, TurnCommit
from service_kit.runtime.warm import Warm


class Poisoned(Exception):
    """This execution cannot go on, however often it is tried; the cause says why."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a turn was given, as the store has to know it."""

    used: Sequence[str] = ()
    """Keys of the stored arrivals."""
    finished: Sequence[FinishedTask] = ()
    overdue: Sequence[TaskRaised] = ()
    """The answers to tasks that nobody else has answered in time."""


def commit_of(warm: Warm, turn: Turn, answered: Answered, dispatcher: Dispatcher, at_s: float) -> TurnCommit:
    """Return the commit of a turn that was taken; raise Poisoned if there is none."""
    try:
        events = encode_events(turn.events)
        effects = dispatcher.effects(turn, warm.started, warm.parent, at_s)
    except Exception as error:
        warm.instance.discard()
        raise Poisoned from error
    effects += withdrawn(answered.overdue, turn, warm.started)
    outcome, successor = turn.outcome, None
    if isinstance(outcome, ContinuedAsNew):
        successor = replace(
            warm.started,
            input=outcome.input,
            run=warm.started.run + 1,
            signals=outcome.signals,
            attributes=outcome.attributes,
            deadline_s=warm.instance.deadline_s,
        )
    states: dict[str, str] = {}
    attributes: dict[str, str | None] = {}
    for call in turn.calls:
        if isinstance(call, StateSet):
            states[call.name] = call.payload
        elif isinstance(call, AttributeSet):
            attributes[call.name] = call.value
        elif isinstance(call, TaskScheduled):
            warm.ends.add(call, at_s)
    wake_at_s = outcome.until_s if isinstance(outcome, Waiting) else None
    if warm.ends and isinstance(outcome, Waiting):
        wake_at_s = earliest_s(wake_at_s, warm.ends.next_s(warm.instance))
    return TurnCommit(
        execution=warm.id,
        run=warm.run,
        turn=warm.turn,
        events=events,
        used=answered.used,
        finished=answered.finished,
        effects=effects,
        states=states,
        wake_at_s=wake_at_s,
        at_s=at_s,
        status="running" if isinstance(outcome, Waiting) else status_of(outcome),
        outcome=None if isinstance(outcome, Waiting) else outcome_of(outcome),
        successor=successor,
        attributes=attributes,
    )
