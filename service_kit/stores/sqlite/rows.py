"""Records as rows, and back."""

from __future__ import annotations

import json
from typing import Any

from service_kit.engine.arrivals import Arrival
from service_kit.engine.options import TaskOptions
from service_kit.engine.wire import decode_events, decode_options, encode_events, encode_options
from service_kit.runtime.records import (
    Claim,
    ClaimedDelivery,
    ClaimedTask,
    DeadLetter,
    ExecutionRecord,
    ParentLink,
    PublishedEvent,
    StoredArrival,
    TaskKey,
)

EXECUTION = (
    "id, workflow, status, input_digest, created_at, ended_at, run, turn, wake_at, parent, paused, attributes,"
    " outcome"
)
TASK = (
    "execution, run, seq, name, input, options, scheduled_at, attempt, owner, epoch, details, cancelled,"
    " available_at"
)


def execution_of(row: tuple[Any, ...]) -> ExecutionRecord:
    """Return the record of a row of `EXECUTION` columns."""
    id_, workflow, status, digest, created_at_s, ended_at_s, run, turn, wake_at_s, *rest = row
    parent, paused, attributes, outcome = rest
    return ExecutionRecord(
        id=id_,
        workflow=workflow,
        status=status,
        input_digest=digest,
        created_at_s=created_at_s,
        ended_at_s=ended_at_s,
        run=run,
        turn=turn,
        wake_at_s=wake_at_s,
        parent=parent_of(parent),
        paused=paused,
        attributes=json.loads(attributes),
        outcome=outcome,
    )


def parent_of(text: str | None) -> ParentLink | None:
    return None if text is None else ParentLink(*json.loads(text))


def parent_text(parent: ParentLink | None) -> str | None:
    return None if parent is None else json.dumps([parent.execution, parent.run, parent.seq, parent.on_close])


def arrival_text(arrival: Arrival) -> str:
    return encode_events([arrival])


def arrival_of(key: str, text: str) -> StoredArrival:
    event: Any = decode_events(text)[0]
    return StoredArrival(key, event)


def options_text(options: TaskOptions | None) -> str | None:
    return None if options is None else encode_options(options)


def task_of(row: tuple[Any, ...], claim: Claim, attempt: int) -> ClaimedTask:
    """Return the claimed task of a row of `TASK` columns, as it was before the claim."""
    execution, run, seq, name, payload, options, scheduled_at_s, _, owner, _, details, *_ = row
    chosen = None if options is None else decode_options(options)
    key = TaskKey(execution, run, seq)
    return ClaimedTask(
        key, name, payload, chosen, scheduled_at_s, attempt, claim, details, lost=owner is not None
    )


def envelope_text(event: PublishedEvent) -> str:
    return json.dumps([event.id, event.name, event.source, event.time_s, event.payload, event.trace])


def event_of(text: str) -> PublishedEvent:
    return PublishedEvent(*json.loads(text))


def delivery_of(row: tuple[Any, ...], claim: Claim, attempt: int) -> ClaimedDelivery:
    envelope, subscription, _, owner, *_ = row
    return ClaimedDelivery(event_of(envelope), subscription, attempt, claim, lost=owner is not None)


def letter_of(row: tuple[Any, ...]) -> DeadLetter:
    envelope, subscription, attempt, failure, died_at_s = row
    return DeadLetter(event_of(envelope), subscription, attempt, failure, died_at_s)
