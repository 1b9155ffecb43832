"""Deliveries of events in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from service_kit.runtime.records import Claim, ClaimedDelivery, Publish
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.rows import delivery_of, envelope_text

_ROW = "envelope, subscription, attempt, owner, epoch, available_at"
_MINE = "event = ? AND subscription = ? AND owner = ? AND epoch = ? AND state = 'open'"


class SqliteDeliveries:
    """The ports `Deliveries` and `DeliverySchedule`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, events: Sequence[Publish]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for event in events:
                add(connection, event)

        await self._database.write(work)

    async def claim(
        self, subscriptions: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedDelivery]:
        # By name, each in the order of its index: all at once would sort everything that waits.
        look = (
            f"SELECT {_ROW} FROM deliveries WHERE subscription = ? AND state = 'open'"  # noqa: S608 - a constant
            " AND available_at <= ? ORDER BY available_at LIMIT ?"
        )

        def work(connection: sqlite3.Connection) -> list[ClaimedDelivery]:
            rows = [
                row
                for name in subscriptions
                for row in connection.execute(look, (name, now_s, limit)).fetchall()
            ]
            rows.sort(key=lambda row: row[-1])
            return [_claim(connection, row, claim) for row in rows[:limit]]

        return await self._database.write(work)

    async def done(self, event_id: str, subscription: str, claim: Claim) -> bool:
        # `available_at` of a finished delivery is about when that was.
        change = "state = 'done', owner = NULL, available_at = ?"
        return await self._change(change, (claim.until_s,), event_id, subscription, claim)

    async def retry(self, event_id: str, subscription: str, claim: Claim, at_s: float) -> bool:
        change = "owner = NULL, available_at = ?, attempt = attempt + 1"
        return await self._change(change, (at_s,), event_id, subscription, claim)

    async def bury(self, event_id: str, subscription: str, claim: Claim, failure: str, at_s: float) -> bool:
        change = "state = 'dead', owner = NULL, failure = ?, available_at = ?"
        return await self._change(change, (failure, at_s), event_id, subscription, claim)

    async def next_delivery_s(self, subscriptions: Sequence[str]) -> float | None:
        if not subscriptions:
            return None
        each = "SELECT min(available_at) AS at FROM deliveries WHERE subscription = ? AND state = 'open'"
        query = f"SELECT min(at) FROM ({' UNION ALL '.join([each] * len(subscriptions))})"  # noqa: S608 - a constant
        found: float | None = await self._database.read(
            lambda c: c.execute(query, subscriptions).fetchone()[0]
        )
        return found

    async def _change(
        self, change: str, values: tuple[object, ...], event_id: str, subscription: str, claim: Claim
    ) -> bool:
        query = f"UPDATE deliveries SET {change} WHERE {_MINE}"  # noqa: S608 - constants
        mine = (event_id, subscription, claim.owner, claim.epoch)
        return await self._database.write(lambda c: c.execute(query, (*values, *mine)).rowcount > 0)


def add(connection: sqlite3.Connection, publish: Publish) -> None:
    """Keep a delivery for each subscription, unless it is known."""
    event = publish.event
    connection.executemany(
        "INSERT OR IGNORE INTO deliveries (event, subscription, envelope, state, available_at, attempt, epoch)"
        " VALUES (?, ?, ?, 'open', ?, 1, 0)",
        [(event.id, name, envelope_text(event), event.time_s) for name in publish.subscriptions],
    )


def _claim(connection: sqlite3.Connection, row: tuple[object, ...], claim: Claim) -> ClaimedDelivery:
    _, subscription, attempt, owner, epoch, _ = row
    assert isinstance(attempt, int), "attempts are counted"
    assert isinstance(epoch, int), "epochs are counted"
    mine = replace(claim, epoch=epoch + 1)
    claimed = delivery_of(row, mine, attempt + (owner is not None))
    connection.execute(
        "UPDATE deliveries SET owner = ?, epoch = ?, available_at = ?, attempt = ?"
        " WHERE event = ? AND subscription = ?",
        (mine.owner, mine.epoch, mine.until_s, claimed.attempt, claimed.event.id, subscription),
    )
    return claimed
