"""Effects as JSON: a committed turn carries them, so that whoever finds it can let them happen again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, assert_never

from service_kit.engine.arrivals import Arrival
from service_kit.engine.wire import decode_events, decode_options, encode_events, encode_options
from service_kit.runtime.records import (
    CancelTask,
    Claim,
    CreateExecution,
    Deliver,
    Effect,
    NewExecution,
    ParentLink,
    Publish,
    PublishedEvent,
    ScheduleTask,
    StoredArrival,
    TaskKey,
)


def encode_effects(effects: Sequence[Effect]) -> str:
    return json.dumps([_row(effect) for effect in effects], separators=(",", ":"), ensure_ascii=False)


def decode_effects(text: str) -> list[Effect]:
    return [_effect(row) for row in json.loads(text)]


def encode_arrival(arrival: Arrival) -> str:
    return encode_events([arrival])


def decode_arrival(text: str) -> Any:
    return decode_events(text)[0]


def encode_publish(publish: Publish) -> list[Any]:
    event = publish.event
    envelope = [event.id, event.name, event.source, event.time_s, event.payload, event.trace]
    return [envelope, list(publish.subscriptions)]


def decode_publish(row: list[Any]) -> Publish:
    envelope, subscriptions = row
    return Publish(PublishedEvent(*envelope), tuple(subscriptions))


def encode_parent(parent: ParentLink | None) -> list[Any] | None:
    return None if parent is None else [parent.execution, parent.run, parent.seq, parent.on_close]


def decode_parent(row: list[Any] | None) -> ParentLink | None:
    return None if row is None else ParentLink(*row)


def _row(effect: Effect) -> list[Any]:
    match effect:
        case ScheduleTask(key=key, claim=claim):
            options = None if effect.options is None else encode_options(effect.options)
            held = None if claim is None else [claim.owner, claim.until_s, claim.epoch]
            return ["task", *_key(key), effect.name, effect.input, options, effect.scheduled_at_s, held]
        case CancelTask(key=key):
            return ["cancel", *_key(key)]
        case CreateExecution(new=new, if_taken=if_taken, may_be_taken=may_be_taken):
            return ["child", _new(new), _stored(if_taken), may_be_taken]
        case Deliver(execution=execution, arrival=arrival, run=run):
            return ["deliver", execution, _stored(arrival), run]
        case Publish():
            return ["publish", encode_publish(effect)]
    assert_never(effect)


def _effect(row: list[Any]) -> Effect:
    match row:
        case ["task", execution, run, seq, name, payload, options, at_s, held]:
            chosen = None if options is None else decode_options(options)
            claim = None if held is None else Claim(*held)
            return ScheduleTask(TaskKey(execution, run, seq), name, payload, chosen, at_s, claim)
        case ["cancel", execution, run, seq]:
            return CancelTask(TaskKey(execution, run, seq))
        case ["child", new, if_taken, may_be_taken]:
            return CreateExecution(_new_of(new), _arrival_of(if_taken), may_be_taken)
        case ["deliver", execution, arrival, run]:
            return Deliver(execution, _arrival_of(arrival), run)
        case ["publish", publish]:
            return decode_publish(publish)
        case _:
            raise ValueError(
                f"cannot read the effect {row!r:.80}; it is of a newer version: upgrade service-kit"
            )


def _key(key: TaskKey) -> list[Any]:
    return [key.execution, key.run, key.seq]


def _stored(arrival: StoredArrival) -> list[Any]:
    return [arrival.key, encode_arrival(arrival.arrival)]


def _arrival_of(row: list[Any]) -> StoredArrival:
    return StoredArrival(row[0], decode_arrival(row[1]))


def _new(new: NewExecution) -> list[Any]:
    times = [new.created_at_s, new.begin_at_s]
    started = encode_arrival(new.started)
    return [started, new.input_digest, *times, encode_parent(new.parent), dict(new.attributes)]


def _new_of(row: list[Any]) -> NewExecution:
    started, digest, created_at_s, begin_at_s, parent, attributes = row
    return NewExecution(
        decode_arrival(started), digest, created_at_s, begin_at_s, decode_parent(parent), attributes
    )
