"""One SQLite file: a thread that writes in groups, and one that reads.

Everything that waits when the writer becomes free is committed in one transaction, so that durability costs one
fsync for each group and not for each write. A write is acknowledged after its commit. One that cannot be stored
fails alone: the group is rolled back and committed without it.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from service_kit.stores.sqlite.schema import migrate
from service_kit.stores.sqlite.thread import Job, JobThread

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item

Work: TypeAlias = Callable[[sqlite3.Connection], T]
Batch: TypeAlias = Callable[[sqlite3.Connection, Sequence[I]], Sequence[T | BaseException]]
"""Writes many items at once; returns for each its result, or why it was refused: then nothing of it was written."""

logger: logging.Logger = logging.getLogger("service_kit.sqlite")

BUSY_MS = 10_000
"""How long to wait for another process that is writing."""
STATEMENTS = 512
PAGE_BYTES = 2_048
"""Of a new file. A turn touches four pages, and each is written whole: half as large, a lone commit takes 30 % less."""
CHECKPOINT_PAGES = 8_000
"""How long the log grows before it is moved into the file: 16 MB."""

_FAULTS = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""Errors of one piece of work. Any other of SQLite's is the file's: the disk is full, it is locked, it is broken."""


class Database:
    """The file, open."""

    def __init__(self, path: str | Path) -> None:
        self.path: str = str(path)
        connection = _connect(self.path)
        try:
            migrate(connection)
        finally:
            connection.close()
        self._writer = JobThread(_connect(self.path), self._commit, "sqlite writer")
        self._reader = JobThread(_connect(self.path), _read, "sqlite reader")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction together with what else waits; return its result once it is durable.

        It may run several times, and must do the same each time.
        """
        result: T = await self._writer.do(work)
        return result

    async def write_together(self, batch: Batch[I, T], item: I) -> T:
        """Write an item in the same way, by one call of `batch` for all that wait with it."""
        result: T = await self._writer.do(batch, item)
        return result

    async def read(self, work: Work[T]) -> T:
        """Run `work` on what is committed."""
        result: T = await self._reader.do(work)
        return result

    def close(self) -> None:
        """Finish what waits, and close the file."""
        self._writer.close()
        self._reader.close()

    def _commit(self, connection: sqlite3.Connection, group: Sequence[Job]) -> None:
        waiting = list(group)
        while waiting:
            try:
                connection.execute("BEGIN IMMEDIATE")
                culprits = _run(connection, waiting)
                if culprits is None:
                    connection.execute("COMMIT")
                    return
                connection.execute("ROLLBACK")
            except BaseException as error:  # noqa: BLE001 - every job of the group is told
                _roll_back(connection)
                for job in waiting:
                    job.failure = error
                return
            waiting = [job for job in waiting if job not in culprits]


def _run(connection: sqlite3.Connection, jobs: Sequence[Job]) -> Collection[Job] | None:
    """Run all jobs; if one failed after it had written, all others have to run again: return those that shall not.

    Raises what is wrong with the file itself.
    """
    batches: dict[Any, list[Job]] = {}
    for job in jobs:
        job.failure = None
        if job.item is None:
            written = connection.total_changes
            try:
                job.result = job.work(connection)
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                _check(error)
                job.failure = error
                if connection.total_changes != written:
                    return [job]
        else:
            batches.setdefault(job.work, []).append(job)
    for batch, members in batches.items():
        culprits = _run_batch(connection, batch, members)
        if culprits is not None:
            return culprits
    return None


def _run_batch(
    connection: sqlite3.Connection, batch: Batch[Any, Any], jobs: Sequence[Job]
) -> Collection[Job] | None:
    try:
        for job, answer in zip(jobs, batch(connection, [job.item for job in jobs]), strict=True):
            if isinstance(answer, BaseException):
                job.failure = answer
            else:
                job.result = answer
    except Exception as error:  # noqa: BLE001 - whoever asked is told
        _check(error)
        if len(jobs) == 1:
            jobs[0].failure = error
            return jobs
        # One of them is to blame: in the next round each is a batch of its own, and the guilty one is found.
        for job in jobs:
            job.work, job.item = _alone(batch, job.item), None
        return ()
    return None


def _alone(batch: Batch[Any, T], item: object) -> Work[T]:
    def work(connection: sqlite3.Connection) -> T:
        (answer,) = batch(connection, [item])
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return work


def _check(error: Exception) -> None:
    """Raise what is an error of the file, and not of the work."""
    if isinstance(error, sqlite3.Error) and not isinstance(error, _FAULTS):
        raise error


def _roll_back(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        logger.exception(
            "a failed transaction could not be rolled back; SQLite does it when the file is next opened"
        )


def _read(connection: sqlite3.Connection, group: Sequence[Job]) -> None:
    for job in group:
        try:
            job.result = job.work(connection)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            job.failure = error


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
        cached_statements=STATEMENTS,
    )
    try:
        _set_up(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    # Changing the journal's mode does not wait for other connections by itself.
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
