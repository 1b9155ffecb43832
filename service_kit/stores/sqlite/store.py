"""The whole store in one SQLite file."""

from __future__ import annotations

import secrets
import sqlite3

from service_kit.runtime.ports import Stores
from service_kit.stores.sqlite.blobs import SqliteBlobs
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.deliveries import SqliteDeliveries
from service_kit.stores.sqlite.executions import SqliteExecutions
from service_kit.stores.sqlite.index import SqliteIndex
from service_kit.stores.sqlite.letters import SqliteLetters
from service_kit.stores.sqlite.retention import SqliteRetention
from service_kit.stores.sqlite.tasks import SqliteTasks


def sqlite_stores(database: Database) -> Stores:
    """Return the ports of the durable runtime over an open file."""
    deliveries = SqliteDeliveries(database)
    return Stores(
        SqliteExecutions(database),
        SqliteIndex(database),
        SqliteTasks(database),
        deliveries,
        SqliteLetters(database),
        deliveries,
        SqliteRetention(database),
        SqliteBlobs(database),
    )


async def token_secret(database: Database) -> bytes:
    """Return the secret that signs task tokens: made once for each file, and shared by its processes."""

    def work(connection: sqlite3.Connection) -> bytes:
        connection.execute("INSERT OR IGNORE INTO secrets VALUES ('tokens', ?)", (secrets.token_bytes(32),))
        found: bytes = connection.execute("SELECT value FROM secrets WHERE name = 'tokens'").fetchone()[0]
        return found

    return await database.write(work)
