"""Large payloads in SQLite, in a table of their own: rows of executions and turns stay small."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from service_kit.runtime.records import Blob, BlobKey
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.turns import UNSTORABLE, unstorable

_ALL_RUNS = -1
_WASTE = (
    "stored_at < ? AND NOT EXISTS (SELECT 1 FROM executions AS x WHERE x.id = blobs.owner AND (blobs.run < 0"
    " OR blobs.run >= x.run"
    " OR EXISTS (SELECT 1 FROM tasks AS t WHERE t.execution = blobs.owner AND t.run = blobs.run)))"
    " AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.event = blobs.owner)"
)
"""What nothing needs any more, of what was stored before a time."""


class SqliteBlobs:
    """The port `Blobs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, blobs: Sequence[Blob]) -> None:
        rows = [(*_place(blob.key), blob.stored_at_s, blob.text) for blob in blobs]
        statement = (
            "INSERT OR REPLACE INTO blobs (owner, run, digest, stored_at, value) VALUES (?, ?, ?, ?, ?)"
        )
        try:
            await self._database.write(lambda c: _ignored(c.executemany(statement, rows)))
        except UNSTORABLE as error:
            raise unstorable(error) from error

    async def get(self, keys: Sequence[BlobKey]) -> Mapping[BlobKey, str]:
        query = "SELECT value FROM blobs WHERE owner = ? AND run = ? AND digest = ?"

        def work(connection: sqlite3.Connection) -> dict[BlobKey, str]:
            rows = {key: connection.execute(query, _place(key)).fetchone() for key in keys}
            return {key: row[0] for key, row in rows.items() if row is not None}

        return await self._database.read(work)


def has_waste(connection: sqlite3.Connection, before_s: float) -> bool:
    """Return whether `drop_waste` would drop anything."""
    query = f"SELECT EXISTS (SELECT 1 FROM blobs WHERE {_WASTE})"  # noqa: S608 - a constant
    return bool(connection.execute(query, (before_s,)).fetchone()[0])


def drop_waste(connection: sqlite3.Connection, before_s: float, limit: int) -> int:
    """Drop what nothing needs; return how many."""
    statement = f"DELETE FROM blobs WHERE rowid IN (SELECT rowid FROM blobs WHERE {_WASTE} LIMIT ?)"  # noqa: S608 - a constant
    return connection.execute(statement, (before_s, limit)).rowcount


def _place(key: BlobKey) -> tuple[str, int, str]:
    return key.owner, _ALL_RUNS if key.run is None else key.run, key.digest


def _ignored(_: object) -> None:
    return None
