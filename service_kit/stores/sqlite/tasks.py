"""Tasks in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from service_kit.engine.arrivals import Arrival
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.records import Claim, ClaimedTask, ScheduleTask, TaskKey
from service_kit.stores.sqlite.arrive import arrive
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.rows import TASK, call_text, task_of

NEVER_S = 1e300
"""Later than any clock: when a task that is completed from outside becomes available by itself."""

_MINE = "execution = ? AND run = ? AND seq = ? AND owner = ? AND epoch = ?"


class SqliteTasks:
    """The port `Tasks`. `available_at` is when a task may be claimed: a claim pushes it to its own end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, names: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedTask]:
        marks = ", ".join("?" * len(names))
        look = f"SELECT {TASK} FROM tasks WHERE name IN ({marks}) AND available_at <= ? ORDER BY available_at LIMIT ?"  # noqa: S608 - marks only

        if not await self._database.read(lambda c: c.execute(look, (*names, now_s, 1)).fetchone()):
            return []

        def work(connection: sqlite3.Connection) -> list[ClaimedTask]:
            rows = connection.execute(look, (*names, now_s, limit)).fetchall()
            return [_claim(connection, row, claim) for row in rows]

        return await self._database.write(work)

    async def heartbeat(self, key: TaskKey, claim: Claim, details: str | None) -> bool | None:
        def work(connection: sqlite3.Connection) -> bool | None:
            row = connection.execute(
                f"UPDATE tasks SET available_at = ?, details = coalesce(?, details) WHERE {_MINE} RETURNING cancelled",  # noqa: S608 - a constant
                (claim.until_s, details, *_mine(key, claim)),
            ).fetchone()
            return None if row is None else bool(row[0])

        return await self._database.write(work)

    async def retry(self, key: TaskKey, claim: Claim, at_s: float) -> bool:
        return await self._change(
            "UPDATE tasks SET owner = NULL, available_at = ?, attempt = attempt + 1", (at_s,), key, claim
        )

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            if claim is None:
                gone = connection.execute(
                    "DELETE FROM tasks WHERE execution = ? AND run = ? AND seq = ?",
                    (key.execution, key.run, key.seq),
                )
            else:
                gone = connection.execute(f"DELETE FROM tasks WHERE {_MINE}", _mine(key, claim))  # noqa: S608 - a constant
            if gone.rowcount:
                arrive(connection, key.execution, stored(arrival), key.run)
            return bool(gone.rowcount)

        return await self._database.write(work)

    async def detach(self, key: TaskKey, claim: Claim, until_s: float | None) -> bool:
        at_s = NEVER_S if until_s is None else until_s
        return await self._change("UPDATE tasks SET owner = '', available_at = ?", (at_s,), key, claim)

    async def next_available_s(self, names: Sequence[str]) -> float | None:
        marks = ", ".join("?" * len(names))
        query = f"SELECT min(available_at) FROM tasks WHERE name IN ({marks})"  # noqa: S608 - marks only
        found: float | None = await self._database.read(lambda c: c.execute(query, names).fetchone()[0])
        return found

    async def _change(self, change: str, values: tuple[object, ...], key: TaskKey, claim: Claim) -> bool:
        query = f"{change} WHERE {_MINE}"
        return await self._database.write(
            lambda c: c.execute(query, (*values, *_mine(key, claim))).rowcount > 0
        )


def schedule(connection: sqlite3.Connection, task: ScheduleTask) -> None:
    """Keep a task, unless it is known."""
    claim = task.claim
    connection.execute(
        "INSERT OR IGNORE INTO tasks"
        " (execution, run, seq, name, call, scheduled_at, available_at, attempt, owner, epoch)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
        (
            task.key.execution,
            task.key.run,
            task.key.seq,
            task.name,
            call_text(task),
            task.scheduled_at_s,
            claim.until_s if claim else task.scheduled_at_s,
            claim.owner if claim else None,
            claim.epoch if claim else 0,
        ),
    )


def cancel(connection: sqlite3.Connection, key: TaskKey) -> None:
    """Drop a task that nobody runs; mark one that somebody does."""
    place = (key.execution, key.run, key.seq)
    connection.execute(
        "DELETE FROM tasks WHERE execution = ? AND run = ? AND seq = ? AND owner IS NULL", place
    )
    connection.execute("UPDATE tasks SET cancelled = 1 WHERE execution = ? AND run = ? AND seq = ?", place)


def finish(connection: sqlite3.Connection, key: TaskKey) -> None:
    """Drop a task whose answer is in the history."""
    connection.execute(
        "DELETE FROM tasks WHERE execution = ? AND run = ? AND seq = ?", (key.execution, key.run, key.seq)
    )


def _claim(connection: sqlite3.Connection, row: tuple[object, ...], claim: Claim) -> ClaimedTask:
    execution, run, seq, attempt, owner, epoch = (*row[:3], *row[6:9])
    assert isinstance(attempt, int), "attempts are counted"
    assert isinstance(epoch, int), "epochs are counted"
    mine = replace(claim, epoch=epoch + 1)
    attempt += owner is not None  # a claim that ran out was an attempt
    connection.execute(
        "UPDATE tasks SET owner = ?, epoch = ?, available_at = ?, attempt = ?"
        " WHERE execution = ? AND run = ? AND seq = ?",
        (mine.owner, mine.epoch, mine.until_s, attempt, execution, run, seq),
    )
    return task_of(row, mine, attempt)


def _mine(key: TaskKey, claim: Claim) -> tuple[object, ...]:
    return key.execution, key.run, key.seq, claim.owner, claim.epoch
