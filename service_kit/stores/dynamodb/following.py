"""What follows a committed turn: its effects, and what can be cleared away. Whoever finds it undone does it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from service_kit.runtime.records import Effect, ScheduleTask
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.items import Chunk, chunk_of, effects_of
from service_kit.stores.dynamodb.keys import (
    ARRIVAL,
    BY_DUE,
    CHUNK,
    DUE_AT,
    DUE_PK,
    PK,
    SK,
    chunk_sk,
    shards,
    task_sk,
)
from service_kit.stores.dynamodb.table import Table, Write, update
from service_kit.stores.dynamodb.turns import clearing_of
from service_kit.stores.dynamodb.values import Item

GRACE_S = 10.0
"""How long whoever has committed a turn may take for its effects before others do it for him."""
_LAST = 99_999_999

Apply: TypeAlias = Callable[[Effect], Awaitable[None]]


class Following:
    """Follows turns up. `apply` lets one effect happen; it may happen again."""

    def __init__(self, table: Table, bodies: Bodies, *, queued: bool) -> None:
        self._table = table
        self._bodies = bodies
        self._queued = queued
        self.apply: Apply = _undone

    async def follow(self, chunk: Chunk, effects: Sequence[Effect], later: Sequence[Write] = ()) -> None:
        """Let what a committed turn asks for happen; with queues, effects are the host's to dispatch."""
        if later:
            await asyncio.gather(*(self._table.write(one) for one in later))
        if not self._queued:
            await asyncio.gather(*(self.apply(e) for e in effects if isinstance(e, ScheduleTask)))
            for effect in effects:
                if not isinstance(effect, ScheduleTask):
                    await self.apply(effect)  # one after the other: signals to one execution keep their order
        if chunk.closes is not None:
            await self._clear(chunk)
        if DUE_PK in chunk.item:
            place = str(chunk.item[PK]), str(chunk.item[SK])
            change = f"REMOVE #{DUE_PK}, #{DUE_AT}"
            await self._table.write(update(place, change, f"attribute_exists(#{SK})"))

    async def relay(self, now_s: float, limit: int) -> None:
        """Follow up turns whose process died between them and their effects."""
        condition = f"#{DUE_PK} = :pk AND #{DUE_AT} <= :at"
        found = await asyncio.gather(
            *(
                self._table.query_index(BY_DUE, condition, {"pk": pk, "at": now_s - GRACE_S}, limit=limit)
                for pk in shards("p")
            )
        )
        for entry in (each for entries in found for each in entries):
            await self.again((str(entry[PK]), str(entry[SK])))

    async def again(self, place: tuple[str, str]) -> None:
        """Follow up one turn, if that is still to be done."""
        item = await self._table.get(place)
        if item is None or DUE_PK not in item:
            return
        chunk = chunk_of(item)
        await self.follow(chunk, await effects_of(chunk, self._bodies), self.left_over(chunk))

    def left_over(self, chunk: Chunk) -> list[Write]:
        """Return what a transaction had no room for; doing all of it again is harmless."""
        if not chunk.more:
            return []
        execution, at_s = str(chunk.item[PK])[2:], chunk.at_s
        done = frozenset(chunk.done)
        writes = clearing_of(execution, chunk.run, chunk.used, done, at_s, queued=self._queued)
        # By now the answer to a call of the next run may be in the same place.
        own, run = "attribute_not_exists(#run) OR #run = :run", {"run": chunk.run}
        return [replace(one, when=own, values=run) if one.kind == "Delete" else one for one in writes]

    async def _clear(self, chunk: Chunk) -> None:
        """Delete what nobody reads any more.

        After an execution: what has arrived for it. After a run: the run before it, of which nobody can be
        dispatching anything any more.
        """
        pk = str(chunk.item[PK])
        if chunk.closes == "ended":
            ranges = [(ARRIVAL, "a$")]
        elif chunk.run > 0:
            run = chunk.run - 1
            ranges = [(chunk_sk(run, 0), chunk_sk(run, _LAST)), (task_sk(run, 0), task_sk(run, _LAST))]
        else:
            return
        for low, high in ranges:
            items = await self._table.query(pk, low, high, only=(PK, SK, DUE_PK))
            gone = [str(item[SK]) for item in items if not _is_pending(item)]
            await self._table.delete_many((pk, sk) for sk in gone)


def _is_pending(item: Item) -> bool:
    """Tell whether an item is a turn whose effects are still to happen."""
    return DUE_PK in item and str(item[SK]).startswith(CHUNK)


async def _undone(effect: Effect) -> None:
    raise RuntimeError(f"nobody was told how to let {type(effect).__name__} happen")
