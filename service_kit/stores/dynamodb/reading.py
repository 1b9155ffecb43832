"""Reading executions: all of one that is cold, and only what is new of one that is warm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service_kit.runtime.dispatcher import stored
from service_kit.runtime.records import ExecutionRecord, Known, StoredArrival, StoredExecution
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.items import Chunk, chunk_of, events_of, open_after, record_of_item
from service_kit.stores.dynamodb.keys import ARRIVAL, CHUNK, META, chunk_sk, execution_pk, task_sk
from service_kit.stores.dynamodb.outbox import decode_arrival
from service_kit.stores.dynamodb.positions import Position, Positions
from service_kit.stores.dynamodb.table import Table
from service_kit.stores.dynamodb.values import Item

ARRIVALS = ARRIVAL, "a$"
"""The range of the sort keys of arrivals: `$` follows `#`."""
_LAST = 99_999_999
_LOOKS = 5


class Reader:
    """Reads executions consistently, and remembers where they stand."""

    def __init__(self, table: Table, bodies: Bodies, positions: Positions) -> None:
        self._table = table
        self._bodies = bodies
        self._positions = positions

    async def record(self, id: str) -> ExecutionRecord | None:
        """Return the record of an execution, with the turn at which it is."""
        for _ in range(_LOOKS):
            meta, chunk = await asyncio.gather(self._table.get((execution_pk(id), META)), self._last(id))
            if meta is None:
                return None
            record = await record_of_item(meta, self._bodies)
            if _agree(record, chunk):
                return _at(record, chunk)
        raise RuntimeError(f"execution '{id}' changed each time that it was read; try again")

    async def load(self, id: str, known: Known | None) -> StoredExecution | None:
        """Return an execution, and what waits for it."""
        position = self._positions.get(id)
        if position is not None and known is not None and self._is_here(position, known):
            found = await self._load_warm(position)
            if found is not None:
                return found
        for _ in range(_LOOKS):
            meta = await self._table.get((execution_pk(id), META))
            if meta is None:
                self._positions.forget(id)
                return None
            loaded = await self._load_cold(meta, known)
            if loaded is not None:
                return loaded
        raise RuntimeError(f"execution '{id}' changed each time that it was read; try again")

    def _is_here(self, position: Position, known: Known) -> bool:
        at = position.record.run, position.record.turn
        return known.turn > 0 and at == (known.run, known.turn) and self._positions.is_fresh(position)

    async def _load_warm(self, position: Position) -> StoredExecution | None:
        """Return what is new of an execution; None if somebody else has moved it, or paused or resumed it."""
        record = position.record
        pk = execution_pk(record.id)
        chunks, waiting, answers = await asyncio.gather(
            self._table.query(pk, chunk_sk(record.run, record.turn), chunk_sk(record.run, _LAST)),
            self._table.query(pk, *ARRIVALS),
            self._answers(record, position.open),
        )
        if chunks or record.paused is not None or record.outcome is not None:
            return None
        return StoredExecution(record, [], await self._arrivals(record, [*waiting, *answers], ()))

    async def _load_cold(self, meta: Item, known: Known | None) -> StoredExecution | None:
        """Return an execution; None if it changed while it was read."""
        record = await record_of_item(meta, self._bodies)
        pk = execution_pk(record.id)
        items, waiting = await asyncio.gather(
            self._table.query(pk, chunk_sk(record.run, 0), chunk_sk(record.run, _LAST)),
            self._table.query(pk, *ARRIVALS),
        )
        places = [chunk_of(item) for item in items]
        chunks = [chunk for chunk in places if chunk.paused is None]
        if not _agree(record, places[-1] if places else None):
            return None
        record = _at(record, places[-1] if places else None)
        unanswered = open_after(frozenset(), chunks)
        used = {key for chunk in chunks for key in chunk.used}
        answers = await self._answers(record, unanswered)
        self._positions.put(record, unanswered)
        skip = known.turn if known is not None and known.run == record.run else 0
        history = [await events_of(chunk, self._bodies) for chunk in chunks[skip:]]
        arrivals = await self._arrivals(record, [*waiting, *answers], used)
        if record.turn == 0 and record.outcome is None:
            arrivals.insert(0, stored(decode_arrival(await self._bodies.unpack(meta["started"]))))
        return StoredExecution(record, history, arrivals)

    async def _answers(self, record: ExecutionRecord, open: frozenset[int]) -> list[Item]:
        if record.outcome is not None or not open:
            return []
        places = [(execution_pk(record.id), task_sk(record.run, seq)) for seq in sorted(open)]
        return [item for item in await self._table.get_many(places) if "answer" in item]

    async def _arrivals(
        self, record: ExecutionRecord, items: Sequence[Item], used: set[str] | tuple[()]
    ) -> list[StoredArrival]:
        if record.outcome is not None:
            return []
        waiting: list[Any] = [
            item for item in items if "used_at" not in item and item.get("run", record.run) == record.run
        ]
        waiting.sort(key=lambda item: item["at"])
        arrivals = [await self._arrival(item) for item in waiting]
        return [arrival for arrival in arrivals if arrival.key not in used]

    async def _arrival(self, item: Any) -> StoredArrival:
        text = await self._bodies.unpack(item["answer" if "answer" in item else "body"])
        found = stored(decode_arrival(text))
        return replace(found, key=item["key"]) if "key" in item else found

    async def latest(self, id: str, limit: int | None = None) -> list[Chunk]:
        """Return the latest chunks of an execution (None: all), of whatever run, the last one first."""
        most = None if limit is None else limit + 1
        items = await self._table.query(execution_pk(id), CHUNK, "j$", limit=most, backwards=True)
        return [chunk for item in items if (chunk := chunk_of(item)).paused is None][:limit]

    async def _last(self, id: str) -> Chunk | None:
        items = await self._table.query(execution_pk(id), CHUNK, "j$", limit=1, backwards=True)
        return chunk_of(items[0]) if items else None


def _agree(record: ExecutionRecord, last: Chunk | None) -> bool:
    """Tell whether a record and the last chunk are of one moment: they are read one after the other."""
    if last is None:
        return record.paused is None or record.outcome is not None
    if record.run != last.run:
        return record.run == last.run + 1 and last.closes == "continued"
    ended, paused = record.outcome is not None, record.paused is not None
    if last.closes == "continued" or (last.closes == "ended") != ended:
        return False
    return ended or paused == (last.paused is not None)


def _at(record: ExecutionRecord, last: Chunk | None) -> ExecutionRecord:
    """Return a record with the number of the turns that are committed."""
    if last is None or last.run != record.run:
        return replace(record, turn=0)
    return replace(record, turn=last.turn if last.paused is not None else last.turn + 1)
