"""Arrivals in SQLite: what reaches an execution, from wherever."""

from __future__ import annotations

import sqlite3

from service_kit.engine.arrivals import SignalReceived
from service_kit.runtime.records import StoredArrival
from service_kit.stores.sqlite.rows import arrival_text


def arrive(
    connection: sqlite3.Connection,
    execution: str,
    arrival: StoredArrival,
    run: int | None = None,
    workflow: str | None = None,
) -> bool:
    """Keep an arrival once; False if there is no such execution, or it is at another run or of another workflow."""
    row = connection.execute(
        "SELECT run, outcome IS NULL, workflow FROM executions WHERE id = ?", (execution,)
    ).fetchone()
    if row is None or run not in (None, row[0]) or workflow not in (None, row[2]):
        return False
    if row[1] and not _was_used(connection, execution, arrival):
        connection.execute(
            "INSERT OR IGNORE INTO arrivals (execution, key, event, run) VALUES (?, ?, ?, ?)",
            (execution, arrival.key, arrival_text(arrival.arrival), run),
        )
    return True


def _was_used(connection: sqlite3.Connection, execution: str, arrival: StoredArrival) -> bool:
    if not isinstance(arrival.arrival, SignalReceived):
        return False
    query = "SELECT 1 FROM used_signals WHERE execution = ? AND key = ?"
    return connection.execute(query, (execution, arrival.key)).fetchone() is not None
