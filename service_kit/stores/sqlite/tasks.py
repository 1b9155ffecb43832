"""Tasks in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from service_kit.engine.arrivals import Arrival
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.records import Claim, ClaimedTask, Heartbeat, ScheduleTask, TaskKey
from service_kit.stores.sqlite.arrive import arrive
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.many import execute_many
from service_kit.stores.sqlite.rows import TASK, options_text, task_of

NEVER_S = 1e300
"""Later than any clock: when a task that is completed from outside becomes available by itself."""
NOBODY = ""
"""The owner of what will be completed from outside."""

_AT = "execution = ? AND run = ? AND seq = ?"
_MINE = f"{_AT} AND owner = ? AND epoch = ?"
_SCHEDULE = (
    "INSERT OR IGNORE INTO tasks"
    " (execution, run, seq, name, input, options, scheduled_at, available_at, attempt, owner, epoch)"
    " VALUES {rows}"
)
_FINISH = "DELETE FROM tasks WHERE (execution, run, seq) IN (VALUES {rows})"


class SqliteTasks:
    """The port `Tasks`. `available_at` is when a task may be claimed: a claim pushes it to its own end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, names: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedTask]:
        # By name, each in the order of its index: all at once would sort everything that waits.
        look = f"SELECT {TASK} FROM tasks WHERE name = ? AND available_at <= ? ORDER BY available_at LIMIT ?"  # noqa: S608 - a constant

        def work(connection: sqlite3.Connection) -> list[ClaimedTask]:
            rows = [
                row for name in names for row in connection.execute(look, (name, now_s, limit)).fetchall()
            ]
            rows.sort(key=lambda row: row[-1])
            claimed = (_claim(connection, row, claim) for row in rows[:limit])
            return [one for one in claimed if one is not None]

        return await self._database.write(work)

    async def heartbeat(self, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        return await self._database.write(lambda c: [_beat(c, beat) for beat in beats])

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        change = "owner = NULL, available_at = ?, attempt = attempt + 1, details = coalesce(?, details)"
        return await self._give_up(change, (at_s, details), key, claim)

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            place = _place(key) if claim is None else _mine(key, claim)
            condition = _AT if claim is None else _MINE
            gone = connection.execute(f"DELETE FROM tasks WHERE {condition}", place).rowcount > 0  # noqa: S608 - a constant
            if gone and arrival is not None:
                arrive(connection, key.execution, stored(arrival), key.run)
            return gone

        return await self._database.write(work)

    async def detach(
        self, key: TaskKey, claim: Claim, until_s: float | None, details: str | None = None
    ) -> bool:
        at_s = NEVER_S if until_s is None else until_s
        change = f"owner = '{NOBODY}', available_at = ?, details = coalesce(?, details)"
        return await self._give_up(change, (at_s, details), key, claim)

    async def next_available_s(self, names: Sequence[str]) -> float | None:
        if not names:
            return None
        each = "SELECT min(available_at) AS at FROM tasks WHERE name = ?"
        query = f"SELECT min(at) FROM ({' UNION ALL '.join([each] * len(names))})"  # noqa: S608 - a constant
        found: float | None = await self._database.read(lambda c: c.execute(query, names).fetchone()[0])
        return found

    async def _give_up(self, change: str, values: tuple[object, ...], key: TaskKey, claim: Claim) -> bool:
        """Change a task that is held; one that is cancelled ends here."""
        mine = _mine(key, claim)

        def work(connection: sqlite3.Connection) -> bool:
            query = f"UPDATE tasks SET {change} WHERE {_MINE} RETURNING cancelled"  # noqa: S608 - constants
            row = connection.execute(query, (*values, *mine)).fetchone()
            if row is not None and row[0]:
                finish(connection, [key])
            return row is not None

        return await self._database.write(work)


def schedule(connection: sqlite3.Connection, scheduled: Sequence[ScheduleTask]) -> None:
    """Keep tasks, unless they are known."""
    execute_many(connection, _SCHEDULE, [_row(task) for task in scheduled])


def cancel(connection: sqlite3.Connection, key: TaskKey) -> None:
    """Drop a task that nobody runs; mark one that somebody does."""
    dropped = connection.execute(
        f"DELETE FROM tasks WHERE {_AT} AND coalesce(owner, '{NOBODY}') = '{NOBODY}'",  # noqa: S608 - constants
        _place(key),
    )
    if not dropped.rowcount:
        connection.execute(f"UPDATE tasks SET cancelled = 1 WHERE {_AT}", _place(key))  # noqa: S608 - a constant


def finish(connection: sqlite3.Connection, keys: Sequence[TaskKey]) -> None:
    """Drop tasks whose answers are in their histories."""
    execute_many(connection, _FINISH, [_place(key) for key in keys])


def _claim(connection: sqlite3.Connection, row: tuple[object, ...], claim: Claim) -> ClaimedTask | None:
    place, (attempt, owner, epoch, _, cancelled) = row[:3], row[7:12]
    assert isinstance(attempt, int), "attempts are counted"
    assert isinstance(epoch, int), "epochs are counted"
    if cancelled:
        connection.execute(f"DELETE FROM tasks WHERE {_AT}", place)  # noqa: S608 - a constant
        return None
    mine = replace(claim, epoch=epoch + 1)
    attempt += owner is not None  # a claim that ran out was an attempt
    connection.execute(
        f"UPDATE tasks SET owner = ?, epoch = ?, available_at = ?, attempt = ? WHERE {_AT}",  # noqa: S608 - a constant
        (mine.owner, mine.epoch, mine.until_s, attempt, *place),
    )
    return task_of(row, mine, attempt)


def _beat(connection: sqlite3.Connection, beat: Heartbeat) -> bool | None:
    place = _place(beat.key) if beat.claim is None else _mine(beat.key, beat.claim)
    condition = f"{_AT} AND owner = '{NOBODY}'" if beat.claim is None else _MINE
    row = connection.execute(
        f"UPDATE tasks SET available_at = ?, details = coalesce(?, details) WHERE {condition} RETURNING cancelled",  # noqa: S608 - constants
        (min(beat.until_s, NEVER_S), beat.details, *place),
    ).fetchone()
    if row is None and beat.claim is None:
        query = f"SELECT cancelled FROM tasks WHERE {_AT} AND owner IS NOT NULL"  # noqa: S608 - a constant
        row = connection.execute(query, place).fetchone()
    return None if row is None else bool(row[0])


def _row(task: ScheduleTask) -> tuple[object, ...]:
    claim = task.claim
    return (
        *_place(task.key),
        task.name,
        task.input,
        options_text(task.options),
        task.scheduled_at_s,
        claim.until_s if claim else task.scheduled_at_s,
        1,
        claim.owner if claim else None,
        claim.epoch if claim else 0,
    )


def _place(key: TaskKey) -> tuple[object, ...]:
    return key.execution, key.run, key.seq


def _mine(key: TaskKey, claim: Claim) -> tuple[object, ...]:
    return key.execution, key.run, key.seq, claim.owner, claim.epoch
