"""Histories as people keep them: as the engine writes them, or as handles and the management API show them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from service_kit.engine.arrivals import CancelRequested, ExecutionStarted, SignalReceived, TerminateRequested
from service_kit.engine.calls import Emitted
from service_kit.engine.failure import Failure
from service_kit.engine.history import ExecutionCancelled, ExecutionTerminated, HistoryEvent, TurnStarted
from service_kit.engine.options import TaskOptions
from service_kit.engine.retry import Retry
from service_kit.engine.wire import KINDS, decode_events
from service_kit.errors import HistoryUnreadable

__all__ = ["AnyHistory", "never_began", "read_history", "start_of"]

AnyHistory: TypeAlias = str | bytes | Sequence[Mapping[str, Any]]
"""JSON of the engine's form, JSON of a list of events, or such a list itself."""


def read_history(history: AnyHistory) -> list[HistoryEvent]:
    """Return the events of a history in either form; raise HistoryUnreadable."""
    if isinstance(history, str | bytes):
        try:
            document = json.loads(history)
        except ValueError as error:
            raise HistoryUnreadable(f"not a history: {error}; expected JSON") from error
        if not isinstance(document, list):
            return decode_events(history)
        history = document
    return [_event(shown) for shown in history]


def start_of(events: Sequence[HistoryEvent]) -> ExecutionStarted:
    """Return how the execution was started; raise HistoryUnreadable if the history does not say."""
    for event in events:
        if isinstance(event, ExecutionStarted):
            return event
    raise HistoryUnreadable("the history holds no ExecutionStarted; record it from its beginning")


def never_began(events: Sequence[HistoryEvent]) -> bool:
    """Tell whether the execution was ended before its code was run: nothing of it has to fit."""
    match events:
        case [
            TurnStarted(),
            CancelRequested() | TerminateRequested(),
            ExecutionCancelled() | ExecutionTerminated(),
        ]:
            return True
        case _:
            return False


def _event(shown: Mapping[str, Any]) -> HistoryEvent:
    try:
        values = dict(shown)
        cls = KINDS[values.pop("kind")]
        for name in NESTED.keys() & values.keys():
            values[name] = NESTED[name](values[name])
        return cast(HistoryEvent, cls(**values))
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise HistoryUnreadable(
            f"cannot read the event {shown!r:.80}: {error!r}; it is damaged, or of another version"
        ) from error


def _failure(values: Mapping[str, Any]) -> Failure:
    given = dict(values)
    cause = given.pop("cause", None)
    return Failure(**given, cause=None if cause is None else _failure(cause))


def _options(values: Mapping[str, Any] | None) -> TaskOptions | None:
    if values is None:
        return None
    given = dict(values)
    if (retry := given.pop("retry", None)) is not None:
        refused = tuple(retry["non_retryable"])
        given["retry"] = Retry(
            **{k: v for k, v in retry.items() if k != "non_retryable"}, non_retryable=refused
        )
    return TaskOptions(**given)


NESTED: Mapping[str, Callable[[Any], Any]] = {
    "flags": tuple,
    "failure": _failure,
    "options": _options,
    "signals": lambda rows: tuple(SignalReceived(**row) for row in rows),
    "events": lambda rows: tuple(Emitted(**row) for row in rows),
}
"""Fields of events that hold more than text and numbers."""
