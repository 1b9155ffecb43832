"""Forgetting what nobody needs any more."""

from __future__ import annotations

import sqlite3

from service_kit.stores.sqlite import attributes
from service_kit.stores.sqlite.blobs import drop_waste, has_waste
from service_kit.stores.sqlite.database import Database

_OF_EXECUTIONS = ("turns", "states", "tasks", "executions")


class SqliteRetention:
    """The port `Retention`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, ended_before_s: float | None, used_before_s: float, limit: int) -> int:
        if await self._database.read(lambda c: _none(c, ended_before_s, used_before_s)):
            return 0
        return await self._database.write(lambda c: _forget(c, ended_before_s, used_before_s, limit))


def _none(connection: sqlite3.Connection, ended_before_s: float | None, used_before_s: float) -> bool:
    """Return whether there is nothing to forget: the common case, which writes nothing."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'done' AND available_at < ?)"
        " OR EXISTS (SELECT 1 FROM used_signals WHERE used_at < ?)"
        " OR EXISTS (SELECT 1 FROM executions WHERE outcome IS NOT NULL AND ended_at < ?)"
    )
    some = connection.execute(query, (used_before_s, used_before_s, ended_before_s)).fetchone()[0]
    return not some and not has_waste(connection, used_before_s)


def _forget(
    connection: sqlite3.Connection, ended_before_s: float | None, used_before_s: float, limit: int
) -> int:
    deliveries = connection.execute(
        "DELETE FROM deliveries WHERE (event, subscription) IN (SELECT event, subscription FROM deliveries"
        " WHERE state = 'done' AND available_at < ? LIMIT ?)",
        (used_before_s, limit),
    ).rowcount
    signals = connection.execute(
        "DELETE FROM used_signals WHERE (execution, key) IN"
        " (SELECT execution, key FROM used_signals WHERE used_at < ? LIMIT ?)",
        (used_before_s, limit),
    ).rowcount
    ended = connection.execute(
        "SELECT id, attributes FROM executions WHERE outcome IS NOT NULL AND ended_at < ? LIMIT ?",
        (ended_before_s, limit),
    ).fetchall()
    for execution, text in ended:
        attributes.remove(connection, execution, text)
    for table in _OF_EXECUTIONS:
        place = "id" if table == "executions" else "execution"
        statement = f"DELETE FROM {table} WHERE {place} = ?"  # noqa: S608 - constants
        connection.executemany(statement, [(execution,) for execution, _ in ended])
    return max(deliveries, signals, len(ended), drop_waste(connection, used_before_s, limit))
