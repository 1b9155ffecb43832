"""Where payloads are in records: each function applies a change to all of one record's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from service_kit.engine.arrivals import (
    Arrival,
    CancelRequested,
    ChildRaised,
    ChildSucceeded,
    DeadlinePassed,
    ExecutionStarted,
    SignalReceived,
    TaskRaised,
    TaskSucceeded,
    TerminateRequested,
    TimerFired,
)
from service_kit.engine.failure import Failure
from service_kit.engine.wire import decode_failure, encode_failure
from service_kit.runtime.records import (
    ClaimedDelivery,
    ClaimedTask,
    DeadLetter,
    ExecutionRecord,
    PublishedEvent,
    StoredArrival,
    StoredExecution,
)
from service_kit.stores.packed.codec import MARK
from service_kit.stores.packed.packer import Change


def pack_failure(failure: Failure, change: Change) -> Failure:
    """Return a failure that holds all of itself in its message, if the change changes it."""
    text = encode_failure(failure)
    packed = change(text)
    return failure if packed == text else Failure(MARK, packed, failure.kind)


def unpack_failure(failure: Failure, change: Change) -> Failure:
    """Return the failure as it was, or as it is while what lies beside is still to be fetched."""
    if failure.type != MARK:
        return failure
    text = change(failure.message)
    return failure if text.startswith(MARK) else decode_failure(text)


def arrival(
    given: Arrival, change: Change, failures: Callable[[Failure, Change], Failure] = unpack_failure
) -> Arrival:
    match given:
        case TaskSucceeded(value=value) | ChildSucceeded(value=value):
            return replace(given, value=change(value))
        case TaskRaised(failure=failure) | ChildRaised(failure=failure):
            return replace(given, failure=failures(failure, change))
        case SignalReceived():
            return replace(given, payload=change(given.payload))
        case ExecutionStarted():
            return started(given, change)
        case TimerFired() | CancelRequested() | TerminateRequested() | DeadlinePassed():
            return given
    assert_never(given)


def started(given: ExecutionStarted, change: Change) -> ExecutionStarted:
    signals = tuple(replace(signal, payload=change(signal.payload)) for signal in given.signals)
    return replace(given, input=change(given.input), signals=signals)


def stored_arrival(
    given: StoredArrival, change: Change, failures: Callable[[Failure, Change], Failure] = unpack_failure
) -> StoredArrival:
    return replace(given, arrival=arrival(given.arrival, change, failures))


def execution(given: ExecutionRecord, change: Change) -> ExecutionRecord:
    if given.outcome is None and given.paused is None:
        return given
    return replace(given, outcome=maybe(given.outcome, change), paused=maybe(given.paused, change))


def stored_execution(given: StoredExecution, change: Change) -> StoredExecution:
    return StoredExecution(
        execution(given.record, change),
        [change(turn) for turn in given.history],
        [stored_arrival(one, change) for one in given.arrivals],
    )


def task(given: ClaimedTask, change: Change) -> ClaimedTask:
    return replace(given, input=change(given.input), details=maybe(given.details, change))


def event(given: PublishedEvent, change: Change) -> PublishedEvent:
    return replace(given, payload=change(given.payload))


def delivery(given: ClaimedDelivery, change: Change) -> ClaimedDelivery:
    return replace(given, event=event(given.event, change))


def letter(given: DeadLetter, change: Change) -> DeadLetter:
    return replace(given, event=event(given.event, change), failure=change(given.failure))


def outcome(given: tuple[str, str], change: Change) -> tuple[str, str]:
    """Return the id of an execution, with its outcome."""
    return given[0], change(given[1])


def maybe(text: str | None, change: Change) -> str | None:
    return None if text is None else change(text)
