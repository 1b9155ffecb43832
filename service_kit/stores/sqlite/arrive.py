"""Arrivals in SQLite: what reaches an execution, from wherever."""

from __future__ import annotations

import sqlite3

from service_kit.runtime.records import StoredArrival
from service_kit.stores.sqlite.rows import arrival_text


def arrive(
    connection: sqlite3.Connection, execution: str, arrival: StoredArrival, run: int | None = None
) -> bool:
    """Keep an arrival once; False if there is no such execution, or it is at another run."""
    row = connection.execute(
        "SELECT run, outcome IS NULL FROM executions WHERE id = ?", (execution,)
    ).fetchone()
    if row is None or run not in (None, row[0]):
        return False
    if row[1]:
        connection.execute(
            "INSERT OR IGNORE INTO arrivals (execution, key, event) VALUES (?, ?, ?)",
            (execution, arrival.key, arrival_text(arrival.arrival)),
        )
    return True
