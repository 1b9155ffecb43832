"""Finding executions in SQLite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from service_kit.runtime.dispatcher import ENDS
from service_kit.runtime.records import DueExecution, ExecutionPage, ExecutionQuery, ExecutionRecord, Known
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.rows import EXECUTION, execution_of

_MOVES = "outcome IS NULL AND paused IS NULL"
# Before its first turn an execution may be delayed: what has arrived then waits with it, but for its end.
_MOVED = (
    "(turn > 0 OR EXISTS"
    " (SELECT 1 FROM arrivals WHERE execution = id AND key IN (SELECT value FROM json_each(?))))"
)


class SqliteIndex:
    """The port `ExecutionIndex`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        conditions, values = ["1"], list[object]()
        if query.workflow is not None:
            conditions.append("workflow = ?")
            values.append(query.workflow)
        if query.status is not None:
            conditions.append("status = ?")
            values.append(query.status)
        for name, value in query.attributes.items():
            conditions.append("id IN (SELECT execution FROM attributes WHERE name = ? AND value = ?)")
            values += [name, value]
        if query.after is not None:
            created_at, _, last = query.after.partition("/")
            conditions.append("(created_at, id) < (?, ?)")
            values += [float(created_at), last]
        statement = (
            f"SELECT {EXECUTION} FROM executions WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants
            " ORDER BY created_at DESC, id DESC LIMIT ?"
        )
        rows = await self._database.read(
            lambda c: c.execute(statement, (*values, query.limit + 1)).fetchall()
        )
        found = [execution_of(row) for row in rows]
        page = found[: query.limit]
        return ExecutionPage(page, _cursor(page[-1]) if len(found) > len(page) else None)

    async def ended(self, ids: Sequence[str]) -> Mapping[str, str]:
        statement = (
            "SELECT id, outcome FROM executions"
            " WHERE id IN (SELECT value FROM json_each(?)) AND outcome IS NOT NULL"
        )
        wanted = json.dumps(list(ids))
        return dict(await self._database.read(lambda c: c.execute(statement, (wanted,)).fetchall()))

    async def due(self, now_s: float, limit: int) -> Sequence[DueExecution]:
        statement = (
            f"SELECT id, run, turn, wake_at AS since FROM executions WHERE {_MOVES} AND wake_at <= ?"  # noqa: S608 - constants
            " UNION"
            " SELECT id, run, turn, created_at AS since FROM executions WHERE id IN (SELECT execution FROM arrivals)"
            f" AND {_MOVES} AND {_MOVED}"
            " ORDER BY since LIMIT ?"
        )
        values = now_s, json.dumps(sorted(ENDS)), limit
        rows = await self._database.read(lambda c: c.execute(statement, values).fetchall())
        found = {row[0]: Known(row[1], row[2]) for row in rows}
        return [DueExecution(*one) for one in found.items()]

    async def next_wake_s(self) -> float | None:
        statement = f"SELECT min(wake_at) FROM executions WHERE {_MOVES}"  # noqa: S608 - constants
        found: float | None = await self._database.read(lambda c: c.execute(statement).fetchone()[0])
        return found


def _cursor(record: ExecutionRecord) -> str:
    return f"{record.created_at_s!r}/{record.id}"
