"""The file's schema, and how an older one becomes it. Forward only: what has landed is never edited."""

from __future__ import annotations

import sqlite3

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE executions (
        id TEXT PRIMARY KEY,
        workflow TEXT NOT NULL,
        status TEXT NOT NULL,
        input_digest TEXT NOT NULL,
        created_at REAL NOT NULL,
        ended_at REAL,
        run INTEGER NOT NULL,
        turn INTEGER NOT NULL,
        wake_at REAL,
        parent TEXT,
        paused TEXT,
        attributes TEXT NOT NULL,
        outcome TEXT
    ) WITHOUT ROWID;
    CREATE INDEX executions_due ON executions (wake_at) WHERE outcome IS NULL AND paused IS NULL;
    CREATE INDEX executions_newest ON executions (created_at DESC, id DESC);
    CREATE INDEX executions_by_workflow ON executions (workflow, status, created_at DESC, id DESC);

    CREATE TABLE attributes (
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        execution TEXT NOT NULL,
        PRIMARY KEY (name, value, execution)
    ) WITHOUT ROWID;

    CREATE TABLE turns (
        execution TEXT NOT NULL,
        run INTEGER NOT NULL,
        turn INTEGER NOT NULL,
        events TEXT NOT NULL,
        PRIMARY KEY (execution, run, turn)
    ) WITHOUT ROWID;

    CREATE TABLE arrivals (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        execution TEXT NOT NULL,
        key TEXT NOT NULL,
        event TEXT NOT NULL,
        UNIQUE (execution, key)
    );

    CREATE TABLE states (
        execution TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (execution, name)
    ) WITHOUT ROWID;

    CREATE TABLE tasks (
        execution TEXT NOT NULL,
        run INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        name TEXT NOT NULL,
        call TEXT NOT NULL,
        scheduled_at REAL NOT NULL,
        available_at REAL NOT NULL,
        attempt INTEGER NOT NULL,
        owner TEXT,
        epoch INTEGER NOT NULL,
        details TEXT,
        cancelled INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (execution, run, seq)
    ) WITHOUT ROWID;
    CREATE INDEX tasks_available ON tasks (name, available_at);

    CREATE TABLE deliveries (
        event TEXT NOT NULL,
        subscription TEXT NOT NULL,
        envelope TEXT NOT NULL,
        state TEXT NOT NULL,
        available_at REAL NOT NULL,
        attempt INTEGER NOT NULL,
        owner TEXT,
        epoch INTEGER NOT NULL,
        failure TEXT,
        PRIMARY KEY (event, subscription)
    ) WITHOUT ROWID;
    CREATE INDEX deliveries_available ON deliveries (subscription, state, available_at);

    CREATE TABLE idempotency (
        key TEXT PRIMARY KEY,
        fingerprint BLOB NOT NULL,
        expires_at REAL NOT NULL,
        status INTEGER,
        content_type TEXT,
        body BLOB
    ) WITHOUT ROWID;
    CREATE INDEX idempotency_expiry ON idempotency (expires_at);

    CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    """,
    # Input and options of a task in columns of their own; which run an arrival answers; what retention needs.
    """
    CREATE TABLE tasks_2 (
        execution TEXT NOT NULL,
        run INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        name TEXT NOT NULL,
        input TEXT NOT NULL,
        options TEXT,
        scheduled_at REAL NOT NULL,
        available_at REAL NOT NULL,
        attempt INTEGER NOT NULL,
        owner TEXT,
        epoch INTEGER NOT NULL,
        details TEXT,
        cancelled INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (execution, run, seq)
    ) WITHOUT ROWID;
    INSERT INTO tasks_2
        SELECT execution, run, seq, name,
            json_extract(call, '$.events[0][4]'), json_extract(call, '$.events[0][5]'),
            scheduled_at, available_at, attempt, owner, epoch, details, cancelled
        FROM tasks;
    DROP TABLE tasks;
    ALTER TABLE tasks_2 RENAME TO tasks;
    CREATE INDEX tasks_available ON tasks (name, available_at);

    ALTER TABLE arrivals ADD COLUMN run INTEGER;
    UPDATE arrivals SET run = (SELECT run FROM executions WHERE id = execution)
        WHERE key LIKE 'task:%' OR key LIKE 'child:%';

    CREATE TABLE used_signals (
        execution TEXT NOT NULL,
        key TEXT NOT NULL,
        used_at REAL NOT NULL,
        PRIMARY KEY (execution, key)
    ) WITHOUT ROWID;
    CREATE INDEX used_signals_old ON used_signals (used_at);
    CREATE INDEX executions_ended ON executions (ended_at) WHERE outcome IS NOT NULL;
    CREATE INDEX deliveries_done ON deliveries (available_at) WHERE state = 'done';
    """,
    # Large payloads, beside what refers to them. The run is -1 where all runs need it.
    """
    CREATE TABLE blobs (
        owner TEXT NOT NULL,
        run INTEGER NOT NULL,
        digest TEXT NOT NULL,
        stored_at REAL NOT NULL,
        value TEXT NOT NULL
    );
    CREATE UNIQUE INDEX blobs_keys ON blobs (owner, run, digest);
    CREATE INDEX blobs_old ON blobs (stored_at, owner, run);
    """,
    # Dead letters by age, so that a page of them needs no look at the deliveries of a day.
    """
    CREATE INDEX deliveries_dead ON deliveries (available_at, subscription, event) WHERE state = 'dead';
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this version's schema; safe with several processes at once.

    Raises RuntimeError for a file that a newer version has written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        _check(version)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in script.split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check(version: int) -> None:
    if version > len(MIGRATIONS):
        raise RuntimeError(
            f"the file has schema {version}, this version of service-kit knows {len(MIGRATIONS)}; upgrade service-kit"
        )
