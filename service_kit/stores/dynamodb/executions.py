"""Executions in DynamoDB: a turn is one conditional write of one item, wherever it changes nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from service_kit.runtime.dispatcher import stored
from service_kit.runtime.ports import ClaimLost, Conflict, Unstorable
from service_kit.runtime.records import (
    ExecutionRecord,
    Known,
    NewExecution,
    StoredArrival,
    StoredExecution,
    TurnCommit,
    record_of,
)
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.following import Following
from service_kit.stores.dynamodb.items import chunk_of, due_of, meta_item, open_after, record_after
from service_kit.stores.dynamodb.keys import (
    DUE_AT,
    DUE_PK,
    META,
    PK,
    SK,
    arrival_sk,
    chunk_sk,
    execution_pk,
    state_sk,
    waiting_pk,
)
from service_kit.stores.dynamodb.outbox import encode_arrival
from service_kit.stores.dynamodb.positions import Position, Positions
from service_kit.stores.dynamodb.reading import Reader
from service_kit.stores.dynamodb.table import Table, Write, delete, put, update
from service_kit.stores.dynamodb.turns import pack, writes_of

_PAUSE_TRIES = 5


class DynamoExecutions:
    """The port `Executions`."""

    def __init__(
        self, table: Table, bodies: Bodies, *, queued: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._bodies = bodies
        self._queued = queued
        self._clock = clock
        self._positions = Positions(clock)
        self._arrived_ns = 0
        self.reader: Reader = Reader(table, bodies, self._positions)
        self.following: Following = Following(table, bodies, queued=queued)

    async def create(self, new: NewExecution, first: TurnCommit | None = None) -> ExecutionRecord | None:
        try:
            return await self._create(new, first)
        except UnicodeEncodeError as error:
            raise _no_text(error) from error

    async def load(self, id: str, known: Known | None = None) -> StoredExecution | None:
        return await self.reader.load(id, known)

    async def commit(self, turn: TurnCommit) -> None:
        try:
            position = await self._position(turn)
            await self._commit(turn, position)
        except UnicodeEncodeError as error:
            raise _no_text(error) from error

    async def deliver(
        self, id: str, arrival: StoredArrival, run: int | None = None, *, workflow: str | None = None
    ) -> bool:
        meta: Any = await self._table.get((execution_pk(id), META))
        if meta is None or run not in (None, meta["run"]) or workflow not in (None, meta["workflow"]):
            return False
        if "outcome" not in meta:
            # Duplicates find their place taken: by one that waits, or by the mark that a used signal leaves. What
            # came too late for an earlier run, where calls have the same numbers, gives its place up.
            free, held = f"attribute_not_exists(#{SK})", dict[str, Any]()
            if run is not None:
                free, held = f"{free} OR #run < :run", {"run": run}
            await self._table.write(put(await self._arrival_item(id, arrival, run), free, **held))
        return True

    async def read(self, id: str) -> ExecutionRecord | None:
        return await self.reader.record(id)

    async def state(self, id: str, name: str) -> str | None:
        item: Any = await self._table.get((execution_pk(id), state_sk(name)))
        return None if item is None else await self._bodies.unpack(item["value"])

    async def pause(self, id: str, reason: str | None) -> bool:
        """Put a mark in the place of the next turn, which no turn can then be committed to, or take it away."""
        kept = None if reason is None else await self._bodies.note(reason, id)
        for _ in range(_PAUSE_TRIES):
            record = await self.reader.record(id)
            if record is None or record.outcome is not None:
                return False
            if reason is None and record.paused is None:
                return True
            visited_s = self._clock() if self._queued else None
            writes = _resuming(record, visited_s) if kept is None else _pausing(record, kept)
            self._positions.forget(id)
            if await self._table.write_all(writes) is None:
                return True
        raise Conflict(f"execution '{id}' took a turn each time that it was to be paused; try again")

    def place(self, id: str) -> tuple[int, int] | None:
        """Return run and turn at which this process has seen an execution last."""
        position = self._positions.get(id)
        return None if position is None else (position.record.run, position.record.turn)

    def open_calls(self, id: str) -> frozenset[int]:
        """Return the calls whose tasks had no answer then; none of an execution that waits for no answers."""
        position = self._positions.get(id)
        return frozenset() if position is None or position.record.outcome is not None else position.open

    async def _create(self, new: NewExecution, first: TurnCommit | None) -> ExecutionRecord | None:
        record = record_of(new)
        after = record if first is None else record_after(record, first)
        started = first.successor if first is not None and first.successor is not None else new.started
        visited_s = new.created_at_s if self._queued else None
        begun = put(await meta_item(after, started, self._bodies, visited_s), f"attribute_not_exists(#{SK})")
        if first is None:
            made = await self._table.write(begun)
            return None if made is not None else await self._taken(record.id)
        try:
            await self._commit(first, Position(record, frozenset(), 0.0), begun)
        except Conflict:
            return await self._taken(record.id)
        return None

    async def _taken(self, id: str) -> ExecutionRecord:
        record = await self.reader.record(id)
        if record is None:
            raise Conflict(f"execution '{id}' was forgotten just now; start it again")
        return record

    async def _position(self, turn: TurnCommit) -> Position:
        """Return where an execution stands, if that is where the turn begins; raise Conflict otherwise."""
        position = self._positions.get(turn.execution)
        if position is not None and not self._positions.is_fresh(position):
            seen, record = position.record, await self.reader.record(turn.execution)
            same = record is not None and (record.run, record.turn) == (seen.run, seen.turn)
            position = self._positions.put(record, position.open) if record is not None and same else None
        if position is None:
            found = await self.reader.load(turn.execution, Known(turn.run, turn.turn))
            position = None if found is None else self._positions.get(turn.execution)
        if position is None:
            raise Conflict(f"execution '{turn.execution}' is gone")
        record = position.record
        here = (record.run, record.turn) == (turn.run, turn.turn)
        if not here or record.outcome is not None or record.paused is not None:
            self._positions.forget(turn.execution)
            raise _not_due(turn)
        return position

    async def _commit(self, turn: TurnCommit, position: Position, begun: Write | None = None) -> None:
        mark = secrets.token_hex(8)
        writes = writes_of(turn, position, await pack(turn, self._bodies), mark, begun, queued=self._queued)
        failed = await self._table.write_all(writes.together)
        if failed is not None and not await self._is_mine(turn, mark):
            self._positions.forget(turn.execution)
            lost = [n - 1 for n in failed if 0 < n <= len(writes.finished)]
            if lost and 0 not in failed:
                raise ClaimLost([turn.finished[n].key for n in lost])
            raise _not_due(turn)
        chunk = chunk_of(writes.chunk)
        self._positions.put(record_after(position.record, turn), open_after(position.open, [chunk]))
        await self.following.follow(chunk, turn.effects, writes.later)

    async def _is_mine(self, turn: TurnCommit, mark: str) -> bool:
        """Tell whether the turn was committed by this very call: its answer was lost, and boto3 asked again."""
        found = await self._table.get((execution_pk(turn.execution), chunk_sk(turn.run, turn.turn)))
        return found is not None and found.get("by") == mark

    async def _arrival_item(self, id: str, arrival: StoredArrival, run: int | None) -> dict[str, Any]:
        now_ns = int(self._clock() * 1e9)
        self._arrived_ns = max(now_ns, self._arrived_ns + 1)  # two of one moment keep their order
        return {
            PK: execution_pk(id),
            SK: arrival_sk(arrival.key),
            "key": None if stored(arrival.arrival).key == arrival.key else arrival.key,
            "body": await self._bodies.pack(encode_arrival(arrival.arrival), id, run),
            "run": run,
            "at": self._arrived_ns,
            DUE_PK: waiting_pk(id),
            DUE_AT: now_ns / 1e9,
        }


def _pausing(record: ExecutionRecord, text: str) -> list[Write]:
    mark = {PK: execution_pk(record.id), SK: chunk_sk(record.run, record.turn), "paused": text}
    change = f"SET #paused = :reason REMOVE #{DUE_PK}, #{DUE_AT}"
    running = f"attribute_exists(#{SK}) AND attribute_not_exists(#outcome)"
    return [
        put(mark, f"attribute_not_exists(#{SK}) OR attribute_exists(#paused)"),
        update((execution_pk(record.id), META), change, running, reason=text),
    ]


def _resuming(record: ExecutionRecord, visited_s: float | None) -> list[Write]:
    place = execution_pk(record.id), chunk_sk(record.run, record.turn)
    change, due = "REMOVE #paused", due_of(replace(record, paused=None), visited_s)
    if due[DUE_PK] is not None:
        change += f" SET #{DUE_PK} = :{DUE_PK}, #{DUE_AT} = :{DUE_AT}"
    return [
        delete(place, "attribute_exists(#paused)"),
        update((execution_pk(record.id), META), change, f"attribute_exists(#{SK})", **due),
    ]


def _not_due(turn: TurnCommit) -> Conflict:
    return Conflict(f"turn {turn.turn} of run {turn.run} of execution '{turn.execution}' is not due")


def _no_text(error: UnicodeEncodeError) -> Unstorable:
    return Unstorable(f"it cannot be stored: {error}; DynamoDB keeps text, and this is none")
