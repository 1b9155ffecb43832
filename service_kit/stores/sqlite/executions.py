"""Executions in SQLite: a turn and its effects are one transaction."""

from __future__ import annotations

import json
import sqlite3
from typing import assert_never

from service_kit.runtime.dispatcher import stored
from service_kit.runtime.ports import Conflict
from service_kit.runtime.records import (
    CancelTask,
    CreateExecution,
    Deliver,
    Effect,
    ExecutionRecord,
    Known,
    NewExecution,
    Publish,
    ScheduleTask,
    StoredArrival,
    StoredExecution,
    TurnCommit,
)
from service_kit.stores.sqlite import deliveries, tasks
from service_kit.stores.sqlite.arrive import arrive
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.rows import EXECUTION, arrival_of, arrival_text, execution_of, parent_text


class SqliteExecutions:
    """The port `Executions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, new: NewExecution) -> ExecutionRecord:
        return await self._database.write(lambda connection: _create(connection, new))

    async def load(self, id: str, known: Known | None = None) -> StoredExecution | None:
        return await self._database.read(lambda connection: _load(connection, id, known))

    async def commit(self, turn: TurnCommit) -> None:
        await self._database.write(lambda connection: _commit(connection, turn))

    async def deliver(self, id: str, arrival: StoredArrival, run: int | None = None) -> bool:
        return await self._database.write(lambda connection: arrive(connection, id, arrival, run))

    async def read(self, id: str) -> ExecutionRecord | None:
        return await self._database.read(lambda connection: _read(connection, id))

    async def state(self, id: str, name: str) -> str | None:
        query = "SELECT value FROM states WHERE execution = ? AND name = ?"
        row = await self._database.read(lambda connection: connection.execute(query, (id, name)).fetchone())
        return None if row is None else str(row[0])

    async def pause(self, id: str, reason: str | None) -> bool:
        query = "UPDATE executions SET paused = ? WHERE id = ?"
        return await self._database.write(lambda c: c.execute(query, (reason, id)).rowcount > 0)


def _create(connection: sqlite3.Connection, new: NewExecution) -> ExecutionRecord:
    started = new.started
    made = connection.execute(
        f"INSERT OR IGNORE INTO executions ({EXECUTION})"  # noqa: S608 - a constant
        " VALUES (?, ?, 'running', ?, ?, NULL, 0, 0, ?, ?, NULL, ?, NULL)",
        (
            started.id,
            started.workflow,
            new.input_digest,
            new.created_at_s,
            new.begin_at_s,
            parent_text(new.parent),
            json.dumps(dict(new.attributes)),
        ),
    ).rowcount
    if made:
        connection.executemany(
            "INSERT OR IGNORE INTO attributes (name, value, execution) VALUES (?, ?, ?)",
            [(name, value, started.id) for name, value in new.attributes.items()],
        )
        arrive(connection, started.id, stored(started))
    record = _read(connection, started.id)
    assert record is not None, "it was just created, or was there before"
    return record


def _read(connection: sqlite3.Connection, id: str) -> ExecutionRecord | None:
    query = f"SELECT {EXECUTION} FROM executions WHERE id = ?"  # noqa: S608 - a constant
    row = connection.execute(query, (id,)).fetchone()
    return None if row is None else execution_of(row)


def _load(connection: sqlite3.Connection, id: str, known: Known | None) -> StoredExecution | None:
    connection.execute("BEGIN")  # one state of the file for all three reads
    try:
        record = _read(connection, id)
        if record is None:
            return None
        skip = known.turn if known is not None and known.run == record.run else 0
        history = connection.execute(
            "SELECT events FROM turns WHERE execution = ? AND run = ? AND turn >= ? ORDER BY turn",
            (id, record.run, skip),
        ).fetchall()
        arrivals = connection.execute(
            "SELECT key, event FROM arrivals WHERE execution = ? ORDER BY position", (id,)
        ).fetchall()
    finally:
        connection.execute("COMMIT")
    return StoredExecution(record, [row[0] for row in history], [arrival_of(*row) for row in arrivals])


def _commit(connection: sqlite3.Connection, turn: TurnCommit) -> None:
    _move_on(connection, turn)  # first, for it alone can refuse
    place = turn.execution
    if turn.successor is None:
        connection.execute(
            "INSERT INTO turns (execution, run, turn, events) VALUES (?, ?, ?, ?)",
            (place, turn.run, turn.turn, turn.events),
        )
    else:
        connection.execute("DELETE FROM turns WHERE execution = ?", (place,))
    _use_up(connection, turn)
    for key in turn.finished:
        tasks.finish(connection, key)
    for name, value in turn.states.items():
        connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (place, name, value))
    for effect in turn.effects:
        _apply(connection, effect)


def _move_on(connection: sqlite3.Connection, turn: TurnCommit) -> None:
    """Count the turn: the compare-and-set that fences whoever is not up to date."""
    successor = turn.successor is not None
    moved = connection.execute(
        "UPDATE executions SET status = ?, run = ?, turn = ?, wake_at = ?, outcome = ?, ended_at = ?"
        " WHERE id = ? AND run = ? AND turn = ? AND outcome IS NULL",
        (
            turn.status,
            turn.run + successor,
            0 if successor else turn.turn + 1,
            turn.at_s if successor else turn.wake_at_s,
            turn.outcome,
            None if turn.outcome is None else turn.at_s,
            turn.execution,
            turn.run,
            turn.turn,
        ),
    ).rowcount
    if not moved:
        raise Conflict(f"turn {turn.turn} of run {turn.run} of execution '{turn.execution}' is not due")


def _use_up(connection: sqlite3.Connection, turn: TurnCommit) -> None:
    place = turn.execution
    if turn.outcome is not None:
        connection.execute("DELETE FROM arrivals WHERE execution = ?", (place,))
        return
    connection.executemany(
        "DELETE FROM arrivals WHERE execution = ? AND key = ?", [(place, key) for key in turn.used]
    )
    if turn.successor is not None:
        first = stored(turn.successor)
        connection.execute(
            "INSERT INTO arrivals (execution, key, event) VALUES (?, ?, ?)",
            (place, first.key, arrival_text(first.arrival)),
        )


def _apply(connection: sqlite3.Connection, effect: Effect) -> None:
    match effect:
        case ScheduleTask():
            tasks.schedule(connection, effect)
        case CancelTask(key=key):
            tasks.cancel(connection, key)
        case CreateExecution(new=new, if_taken=if_taken):
            record = _create(connection, new)
            if record.parent != new.parent and new.parent is not None:
                arrive(connection, new.parent.execution, if_taken, new.parent.run)
        case Deliver(execution=id, arrival=arrival, run=run):
            arrive(connection, id, arrival, run)
        case Publish():
            deliveries.add(connection, effect)
        case _:
            assert_never(effect)
