"""From a turn that was taken to the record that is committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service_kit.engine.calls import AttributeSet, StateSet
from service_kit.engine.history import ContinuedAsNew
from service_kit.engine.turn import Turn, Waiting
from service_kit.runtime.dispatcher import outcome_of, status_of
from service_kit.runtime.records import Effect, FinishedTask, TurnCommit
from service_kit.runtime.warm import Warm


def commit_of(
    warm: Warm,
    turn: Turn,
    events: str,
    effects: Sequence[Effect],
    used: Sequence[str],
    finished: Sequence[FinishedTask],
    at_s: float,
) -> TurnCommit:
    """Return the commit of a turn, whose events and effects are given as they are stored."""
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
    return TurnCommit(
        execution=warm.id,
        run=warm.run,
        turn=warm.turn,
        events=events,
        used=used,
        finished=finished,
        effects=effects,
        states=states,
        wake_at_s=outcome.until_s if isinstance(outcome, Waiting) else None,
        at_s=at_s,
        status="running" if isinstance(outcome, Waiting) else status_of(outcome),
        outcome=None if isinstance(outcome, Waiting) else outcome_of(outcome),
        successor=successor,
        attributes=attributes,
    )
