"""Executions in SQLite: a turn and its effects are one transaction."""

from __future__ import annotations

import sqlite3

from service_kit.runtime.records import (
    ExecutionRecord,
    Known,
    NewExecution,
    StoredArrival,
    StoredExecution,
    TurnCommit,
)
from service_kit.stores.sqlite.arrive import arrive
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.rows import arrival_of
from service_kit.stores.sqlite.turns import UNSTORABLE, Start, commit_turns, create, read, unstorable


class SqliteExecutions:
    """The port `Executions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, new: NewExecution, first: TurnCommit | None = None) -> ExecutionRecord | None:
        try:
            return await self._database.write_together(create, Start(new, first))
        except UNSTORABLE as error:
            raise unstorable(error) from error

    async def load(self, id: str, known: Known | None = None) -> StoredExecution | None:
        return await self._database.read(lambda connection: _load(connection, id, known))

    async def commit(self, turn: TurnCommit) -> None:
        try:
            await self._database.write_together(commit_turns, turn)
        except UNSTORABLE as error:
            raise unstorable(error) from error

    async def deliver(
        self, id: str, arrival: StoredArrival, run: int | None = None, *, workflow: str | None = None
    ) -> bool:
        return await self._database.write(lambda connection: arrive(connection, id, arrival, run, workflow))

    async def read(self, id: str) -> ExecutionRecord | None:
        return await self._database.read(lambda connection: read(connection, id))

    async def state(self, id: str, name: str) -> str | None:
        query = "SELECT value FROM states WHERE execution = ? AND name = ?"
        row = await self._database.read(lambda connection: connection.execute(query, (id, name)).fetchone())
        return None if row is None else str(row[0])

    async def pause(self, id: str, reason: str | None) -> bool:
        query = "UPDATE executions SET paused = ? WHERE id = ? AND outcome IS NULL"
        text = None if reason is None else reason.encode("utf-8", "backslashreplace").decode()
        return await self._database.write(lambda c: c.execute(query, (text, id)).rowcount > 0)


def _load(connection: sqlite3.Connection, id: str, known: Known | None) -> StoredExecution | None:
    connection.execute("BEGIN")  # one state of the file for all three reads
    try:
        record = read(connection, id)
        if record is None:
            return None
        skip = known.turn if known is not None and known.run == record.run else 0
        history = connection.execute(
            "SELECT events FROM turns WHERE execution = ? AND run = ? AND turn >= ? ORDER BY turn",
            (id, record.run, skip),
        ).fetchall()
        arrivals = connection.execute(
            "SELECT key, event FROM arrivals WHERE execution = ? ORDER BY key <> 'started', position", (id,)
        ).fetchall()
    finally:
        connection.execute("COMMIT")
    return StoredExecution(record, [row[0] for row in history], [arrival_of(*row) for row in arrivals])
