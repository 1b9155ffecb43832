"""What committing a turn writes: one item if it can be, a transaction otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service_kit.runtime.dispatcher import SIGNAL_PREFIX
from service_kit.runtime.ports import Unstorable
from service_kit.runtime.records import Claim, ExecutionRecord, ScheduleTask, TaskKey, TurnCommit
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.items import (
    STARTED,
    TASK_PREFIX,
    body_of,
    due_of,
    record_after,
)
from service_kit.stores.dynamodb.keys import (
    DUE_AT,
    DUE_PK,
    LIST_PK,
    META,
    PK,
    SK,
    TTL,
    arrival_sk,
    chunk_sk,
    execution_pk,
    listing_pk,
    pending_pk,
    state_sk,
    task_place,
)
from service_kit.stores.dynamodb.outbox import encode_arrival
from service_kit.stores.dynamodb.positions import Position
from service_kit.stores.dynamodb.table import TRANSACTION_MOST, Write, delete, put, update

DAY_S = 86_400.0
DONE_KEPT_S = 7 * DAY_S
"""How long a finished task is remembered: longer than anybody may take to let the effects of a turn happen again."""
MINE = "#owner = :owner AND #epoch = :epoch AND attribute_not_exists(#done)"
"""The condition under which a task is changed by whoever has claimed it."""


@dataclass(frozen=True, slots=True)
class Writes:
    """The writes of one turn."""

    chunk: dict[str, Any]
    finished: Sequence[Write]
    """Of tasks whose answers are in the turn, each valid under its claim only."""
    rest: Sequence[Write]
    """The record, and states: at once with the chunk."""
    clearing: Sequence[Write]
    """Of used arrivals. What finds no room in the transaction comes after it: the chunk says that it was used."""

    @property
    def together(self) -> list[Write]:
        """Return the writes of the transaction: first the chunk, then what was finished."""
        return self._all[:TRANSACTION_MOST]

    @property
    def later(self) -> list[Write]:
        return self._all[TRANSACTION_MOST:]

    @property
    def _all(self) -> list[Write]:
        placed = put(self.chunk, f"attribute_not_exists(#{SK})")
        return [placed, *self.finished, *self.rest, *self.clearing]


@dataclass(frozen=True, slots=True)
class Packed:
    """The texts of a turn as attribute values."""

    body: Any
    states: Mapping[str, Any]
    outcome: Any
    started: Any


async def pack(turn: TurnCommit, bodies: Bodies) -> Packed:
    successor = None if turn.successor is None else encode_arrival(turn.successor)
    return Packed(
        await body_of(turn, bodies),
        {name: await bodies.pack(value, turn.execution) for name, value in turn.states.items()},
        await bodies.pack(turn.outcome, turn.execution),
        await bodies.pack(successor, turn.execution, turn.run + 1),
    )


def writes_of(
    turn: TurnCommit, position: Position, packed: Packed, mark: str, begun: Write | None, *, queued: bool
) -> Writes:
    """Return what a turn writes; `begun` is the record of an execution that begins with it.

    With queues, the items of tasks stay as they are: the chunk says that they are done.
    """
    record = position.record
    after = record_after(record, turn)
    moves = (after.run, after.wake_at_s, after.status) != (record.run, record.wake_at_s, record.status)
    moves = moves or bool(turn.attributes)
    touch = _touch(turn, after, packed, turn.at_s if queued else None)
    touched = [begun] if begun is not None else [touch] if moves else []
    pk = execution_pk(turn.execution)
    states = [put({PK: pk, SK: state_sk(name), "value": value}) for name, value in packed.states.items()]
    finished = [] if queued else [finish(done.key, turn.at_s, done.claim) for done in turn.finished]
    needed = 1 + len(finished) + len(touched) + len(states)
    if needed > TRANSACTION_MOST:
        raise Unstorable(
            f"turn {turn.turn} of execution '{turn.execution}' sets {len(states)} states and uses {len(finished)} "
            f"answers at once; DynamoDB changes {TRANSACTION_MOST} items together: do less between two waits"
        )
    chunk = chunk_item(turn, packed.body, mark)
    beside = {f"{TASK_PREFIX}{done.key.seq}" for done in turn.finished}  # a transaction changes an item once
    used = [key for key in turn.used if key not in beside]
    clearing = clearing_of(turn.execution, turn.run, used, position.open, turn.at_s, queued=queued)
    more = needed + len(clearing) > TRANSACTION_MOST
    if more:
        chunk["more"] = 1
    if not queued and (turn.effects or more or chunk["closes"]):
        chunk |= {DUE_PK: pending_pk(turn.execution), DUE_AT: turn.at_s}
    return Writes(chunk, finished, [*touched, *states], clearing)


def chunk_item(turn: TurnCommit, body: Any, mark: str) -> dict[str, Any]:
    """Return the chunk of a turn; `mark` tells it from one that somebody else has put in its place."""
    used = [key for key in turn.used if key != STARTED]
    done = {done.key.seq for done in turn.finished}
    done.update(int(key.removeprefix(TASK_PREFIX)) for key in used if key.startswith(TASK_PREFIX))
    tasks = [e.key.seq for e in turn.effects if isinstance(e, ScheduleTask)]
    closes = "continued" if turn.successor is not None else "ended" if turn.outcome is not None else None
    return {
        PK: execution_pk(turn.execution),
        SK: chunk_sk(turn.run, turn.turn),
        "body": body,
        "used": used or None,
        "tasks": tasks or None,
        "done": sorted(done) or None,
        "wake_at": turn.wake_at_s,
        "closes": closes,
        "at": turn.at_s,
        "by": mark,
    }


def clearing_of(
    execution: str, run: int, used: Sequence[str], open: frozenset[int], at_s: float, *, queued: bool
) -> list[Write]:
    """Return what makes used arrivals wait no longer. Signals are remembered for a day."""
    pk, writes = execution_pk(execution), list[Write]()
    for key in used:
        if key == STARTED:
            continue
        if key.startswith(TASK_PREFIX) and (seq := int(key.removeprefix(TASK_PREFIX))) in open:
            if not queued:
                writes.append(finish(TaskKey(execution, run, seq), at_s))
        elif key.startswith(SIGNAL_PREFIX):
            change = f"SET #used_at = :at, #{TTL} = :ttl REMOVE #body, #at, #{DUE_PK}, #{DUE_AT}"
            writes.append(update((pk, arrival_sk(key)), change, at=at_s, ttl=ttl_of(at_s, DAY_S)))
        else:
            writes.append(delete((pk, arrival_sk(key))))
    return writes


def finish(key: TaskKey, at_s: float, claim: Claim | None = None) -> Write:
    """Return what makes a task finished: a mark stays for some days, so that it is not scheduled again."""
    change = (
        f"SET #done = :one, #{TTL} = :ttl"
        f" REMOVE #owner, #until, #input, #answer, #details, #{DUE_PK}, #{DUE_AT}"
    )
    ttl = ttl_of(at_s, DONE_KEPT_S)
    if claim is None:
        return update(task_place(key), change, one=1, ttl=ttl)
    return update(task_place(key), change, MINE, one=1, ttl=ttl, owner=claim.owner, epoch=claim.epoch)


def ttl_of(at_s: float, kept_s: float) -> int:
    return math.ceil(at_s + kept_s)


def _touch(turn: TurnCommit, after: ExecutionRecord, packed: Packed, visited_s: float | None) -> Write:
    """Return the change of the record: only where one of its indexes has to know, or whoever lists it."""
    values: dict[str, Any] = {
        "run": after.run,
        "turn": after.turn,
        "status": after.status,
        "wake_at": after.wake_at_s,
        LIST_PK: listing_pk(after.status, after.workflow, after.id),
        **due_of(after, visited_s),
    }
    if turn.outcome is not None:
        values |= {"ended_at": after.ended_at_s, "outcome": packed.outcome}
    if turn.successor is not None:
        values["started"] = packed.started
    return _changed(turn.execution, values, turn.attributes)


def _changed(execution: str, values: dict[str, Any], attributes: Mapping[str, str | None]) -> Write:
    """Return a change of the record. Search attributes are changed one by one: those of others may be newer."""
    places = {name: f"#{name}" for name in values}
    named = {f"attribute_{n}": name for n, name in enumerate(attributes)}
    places |= {alias: f"#attributes.#{alias}" for alias in named}
    values |= {alias: attributes[name] for alias, name in named.items()}
    given = {name: value for name, value in values.items() if value is not None}
    change = "SET " + ", ".join(f"{places[name]} = :{name}" for name in given)
    gone = [places[name] for name in values if name not in given]
    if gone:
        change += f" REMOVE {', '.join(gone)}"
    place = execution_pk(execution), META
    return replace(update(place, change, f"attribute_exists(#{SK})", **given), names=named)
