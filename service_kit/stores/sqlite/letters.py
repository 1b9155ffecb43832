"""Dead letters in SQLite: deliveries of a state of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from service_kit.runtime.records import DeadLetter, LetterPage, LetterPlace, place_of
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.rows import letter_of

_LETTER = "SELECT envelope, subscription, attempt, failure, available_at FROM deliveries WHERE state = 'dead'"
_FINISH = (
    "UPDATE deliveries SET state = 'done', failure = NULL, available_at = ?"
    " WHERE state = 'dead' AND event = ? AND subscription = ?"
)


class SqliteLetters:
    """The port `DeadLetters`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, subscription: str | None, limit: int, after: LetterPlace | None) -> LetterPage:
        query, values = _LETTER, list[object]()
        if subscription is not None:
            query += " AND subscription = ?"
            values.append(subscription)
        if after is not None:
            query += " AND (available_at, subscription, event) > (?, ?, ?)"
            values += [after.died_at_s, after.subscription, after.event_id]
        query += " ORDER BY available_at, subscription, event LIMIT ?"
        rows = await self._database.read(lambda c: c.execute(query, (*values, limit + 1)).fetchall())
        found = [letter_of(row) for row in rows]
        page = found[:limit]
        return LetterPage(page, place_of(page[-1]) if len(found) > len(page) else None)

    async def read(self, subscription: str, event_id: str) -> DeadLetter | None:
        query = f"{_LETTER} AND event = ? AND subscription = ?"
        row = await self._database.read(lambda c: c.execute(query, (event_id, subscription)).fetchone())
        return None if row is None else letter_of(row)

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        query = (
            "UPDATE deliveries SET state = 'open', attempt = 1, failure = NULL, available_at = ?"
            " WHERE state = 'dead' AND subscription = ? AND event = coalesce(?, event)"
        )
        return await self._database.write(
            lambda c: c.execute(query, (now_s, subscription, event_id)).rowcount
        )

    async def discard(self, subscription: str, event_ids: Sequence[str], now_s: float) -> Mapping[str, bool]:
        def work(connection: sqlite3.Connection) -> dict[str, bool]:
            return {
                each: connection.execute(_FINISH, (now_s, each, subscription)).rowcount > 0
                for each in dict.fromkeys(event_ids)
                if _is_known(connection, each, subscription)
            }

        return await self._database.write(work)


def _is_known(connection: sqlite3.Connection, event_id: str, subscription: str) -> bool:
    query = "SELECT 1 FROM deliveries WHERE event = ? AND subscription = ?"
    return connection.execute(query, (event_id, subscription)).fetchone() is not None
