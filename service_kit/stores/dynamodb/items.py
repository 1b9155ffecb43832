"""Items of executions: the record, the chunk of each turn, and what has arrived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service_kit.engine.arrivals import ExecutionStarted, TaskSucceeded
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.records import Effect, ExecutionRecord, TurnCommit, changed_attributes
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.keys import (
    CHUNK,
    DUE_AT,
    DUE_PK,
    LIST_PK,
    LIST_SK,
    META,
    PK,
    SK,
    ended_pk,
    execution_pk,
    listing_pk,
    listing_sk,
    visit_pk,
    wake_pk,
)
from service_kit.stores.dynamodb.outbox import (
    decode_effects,
    decode_parent,
    encode_arrival,
    encode_effects,
    encode_parent,
)
from service_kit.stores.dynamodb.values import Item

VISIT_S = 3_600.0
"""How often an execution is looked at to which nothing happens: an answer's wake-up may have been lost."""
STARTED = "started"
"""The key of the first arrival, which stands in the record."""
TASK_PREFIX: str = stored(TaskSucceeded(0, "")).key.removesuffix("0")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a chunk says of itself without its body."""

    run: int
    turn: int
    used: Sequence[str]
    tasks: Sequence[int]
    """The calls whose tasks it schedules."""
    done: Sequence[int]
    """The calls whose tasks it answers."""
    wake_at_s: float | None
    closes: str | None
    """Whether it ends its execution (`ended`) or its run (`continued`)."""
    paused: str | None
    """Of a mark that takes the place of the next chunk while the execution is paused."""
    at_s: float
    """When it was taken."""
    more: bool
    """Whether one transaction could not hold all that the turn has used."""
    item: Item


def chunk_of(item: Item) -> Chunk:
    found: Any = item
    run, turn = found[SK].removeprefix(CHUNK).split("#")
    wake_at = found.get("wake_at")
    return Chunk(
        int(run),
        int(turn),
        found.get("used") or (),
        found.get("tasks") or (),
        found.get("done") or (),
        None if wake_at is None else float(wake_at),
        found.get("closes"),
        found.get("paused"),
        float(found.get("at", 0)),
        "more" in found,
        item,
    )


def open_after(open: frozenset[int], chunks: Iterable[Chunk]) -> frozenset[int]:
    """Return the calls whose tasks have no answer after these turns."""
    left = set(open)
    for chunk in chunks:
        left.update(chunk.tasks)
        left.difference_update(chunk.done)
    return frozenset(left)


async def body_of(turn: TurnCommit, bodies: Bodies) -> Any:
    """Return events and effects in one value: inputs stand in both, and compress to next to nothing together."""
    effects = encode_effects(turn.effects) if turn.effects else ""
    return await bodies.pack(f"{len(turn.events)}:{turn.events}{effects}", turn.execution, turn.run)


async def events_of(chunk: Chunk, bodies: Bodies) -> str:
    return (await _read(chunk, bodies))[0]


async def effects_of(chunk: Chunk, bodies: Bodies) -> list[Effect]:
    text = (await _read(chunk, bodies))[1]
    return decode_effects(text) if text else []


async def _read(chunk: Chunk, bodies: Bodies) -> tuple[str, str]:
    length, _, text = (await bodies.unpack(chunk.item["body"])).partition(":")
    return text[: int(length)], text[int(length) :]


def record_after(record: ExecutionRecord, turn: TurnCommit) -> ExecutionRecord:
    """Return the record of an execution that has taken a turn."""
    attributes = changed_attributes(record.attributes, turn.attributes)
    if turn.successor is not None:
        return replace(record, run=record.run + 1, turn=0, wake_at_s=turn.at_s, attributes=attributes)
    return replace(
        record,
        turn=record.turn + 1,
        wake_at_s=turn.wake_at_s,
        status=turn.status,
        outcome=turn.outcome,
        ended_at_s=None if turn.outcome is None else turn.at_s,
        attributes=attributes,
    )


async def meta_item(
    record: ExecutionRecord, started: ExecutionStarted, bodies: Bodies, visited_s: float | None
) -> dict[str, Any]:
    """Return the item of a record. Its `turn` is that of the last time it was touched: the chunks know better."""
    return {
        PK: execution_pk(record.id),
        SK: META,
        "id": record.id,
        "workflow": record.workflow,
        "status": record.status,
        "digest": record.input_digest,
        "created_at": record.created_at_s,
        "ended_at": record.ended_at_s,
        "run": record.run,
        "turn": record.turn,
        "wake_at": record.wake_at_s,
        "parent": encode_parent(record.parent),
        "attributes": dict(record.attributes),
        "outcome": await bodies.pack(record.outcome, record.id),
        "started": await bodies.pack(encode_arrival(started), record.id, started.run),
        LIST_PK: listing_pk(record.status, record.workflow, record.id),
        LIST_SK: listing_sk(record.created_at_s, record.id),
        **due_of(record, visited_s),
    }


def due_of(record: ExecutionRecord, visited_s: float | None) -> dict[str, Any]:
    """Return where a record stands in the index of what is due: None for nowhere.

    With `visited_s`, the time of the last look at it, one that is not due for long stands there for the next look.
    """
    if record.outcome is not None:
        return {DUE_PK: ended_pk(record.id), DUE_AT: record.ended_at_s}
    if record.paused is not None:
        return {DUE_PK: None, DUE_AT: None}
    if visited_s is not None and (record.wake_at_s is None or record.wake_at_s > visited_s + VISIT_S):
        return {DUE_PK: visit_pk(record.id), DUE_AT: visited_s + VISIT_S}
    if record.wake_at_s is None:
        return {DUE_PK: None, DUE_AT: None}
    return {DUE_PK: wake_pk(record.id), DUE_AT: record.wake_at_s}


async def record_of_item(item: Item, bodies: Bodies) -> ExecutionRecord:
    found: Any = item
    outcome, paused = found.get("outcome"), found.get("paused")
    return ExecutionRecord(
        id=found["id"],
        workflow=found["workflow"],
        status=found["status"],
        input_digest=found["digest"],
        created_at_s=float(found["created_at"]),
        ended_at_s=_seconds(found.get("ended_at")),
        run=found["run"],
        turn=found["turn"],
        wake_at_s=_seconds(found.get("wake_at")),
        parent=decode_parent(found.get("parent")),
        paused=None if paused is None else await bodies.unpack(paused),
        attributes=found["attributes"],
        outcome=None if outcome is None else await bodies.unpack(outcome),
    )


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)
