"""Idempotent answers in SQLite: they outlive the process that gave them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from service_kit.runtime.idempotency import Beginning, Claimed, InFlight, Kept, KeptAnswer, Mismatch
from service_kit.stores.sqlite.database import Database

KEEP_S = 86_400.0
LEASE_S = 900.0
"""A claim that is neither kept nor released for so long was its process's last."""


class SqliteIdempotencyStore:
    """The port `IdempotencyStore`; `database` gives the file, which may be opened after this is made."""

    def __init__(self, database: Callable[[], Database], clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, key: str, fingerprint: bytes) -> Beginning:
        now_s = self._clock()

        def work(connection: sqlite3.Connection) -> Beginning:
            connection.execute("DELETE FROM idempotency WHERE expires_at <= ?", (now_s,))
            claimed = connection.execute(
                "INSERT OR IGNORE INTO idempotency (key, fingerprint, expires_at) VALUES (?, ?, ?)",
                (key, fingerprint, now_s + LEASE_S),
            ).rowcount
            if claimed:
                return Claimed()
            query = "SELECT fingerprint, status, content_type, body FROM idempotency WHERE key = ?"
            known, status, content_type, body = connection.execute(query, (key,)).fetchone()
            if known != fingerprint:
                return Mismatch()
            return InFlight() if status is None else Kept(KeptAnswer(status, content_type, body))

        return await self._database().write(work)

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        query = "UPDATE idempotency SET status = ?, content_type = ?, body = ?, expires_at = ? WHERE key = ?"
        values = (answer.status, answer.content_type, answer.body, self._clock() + KEEP_S, key)
        await self._database().write(lambda connection: connection.execute(query, values))

    async def release(self, key: str) -> None:
        query = "DELETE FROM idempotency WHERE key = ? AND status IS NULL"
        await self._database().write(lambda connection: connection.execute(query, (key,)))
