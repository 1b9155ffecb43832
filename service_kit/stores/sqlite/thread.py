"""A thread with a connection and a queue of jobs, for any number of event loops."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

GROUP_MOST = 1_000


class Job:
    """Work that somebody waits for."""

    __slots__ = ("answer", "failure", "item", "result", "work")

    def __init__(self, work: Callable[..., Any], item: object, answer: asyncio.Future[Any]) -> None:
        self.work: Callable[..., Any] = work
        self.item: object = item
        """For work on many items at once: this job's."""
        self.answer: asyncio.Future[Any] = answer
        self.result: Any = None
        self.failure: BaseException | None = None

    def tell(self) -> None:
        """Answer; to be called in the loop of whoever waits."""
        if self.answer.done():
            return  # whoever asked was cancelled
        if self.failure is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(self.failure)


class JobThread:
    """Handles jobs in groups: all that were asked for while the group before was handled."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        handle: Callable[[sqlite3.Connection, Sequence[Job]], None],
        name: str,
    ) -> None:
        self._connection = connection
        self._handle = handle
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._asked: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        self._closed = False
        # A daemon, so that a program that forgets to close can end: what was acknowledged is committed.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Callable[..., Any], item: object = None) -> Any:
        """Have a job handled; return its result, or raise what it raised."""
        if self._closed:
            raise RuntimeError("the store is closed")
        loop = asyncio.get_running_loop()
        job = Job(work, item, loop.create_future())
        asked = self._asked.get(loop)
        if asked is None:
            # Handed over once in each round of the loop: waking a thread costs more than the rest.
            self._asked[loop] = [job]
            loop.call_soon(self._hand_over, loop)
        else:
            asked.append(job)
        return await job.answer

    def close(self) -> None:
        """Handle what was asked for, and end."""
        if not self._closed:
            self._closed = True
            for loop in list(self._asked):
                self._hand_over(loop)
            self._queue.put(None)
            self._thread.join()

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if (jobs := self._asked.pop(loop, None)) is not None:
            self._queue.put(jobs)

    def _run(self) -> None:
        going = True
        while going:
            jobs = self._queue.get()
            group = list(jobs or ())
            while jobs is not None and len(group) < GROUP_MOST:
                try:
                    jobs = self._queue.get_nowait()
                except Empty:
                    break
                group += jobs or ()
            going = jobs is not None
            if group:
                self._handle(self._connection, group)
                _tell(group)
        self._connection.close()


def _tell(group: Sequence[Job]) -> None:
    """Answer all jobs, each in its loop, with one wake-up for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in group:
        by_loop.setdefault(job.answer.get_loop(), []).append(job)
    for loop, jobs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_tell_here, jobs)
        except RuntimeError:
            continue  # the loop is closed: nobody waits any more


def _tell_here(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.tell()
