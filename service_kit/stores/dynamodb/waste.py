"""Large payloads that nothing refers to any more: found by walking through them, a page at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from service_kit.runtime.ports import Blobs
from service_kit.runtime.records import BlobKey
from service_kit.stores.dynamodb.keys import (
    DELIVERY,
    META,
    PK,
    SK,
    TTL,
    delivery_place,
    execution_pk,
    task_sk,
)
from service_kit.stores.dynamodb.table import Table

PAGE = 1_000
"""Objects that are looked at in one call: as many as S3 lists, and deletes, at once."""
_LAST = 99_999_999


class Shelf(Blobs, Protocol):
    """Blobs that can be looked through, by names whose beginnings are hexadecimal and evenly spread."""

    async def page(self, after: str, limit: int) -> Sequence[tuple[str, BlobKey | None, float]]:
        """Return names after another one, in their order, with the key, if it is known, and the time of storing."""
        ...

    async def drop(self, keys: Sequence[BlobKey]) -> None: ...


class Waste:
    """Drops what belongs to no execution, to no event with deliveries, or to a run that is over with its tasks.

    Each call goes on where the last one has ended, and each process begins anywhere: so a large bucket is seen as a
    whole by processes that live for a while, one after the other.
    """

    def __init__(self, table: Table, shelf: Shelf) -> None:
        self._table = table
        self._shelf = shelf
        self._after = f"{secrets.randbelow(256):02x}/"

    async def drop(self, before_s: float, limit: int) -> int:
        """Drop at most `limit` of those that were stored before a time; return how many."""
        found, after = await self._page()
        old = list(dict.fromkeys(key for _, key, at_s in found if key is not None and at_s < before_s))
        waste = await self._unneeded(old)
        gone = waste[: min(limit, PAGE)]
        if gone:
            await self._shelf.drop(gone)
        if len(gone) == len(waste):
            self._after = after
        return len(gone)

    async def _page(self) -> tuple[Sequence[tuple[str, BlobKey | None, float]], str]:
        """Return some names, and where to go on: all of them where there are few."""
        found = await self._shelf.page(self._after, PAGE)
        if len(found) == PAGE or not self._after:
            return found, found[-1][0] if len(found) == PAGE else ""
        first = await self._shelf.page("", PAGE)
        return [*found, *first], first[-1][0] if len(first) == PAGE else ""

    async def _unneeded(self, keys: Sequence[BlobKey]) -> list[BlobKey]:
        owners = {execution_pk(key.owner) for key in keys}
        metas: list[Any] = await self._table.get_many((pk, META) for pk in owners)
        runs = {meta[PK]: int(meta["run"]) for meta in metas}
        needed = await asyncio.gather(
            *(self._is_needed(key, runs.get(execution_pk(key.owner))) for key in keys)
        )
        return [key for key, is_needed in zip(keys, needed, strict=True) if not is_needed]

    async def _is_needed(self, key: BlobKey, run: int | None) -> bool:
        if run is not None:
            if key.run is None or key.run >= run:
                return True
            bounds = task_sk(key.run, 0), task_sk(key.run, _LAST)
            if await self._any(execution_pk(key.owner), bounds, lambda item: "done" not in item):
                return True
        place, _ = delivery_place(key.owner, "")
        return await self._any(place, (DELIVERY, "d$"), lambda item: TTL not in item)

    async def _any(self, pk: str, bounds: tuple[str, str], wanted: Callable[[Any], bool]) -> bool:
        return any(wanted(item) for item in await self._table.query(pk, *bounds, only=(SK, "done", TTL)))
