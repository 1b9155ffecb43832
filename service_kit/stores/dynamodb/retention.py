"""Forgetting executions and large payloads. Used signals, finished tasks and deliveries have a time to live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from service_kit.stores.dynamodb.due import entries
from service_kit.stores.dynamodb.keys import META, PK, SK, shards
from service_kit.stores.dynamodb.positions import FRESH_S
from service_kit.stores.dynamodb.table import Table
from service_kit.stores.dynamodb.waste import Shelf, Waste

ENDED_FOR_S = 2 * FRESH_S
"""How long an execution has been over before it is forgotten, whatever is asked for."""


class DynamoRetention:
    """The port `Retention`."""

    def __init__(self, table: Table, clock: Callable[[], float], shelf: Shelf | None = None) -> None:
        self._table = table
        self._clock = clock
        self._waste = None if shelf is None else Waste(table, shelf)

    async def forget(self, ended_before_s: float | None, used_before_s: float, limit: int) -> int:
        ended = 0 if ended_before_s is None else await self._forget_ended(ended_before_s, limit)
        return ended if self._waste is None else ended + await self._waste.drop(used_before_s, limit)

    async def _forget_ended(self, ended_before_s: float, limit: int) -> int:
        before_s = min(ended_before_s, self._clock() - ENDED_FOR_S)
        found = await entries(self._table, shards("y"), before_s, limit)
        gone = found[:limit]
        await asyncio.gather(*(self._forget(str(entry[PK])) for entry in gone))
        return len(gone)

    async def _forget(self, pk: str) -> None:
        items = await self._table.query(pk, "!", "~", only=(PK, SK))
        # The record last: a new execution of this id must not meet what the old one has left.
        await self._table.delete_many((pk, str(item[SK])) for item in items if item[SK] != META)
        await self._table.delete_many([(pk, META)])
