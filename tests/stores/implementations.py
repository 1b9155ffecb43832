"""Every implementation of the durable runtime's ports. A new one is one line in `STORES`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from service_kit.contract.at_rest import Codec
from service_kit.runtime.ports import Stores
from service_kit.stores.dynamodb.store import dynamodb_store
from service_kit.stores.memory.store import memory_stores
from service_kit.stores.packed.codec import Zlib
from service_kit.stores.packed.store import LARGE_BYTES, packed_stores
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.store import sqlite_stores
from tests.stores.tables import fresh_shelf, fresh_table, with_time_to_live

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


def _dynamodb(emulator: str, *codecs: Codec, large_bytes: int = LARGE_BYTES) -> Opener:
    @asynccontextmanager
    async def opened(_: Path) -> AsyncIterator[Stores]:
        with fresh_table(emulator) as table, fresh_shelf(emulator) as shelf:
            store = dynamodb_store(table, shelf, codecs, large_bytes)
            yield with_time_to_live(store.stores, table)

    return opened


@asynccontextmanager
async def _packed(folder: Path) -> AsyncIterator[Stores]:
    """Yield a store in which every payload is packed, and most lie beside."""
    async with _sqlite(folder) as stores:
        yield packed_stores(stores, lambda: 1_000.0, [Zlib(over_bytes=-1)], large_bytes=60)


STORES: dict[str, Opener] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "packed": _packed,
    # Every payload is packed, and most lie in S3.
    "dynamodb-moto": _dynamodb("moto", Zlib(over_bytes=-1), large_bytes=60),
    "dynamodb-ministack": _dynamodb("ministack"),
}
