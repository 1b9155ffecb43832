"""Committing turns in SQLite: those that wait together are written by a few statements for all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple, assert_never

from service_kit.runtime.dispatcher import SIGNAL_PREFIX, stored
from service_kit.runtime.ports import ClaimLost, Conflict, Unstorable
from service_kit.runtime.records import (
    CancelTask,
    CreateExecution,
    Deliver,
    Effect,
    ExecutionRecord,
    FinishedTask,
    NewExecution,
    Publish,
    ScheduleTask,
    TurnCommit,
)
from service_kit.stores.sqlite import attributes, deliveries, tasks
from service_kit.stores.sqlite.arrive import arrive
from service_kit.stores.sqlite.many import execute_many
from service_kit.stores.sqlite.rows import EXECUTION, arrival_text, execution_of, parent_text

_VALID = (
    "SELECT t.execution, t.run, t.seq FROM (SELECT column1 AS execution, column2 AS run, column3 AS seq,"
    " column4 AS owner, column5 AS epoch FROM (VALUES {rows})) AS f CROSS JOIN tasks AS t"
    " ON t.execution = f.execution AND t.run = f.run AND t.seq = f.seq"
    " WHERE t.owner = f.owner AND t.epoch = f.epoch"
)
_GO_ON = (
    "UPDATE executions SET run = n.column4, turn = n.column5 FROM (VALUES {rows}) AS n"
    " WHERE id = n.column1 AND executions.run = n.column2 AND executions.turn = n.column3"
    " AND executions.outcome IS NULL AND paused IS NULL RETURNING id, wake_at"
)
"""SQLite writes the indexes of every column that is set, even to what it was: so only these two are."""
_WAKE = "UPDATE executions SET wake_at = n.column2 FROM (VALUES {rows}) AS n WHERE id = n.column1"
_END = (
    "UPDATE executions SET turn = n.column4, status = n.column5, wake_at = NULL, outcome = n.column6,"
    " ended_at = n.column7 FROM (VALUES {rows}) AS n"
    " WHERE id = n.column1 AND executions.run = n.column2 AND executions.turn = n.column3"
    " AND executions.outcome IS NULL AND paused IS NULL RETURNING id"
)
_CREATE = (
    "INSERT OR IGNORE INTO executions"
    " (id, workflow, status, input_digest, created_at, run, turn, wake_at, parent, attributes)"
    " VALUES {rows} RETURNING id"
)
_KEEP = "INSERT INTO turns (execution, run, turn, events) VALUES {rows}"


def commit_turns(
    connection: sqlite3.Connection, turns: Sequence[TurnCommit]
) -> Sequence[BaseException | None]:
    """Commit turns of different executions; return for each why it was refused."""
    refused: dict[str, BaseException] = dict(_lost_claims(connection, turns))
    due = [turn for turn in turns if turn.execution not in refused]
    moved = _move(connection, due)
    going = [turn for turn in due if turn.execution in moved]
    for turn in due:
        if turn.execution not in moved:
            refused[turn.execution] = Conflict(
                f"turn {turn.turn} of run {turn.run} of execution '{turn.execution}' is not due"
            )
    kept = [(t.execution, t.run, t.turn, t.events) for t in going if t.successor is None]
    execute_many(connection, _KEEP, kept)
    tasks.finish(connection, [done.key for turn in going for done in turn.finished])
    tasks.schedule(connection, [e for turn in going for e in turn.effects if isinstance(e, ScheduleTask)])
    for turn in going:
        _write_rest(connection, turn)
    return [refused.get(turn.execution) for turn in turns]


class Start(NamedTuple):
    """An execution to keep, with its first turn if that was taken; otherwise its start waits to be used."""

    new: NewExecution
    first: TurnCommit | None = None


def create(connection: sqlite3.Connection, starts: Sequence[Start]) -> Sequence[ExecutionRecord | None]:
    """Keep executions; return for each who has its id already."""
    made = {row[0] for row in execute_many(connection, _CREATE, [_new(start.new) for start in starts])}
    taken: list[ExecutionRecord | None] = []
    turns: list[TurnCommit] = []
    for new, first in starts:
        execution = new.started.id
        if execution not in made:
            taken.append(read(connection, execution))
            continue
        made.remove(execution)  # of two starts with one id, the first has it
        taken.append(None)
        if new.attributes:
            attributes.add(connection, execution, new.attributes)
        if first is None:
            arrive(connection, execution, stored(new.started))
        else:
            turns.append(first)
    refused = [failure for failure in commit_turns(connection, turns) if failure is not None]
    assert not refused, f"the first turn of a new execution was refused: {refused}"
    return taken


def read(connection: sqlite3.Connection, id: str) -> ExecutionRecord | None:
    """Return the record of an execution."""
    query = f"SELECT {EXECUTION} FROM executions WHERE id = ?"  # noqa: S608 - a constant
    row = connection.execute(query, (id,)).fetchone()
    return None if row is None else execution_of(row)


UNSTORABLE = (sqlite3.DataError, UnicodeEncodeError, OverflowError)
"""What is raised for values that no attempt will ever store."""


def unstorable(error: Exception) -> Unstorable:
    """Return what is raised outside of this store for one of `UNSTORABLE`."""
    return Unstorable(
        f"it cannot be stored: {error}; make it smaller, or keep it elsewhere and pass its place"
    )


def _lost_claims(connection: sqlite3.Connection, turns: Sequence[TurnCommit]) -> list[tuple[str, ClaimLost]]:
    finished = [done for turn in turns for done in turn.finished]
    if not finished:
        return []
    valid = set(execute_many(connection, _VALID, [_claim(done) for done in finished]))
    lost: list[tuple[str, ClaimLost]] = []
    for turn in turns:
        keys = [d.key for d in turn.finished if (d.key.execution, d.key.run, d.key.seq) not in valid]
        if keys:
            lost.append((turn.execution, ClaimLost(keys)))
    return lost


def _new(new: NewExecution) -> tuple[object, ...]:
    started = new.started
    return (
        started.id,
        started.workflow,
        "running",
        new.input_digest,
        new.created_at_s,
        0,
        0,
        new.begin_at_s,
        parent_text(new.parent),
        attributes.text_of(new.attributes),
    )


def _claim(done: FinishedTask) -> tuple[object, ...]:
    key, claim = done.key, done.claim
    return key.execution, key.run, key.seq, claim.owner, claim.epoch


def _move(connection: sqlite3.Connection, turns: Sequence[TurnCommit]) -> set[str]:
    """Let executions go on or end where they stand; return which did: the compare-and-set that fences the late."""
    going = {turn.execution: turn for turn in turns if turn.outcome is None}
    found = dict(execute_many(connection, _GO_ON, [_step(turn) for turn in going.values()]))
    wakes = [(turn.execution, _wake_at_s(turn)) for turn in going.values() if turn.execution in found]
    execute_many(connection, _WAKE, [(place, at_s) for place, at_s in wakes if at_s != found[place]])
    ended = execute_many(connection, _END, [_end(turn) for turn in turns if turn.outcome is not None])
    return {*found, *(row[0] for row in ended)}


def _step(turn: TurnCommit) -> tuple[object, ...]:
    """Return where an execution stands, and where the turn leads."""
    successor = turn.successor is not None
    run = turn.run + successor
    return turn.execution, turn.run, turn.turn, run, 0 if successor else turn.turn + 1


def _wake_at_s(turn: TurnCommit) -> float | None:
    return turn.at_s if turn.successor is not None else turn.wake_at_s


def _end(turn: TurnCommit) -> tuple[object, ...]:
    return turn.execution, turn.run, turn.turn, turn.turn + 1, turn.status, turn.outcome, turn.at_s


def _write_rest(connection: sqlite3.Connection, turn: TurnCommit) -> None:
    if turn.used:
        _use_up(connection, turn)
    if turn.successor is not None:
        _succeed(connection, turn)
    if turn.outcome is not None:
        connection.execute("DELETE FROM arrivals WHERE execution = ?", (turn.execution,))
        connection.execute("DELETE FROM used_signals WHERE execution = ?", (turn.execution,))
    for name, value in turn.states.items():
        connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (turn.execution, name, value))
    if turn.attributes:
        attributes.change(connection, turn.execution, turn.attributes)
    for effect in turn.effects:
        _apply(connection, effect)


def _use_up(connection: sqlite3.Connection, turn: TurnCommit) -> None:
    signals = [(turn.execution, key, turn.at_s) for key in turn.used if key.startswith(SIGNAL_PREFIX)]
    connection.executemany("INSERT OR IGNORE INTO used_signals VALUES (?, ?, ?)", signals)
    connection.executemany(
        "DELETE FROM arrivals WHERE execution = ? AND key = ?", [(turn.execution, key) for key in turn.used]
    )


def _succeed(connection: sqlite3.Connection, turn: TurnCommit) -> None:
    """Begin the next run with what the ended one has left to it."""
    assert turn.successor is not None, "only what continues has a successor"
    first = stored(turn.successor)
    connection.execute("DELETE FROM turns WHERE execution = ?", (turn.execution,))
    connection.execute("DELETE FROM arrivals WHERE execution = ? AND run IS NOT NULL", (turn.execution,))
    connection.execute(
        "INSERT INTO arrivals (execution, key, event) VALUES (?, ?, ?)",
        (turn.execution, first.key, arrival_text(first.arrival)),
    )


def _apply(connection: sqlite3.Connection, effect: Effect) -> None:
    match effect:
        case ScheduleTask():
            pass  # written with those of the other turns
        case CancelTask(key=key):
            tasks.cancel(connection, key)
        case CreateExecution(new=new, if_taken=if_taken):
            (taken,) = create(connection, [Start(new)])
            if taken is not None and taken.parent != new.parent and new.parent is not None:
                arrive(connection, new.parent.execution, if_taken, new.parent.run)
        case Deliver(execution=target, arrival=arrival, run=run):
            arrive(connection, target, arrival, run)
        case Publish():
            deliveries.add(connection, effect)
        case _:
            assert_never(effect)
