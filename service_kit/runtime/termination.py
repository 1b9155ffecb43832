"""Ending an execution without its code: of one whose code is gone, or does not fit its history, or has not begun."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from service_kit.contract.outcomes import encode_outcome
from service_kit.engine.arrivals import (
    CancelRequested,
    ChildRaised,
    ChildSucceeded,
    TaskRaised,
    TaskSucceeded,
    TerminateRequested,
)
from service_kit.engine.calls import ChildStarted, TaskScheduled
from service_kit.engine.history import ExecutionCancelled, ExecutionTerminated, HistoryEvent, TurnStarted
from service_kit.engine.wire import decode_events, encode_events
from service_kit.errors import HistoryUnreadable
from service_kit.runtime.dispatcher import answer_to_parent, status_of, stored
from service_kit.runtime.records import (
    CancelTask,
    Deliver,
    Effect,
    StoredExecution,
    TaskKey,
    TurnCommit,
)

logger: logging.Logger = logging.getLogger("service_kit.runtime")


def termination_of(found: StoredExecution, now_s: float) -> TurnCommit | None:
    """Return the turn that ends an execution as it was asked to be terminated; None if nobody has asked."""
    request = next((a.arrival for a in found.arrivals if isinstance(a.arrival, TerminateRequested)), None)
    return None if request is None else _end(found, request, ExecutionTerminated(request.reason), now_s)


def end_before_begin(found: StoredExecution, now_s: float) -> TurnCommit | None:
    """Return the turn that ends an execution which was cancelled or terminated before its time to begin, if it was.

    Of its code nothing is run, as of an asyncio.Task that is cancelled before its first step.
    """
    record = found.record
    delayed = (record.run, record.turn) == (0, 0) and (record.wake_at_s or 0) > now_s
    if not delayed or record.outcome is not None or record.paused is not None:
        return None
    request = next((a.arrival for a in found.arrivals if isinstance(a.arrival, CancelRequested)), None)
    ending = termination_of(found, now_s)
    if ending is not None or request is None:
        return ending
    return _end(found, request, ExecutionCancelled(request.reason), now_s)


def _end(
    found: StoredExecution,
    request: CancelRequested | TerminateRequested,
    ending: ExecutionCancelled | ExecutionTerminated,
    now_s: float,
) -> TurnCommit:
    record, effects = found.record, _told(found)
    if (
        record.parent is not None
        and (answer := answer_to_parent(ending, record.workflow, record.parent)) is not None
    ):
        effects.append(Deliver(record.parent.execution, stored(answer), record.parent.run))
    return TurnCommit(
        execution=record.id,
        run=record.run,
        turn=record.turn,
        events=encode_events([TurnStarted(now_s), request, ending]),
        used=[arrival.key for arrival in found.arrivals],
        finished=(),
        effects=effects,
        states={},
        wake_at_s=None,
        at_s=now_s,
        status=status_of(ending),
        outcome=encode_outcome(ending),
    )


def _told(found: StoredExecution) -> list[Effect]:
    """Return what tells those who still work for the execution, as far as its history can be read."""
    effects: list[Effect] = []
    for call in _open_calls(_history(found)):
        if isinstance(call, TaskScheduled):
            effects.append(CancelTask(TaskKey(found.record.id, found.record.run, call.seq)))
        elif call.parent_close == "cancel":
            effects.append(Deliver(call.id, stored(CancelRequested("the parent has ended"))))
        elif call.parent_close == "terminate":
            effects.append(Deliver(call.id, stored(TerminateRequested("the parent has ended"))))
    return effects


def _history(found: StoredExecution) -> Sequence[HistoryEvent]:
    try:
        return [event for turn in found.history for event in decode_events(turn)]
    except HistoryUnreadable:
        logger.exception(
            "the history of execution '%s' cannot be read: its tasks and children are not told that it has ended",
            found.record.id,
        )
        return ()


def _open_calls(history: Sequence[HistoryEvent]) -> Sequence[TaskScheduled | ChildStarted]:
    opened: dict[int, TaskScheduled | ChildStarted] = {}
    for event in history:
        match event:
            case TaskScheduled() | ChildStarted():
                opened[event.seq] = event
            case (
                TaskSucceeded(task=seq)
                | TaskRaised(task=seq)
                | ChildSucceeded(child=seq)
                | ChildRaised(child=seq)
            ):
                opened.pop(seq, None)
            case _:
                pass
    return list(opened.values())
