"""The JSON form of histories: one array per event, its kind first, then its fields in order.

    {"v":1,"events":[["TurnStarted",1.7e9,[1]],["TaskScheduled",1,"charge_card","5f0c...","\\"o-1\\""]]}

Trailing fields that are null are left out, so a field may be added at the end if it has a default, and a kind may be
added. Any other change of the form takes a new version, and old versions stay readable. Payloads are strings in it,
untouched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from ..errors import HistoryUnreadable
from . import arrivals, calls, history
from .arrivals import ChildRaised, ExecutionStarted, SignalReceived, TaskRaised
from .calls import Emitted, EventsEmitted, TaskScheduled
from .failure import Failure
from .history import ContinuedAsNew, ExecutionRaised, HistoryEvent, TurnStarted
from .options import TaskOptions
from .retry import Retry

__all__ = [
    "FORM",
    "decode_events",
    "decode_failure",
    "decode_options",
    "encode_events",
    "encode_failure",
    "encode_options",
]

FORM = 1

_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

KINDS: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        TurnStarted,
        ExecutionStarted,
        arrivals.TaskSucceeded,
        TaskRaised,
        arrivals.TimerFired,
        arrivals.ChildSucceeded,
        ChildRaised,
        SignalReceived,
        arrivals.CancelRequested,
        arrivals.TerminateRequested,
        arrivals.DeadlinePassed,
        TaskScheduled,
        calls.TaskCancelRequested,
        calls.TimerStarted,
        calls.TimerCancelled,
        calls.ChildStarted,
        calls.CancelSent,
        calls.TerminateSent,
        calls.SignalSent,
        EventsEmitted,
        calls.StateSet,
        calls.AttributeSet,
        calls.PatchMarked,
        history.ExecutionSucceeded,
        ExecutionRaised,
        history.ExecutionCancelled,
        history.ExecutionTimedOut,
        history.ExecutionTerminated,
        ContinuedAsNew,
    )
}
"""The names on the wire. Renaming a class must not rename what is written: then give the old name here."""


def encode_events(events: Iterable[HistoryEvent]) -> str:
    """Return `events` as JSON text."""
    rows = [_row(event) for event in events]
    return _dump({"v": FORM, "events": rows})


def decode_events(text: str | bytes) -> list[HistoryEvent]:
    """Return the events that `text` holds; raises `HistoryUnreadable`."""
    try:
        document = json.loads(text)
        form, rows = document["v"], document["events"]
    except (ValueError, TypeError, KeyError) as error:
        raise HistoryUnreadable(
            f"not a history: {error}; expected an object with 'v' and 'events'"
        ) from error
    if form != FORM:
        raise HistoryUnreadable(
            f"the history has form {form!r}, this version reads {FORM}; upgrade service-kit"
        )
    return [_event(row) for row in rows]


def encode_failure(failure: Failure) -> str:
    """Return one failure as JSON text."""
    return _dump(_failure_row(failure))


def decode_failure(text: str | bytes) -> Failure:
    """Return the failure that `text` holds; raises `HistoryUnreadable`."""
    try:
        return _failure(json.loads(text))
    except (ValueError, TypeError) as error:
        raise HistoryUnreadable(f"not a failure: {error}") from error


def encode_options(options: TaskOptions) -> str:
    """Return the options of one call as JSON text."""
    return _dump(_options_object(options))


def decode_options(text: str | bytes) -> TaskOptions:
    """Return the options that `text` holds; raises `HistoryUnreadable`."""
    try:
        options = _options(json.loads(text))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise HistoryUnreadable(f"not the options of a task: {error}") from error
    return options or TaskOptions()


def _row(event: HistoryEvent) -> list[Any]:
    cls = type(event)
    row = [cls.__name__, *VALUES[cls](event)]
    nested = NESTED.get(cls)
    if nested is not None:
        index, pack, _ = nested
        row[index] = pack(row[index])
    while row[-1] is None:
        row.pop()
    return row


def _event(row: list[Any]) -> HistoryEvent:
    try:
        cls = KINDS[row[0]]
        nested = NESTED.get(cls)
        if nested is not None and len(row) > nested[0]:
            index, _, unpack = nested
            row[index] = unpack(row[index])
        event: HistoryEvent = cls(*row[1:])
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        kind = row[0] if isinstance(row, list) and row else row
        raise HistoryUnreadable(
            f"cannot read the event {kind!r:.80}: {error}; it is damaged, or of a newer version: upgrade service-kit"
        ) from error
    return event


def _values(cls: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that gives the fields of an instance, in order."""
    names = [field.name for field in fields(cls)]
    if len(names) > 1:
        return attrgetter(*names)
    return (lambda event: (getattr(event, names[0]),)) if names else lambda event: ()


def _failure_row(failure: Failure) -> list[Any]:
    row: list[Any] = [failure.type, failure.message, failure.kind, failure.fields, failure.traceback]
    return row if failure.cause is None else [*row, _failure_row(failure.cause)]


def _failure(row: list[Any]) -> Failure:
    name, message, kind, values, traceback = row[:5]
    return Failure(name, message, kind, values, traceback, _failure(row[5]) if len(row) > 5 else None)


def _signal_rows(signals: tuple[SignalReceived, ...]) -> list[Any] | None:
    return [[signal.id, signal.name, signal.payload] for signal in signals] or None


def _signals(rows: list[Any] | None) -> tuple[SignalReceived, ...]:
    return tuple(SignalReceived(*row) for row in rows or ())


def _emitted_rows(events: tuple[Emitted, ...]) -> list[Any]:
    return [[event.id, event.name, event.payload] for event in events]


def _emitted(rows: list[Any]) -> tuple[Emitted, ...]:
    return tuple(Emitted(*row) for row in rows)


def _options_object(options: TaskOptions | None) -> dict[str, Any] | None:
    if options is None:
        return None
    given = {field.name: getattr(options, field.name) for field in fields(options)}
    if options.retry is not None:
        given["retry"] = {field.name: getattr(options.retry, field.name) for field in fields(options.retry)}
    return {name: value for name, value in given.items() if value is not None}


def _options(given: dict[str, Any] | None) -> TaskOptions | None:
    if given is None:
        return None
    if (retry := given.get("retry")) is not None:
        retry["non_retryable"] = tuple(retry["non_retryable"])
        given["retry"] = Retry(**retry)
    return TaskOptions(**given)


VALUES: dict[type[Any], Callable[[Any], tuple[Any, ...]]] = {cls: _values(cls) for cls in KINDS.values()}

NESTED: dict[type[Any], tuple[int, Callable[[Any], Any], Callable[[Any], Any]]] = {
    TurnStarted: (2, lambda flags: list(flags) or None, lambda flags: tuple(flags or ())),
    ExecutionStarted: (8, _signal_rows, _signals),
    TaskRaised: (2, _failure_row, _failure),
    ChildRaised: (2, _failure_row, _failure),
    TaskScheduled: (5, _options_object, _options),
    EventsEmitted: (4, _emitted_rows, _emitted),
    ExecutionRaised: (1, _failure_row, _failure),
    ContinuedAsNew: (3, _signal_rows, _signals),
}
"""The one field of an event, by its place in the row, that holds more than what JSON has."""
