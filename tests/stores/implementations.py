"""Every implementation of the durable runtime's ports. A new one is one line in `STORES`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from service_kit.runtime.ports import Stores
from service_kit.stores.memory.store import memory_stores
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.store import sqlite_stores

Opener: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Stores]]


@asynccontextmanager
async def _memory(_: Path) -> AsyncIterator[Stores]:
    yield memory_stores()


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[Stores]:
    database = Database(folder / "store.db")
    try:
        yield sqlite_stores(database)
    finally:
        database.close()


STORES: dict[str, Opener] = {"memory": _memory, "sqlite": _sqlite}
