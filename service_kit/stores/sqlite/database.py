"""One SQLite file: a thread that writes in groups, and one that reads.

Everything that waits when the writer becomes free is committed in one transaction, so that durability costs one
fsync for each group and not for each write. A write is acknowledged after its commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from service_kit.stores.sqlite.schema import migrate

T = TypeVar("T")

Work: TypeAlias = Callable[[sqlite3.Connection], Any]

GROUP_MOST = 1_000
BUSY_MS = 10_000
"""How long to wait for another process that is writing."""


class Database:
    """The file, open. Work is a function of a connection; a write that raises must not have written before."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        migrate(_connect(self.path))
        self._writer = _Worker(_connect(self.path), self._commit, "sqlite writer")
        self._reader = _Worker(_connect(self.path), _read, "sqlite reader")

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction together with what else waits; return its result once it is durable."""
        return await self._writer.do(work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on what is committed."""
        return await self._reader.do(work)

    def close(self) -> None:
        """Finish what waits, and close the file."""
        self._writer.close()
        self._reader.close()

    def _commit(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in group:
                job.run(connection)
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - every job of the group is told
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for job in group:
                job.failure = error


class _Job:
    __slots__ = ("answer", "failure", "loop", "result", "work")

    def __init__(self, work: Work, loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.answer: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.failure: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        try:
            self.result = self.work(connection)
        except sqlite3.Error:
            raise  # the disk is full, the file is broken: nothing of the group counts
        except Exception as error:  # noqa: BLE001 - a refusal of this job alone, before it has written
            self.failure = error

    def tell(self) -> None:
        if self.answer.done():
            return  # whoever asked was cancelled
        if self.failure is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(self.failure)


class _Worker:
    """A thread with a connection and a queue of jobs."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        handle: Callable[[sqlite3.Connection, list[_Job]], None],
        name: str,
    ) -> None:
        self._connection = connection
        self._handle = handle
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        # A daemon, so that a program that forgets to close can end: what was acknowledged is committed.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise RuntimeError("the store is closed")
        job = _Job(work, asyncio.get_running_loop())
        self._queue.put(job)
        result: T = await job.answer
        return result

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            group: list[_Job] = []
            job = self._queue.get()
            while job is not None:
                group.append(job)
                if len(group) == GROUP_MOST or self._queue.empty():
                    break
                job = self._queue.get()
            going = job is not None
            if group:
                self._handle(self._connection, group)
                _tell(group)
        self._connection.close()


def _tell(group: list[_Job]) -> None:
    """Answer all jobs, each in its loop, with one wake-up for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in group:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell_here, jobs)


def _tell_here(jobs: list[_Job]) -> None:
    for job in jobs:
        job.tell()


def _read(connection: sqlite3.Connection, group: list[_Job]) -> None:
    for job in group:
        try:
            job.run(connection)
        except sqlite3.Error as error:
            job.failure = error


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
