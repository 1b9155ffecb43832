"""Looking into the index of what is due."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from service_kit.stores.dynamodb.keys import BY_DUE, DUE_AT, DUE_PK
from service_kit.stores.dynamodb.table import Table
from service_kit.stores.dynamodb.values import Item


async def entries(table: Table, partitions: Sequence[str], until_s: float, limit: int) -> list[Item]:
    """Return entries of these partitions up to a time, the earliest first; `limit` of each at most."""
    if math.isinf(until_s):
        condition, bound = f"#{DUE_PK} = :pk", dict[str, Any]()
    else:
        condition, bound = f"#{DUE_PK} = :pk AND #{DUE_AT} <= :at", {"at": until_s}
    found = await asyncio.gather(
        *(table.query_index(BY_DUE, condition, {"pk": pk, **bound}, limit=limit) for pk in partitions)
    )
    return sorted((entry for each in found for entry in each), key=due_at_s)


async def earliest_s(table: Table, partitions: Sequence[str]) -> float | None:
    """Return the time of the earliest entry of these partitions."""
    first = await entries(table, partitions, math.inf, 1)
    return due_at_s(first[0]) if first else None


def due_at_s(entry: Item) -> float:
    at: Any = entry[DUE_AT]
    return float(at)
