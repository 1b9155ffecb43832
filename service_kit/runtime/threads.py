"""The threads in which a worker runs sync tasks: its own, so that they and whatever else runs in threads do not wait
for each other."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from service_kit.contract.task import Task
from service_kit.contract.threads import keep_thread

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_Outcome: TypeAlias = tuple[Any, BaseException | None]

THREADS = 64
"""Enough for work that waits for others; many more that compute would keep the event loop from its turn."""


def needs_thread(declared: Task[..., Any]) -> bool:
    """Tell whether a task is a sync function; an async one is invoked as it is."""
    return declared.invoke is not declared.function


@dataclass(slots=True, eq=False)
class Threads:
    """So many threads, made when they are needed. A function keeps its own to its end, whoever waits for it."""

    most: int
    freed: Callable[[], None] | None = None
    """Called when a function has ended that nobody waited for: there is room again."""
    abandoned: int = 0
    """Functions that go on although nobody waits for them: no thread can be ended from outside."""
    _free: asyncio.Semaphore = field(init=False)
    _executor: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.most)

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        """Wait for a thread, and keep it for the sync function that the block runs."""
        await self._free.acquire()
        thread = _Thread(self)
        try:
            keep_thread(thread)
            yield
        finally:
            if not thread.used:
                self._free.release()

    async def run(self, function: Callable[[], Any]) -> Any:
        """Run a function in the thread that was waited for."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        ending: asyncio.Future[_Outcome] = loop.create_future()

        def work() -> None:
            outcome = context.run(_outcome_of, function)
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._end, ending, outcome)

        try:
            self._open().submit(work)
        except BaseException:
            self._free.release()
            raise
        try:
            value, error = await ending
        except asyncio.CancelledError:
            self.abandoned += ending.cancelled()
            raise
        if error is None:
            return value
        try:
            raise error
        finally:
            del error  # it holds this frame, and all that the function had

    def close(self) -> None:
        """Let the threads end with what they are running."""
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    def _open(self) -> ThreadPoolExecutor:
        if self._executor is None:
            from concurrent.futures import ThreadPoolExecutor  # many a function on Lambda has no sync task

            self._executor = ThreadPoolExecutor(self.most, thread_name_prefix="service_kit task")
        return self._executor

    def _end(self, ending: asyncio.Future[_Outcome], outcome: _Outcome) -> None:
        self._free.release()
        if ending.cancelled():
            self.abandoned -= 1
            if self.freed is not None:
                self.freed()
        else:
            ending.set_result(outcome)


@dataclass(slots=True, eq=False)
class _Thread:
    threads: Threads
    used: bool = False

    async def run(self, function: Callable[[], Any]) -> Any:
        self.used = True
        return await self.threads.run(function)


def _outcome_of(function: Callable[[], Any]) -> _Outcome:
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - it is raised where the function was called
        return None, error
