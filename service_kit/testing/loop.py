"""An event loop with virtual time: a real asyncio loop whose clock jumps to the next timer when nothing is left to do.

Its time is in seconds since the epoch, so that sums of it are exact: what sleeps until a moment wakes at that moment.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import math
import selectors
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["Idle", "VirtualLoop"]

T = TypeVar("T")

NEVER_S = 253_402_300_800.0
"""The end of the year 9999, after which there is no date."""
REAL_WAIT_S = 1.0
"""How long a task that talks to the real world may be silent before virtual time goes on without it."""


class Idle(Exception):
    """What was waited for has not come, and cannot by itself; or (`later`) not before the moment that was given."""

    def __init__(self, later: bool) -> None:
        super().__init__(later)
        self.later = later


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop of one test environment. Nothing runs but in its methods, in the thread of their caller.

    They may be called while another loop is running in this thread, as in an async test; never from code that
    this loop runs itself.
    """

    def __init__(self, start_s: float, is_busy: Callable[[], bool]) -> None:
        self._now_s = start_s
        self._until_s = start_s
        self._reaches = False
        """Whether time goes on to `until` even if nothing is due before."""
        self._later = False
        """Whether something is due after `until`."""
        self._is_busy = is_busy
        """Whether anything is running that may wait for the real world."""
        self._lingering: list[tuple[float, int, asyncio.Future[None]]] = []
        self._lingerers = itertools.count()
        super().__init__(_JumpingSelector(self))
        self._set_time(start_s)

    def time(self) -> float:
        return self._now_s

    def settle(self) -> None:
        """Run what is due at the present moment, and what that leads to."""
        self.advance_to(self._now_s)

    def advance_to(self, at_s: float) -> None:
        """Run everything that is due until a moment, each at its time."""
        self._until_s, self._reaches = at_s, True
        self._turn()

    def complete(
        self,
        work: Coroutine[Any, Any, T],
        until_s: float = math.inf,
        context: contextvars.Context | None = None,
    ) -> T:
        """Run until `work` is done, letting time pass as needed, and return its result; raise Idle if it cannot be."""
        if self.is_running():
            work.close()
        self._check_free()
        self._until_s, self._reaches = until_s, False
        task = self.create_task(work, context=context)
        task.add_done_callback(lambda _: self.stop())
        self._turn()
        if not task.done():
            later = self._later
            task.cancel()
            self.settle()
            raise Idle(later)
        return task.result()

    def give_up(self) -> None:
        """Let no more time pass for what is being waited for."""
        if not self._reaches:
            self._until_s = self._now_s

    async def linger(self, seconds: float) -> None:
        """Sleep, but do not make time pass: for housekeeping, which alone never keeps anybody waiting."""
        woken: asyncio.Future[None] = self.create_future()
        heapq.heappush(self._lingering, (self._now_s + seconds, next(self._lingerers), woken))
        await woken

    def end(self) -> None:
        """Cancel whatever still runs, and close the loop."""
        for task in (left := asyncio.all_tasks(self)):
            task.cancel()
        self.settle()
        for task in left:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                self.call_exception_handler({"message": "a task failed at the end", "exception": error})
        with aside():
            self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    def call_at(  # type: ignore[override]  # typeshed ties the callback to its arguments by a TypeVarTuple
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        if when >= NEVER_S:  # nothing that time could jump to
            return asyncio.TimerHandle(when, callback, args, self, context)
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]  # see call_at
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run a function at once, where asyncio would use its own threads: their order would differ from run to run."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future: asyncio.Future[T] = self.create_future()
        try:
            with aside():  # in a thread there would be no running loop either
                value = func(*args)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            future.set_exception(error)
        else:
            future.set_result(value)
        return future

    def pass_time(self, timeout: float | None) -> None:
        """Jump to the next timer, or as far as time may go; for the selector, when nothing is left to do."""
        next_s = math.inf if timeout is None else self._now_s + timeout
        if next_s <= self._until_s and next_s < math.inf:
            self._set_time(next_s)
            return
        if self._reaches and self._now_s < self._until_s:
            self._set_time(self._until_s)
        self._later = next_s < math.inf
        self.stop()

    def may_hear(self, open_files: Mapping[Any, Any]) -> bool:
        """Whether something that is running may hear from the real world."""
        return len(open_files) > 1 and self._is_busy()  # one of them is the loop's own

    def _set_time(self, now_s: float) -> None:
        self._now_s = now_s
        # asyncio runs what is due before now + resolution: with one step of the float, exactly what is due.
        self._clock_resolution = math.ulp(now_s)
        while self._lingering and self._lingering[0][0] <= now_s:
            woken = heapq.heappop(self._lingering)[2]
            if not woken.done():
                woken.set_result(None)

    def _check_free(self) -> None:
        if self.is_running():
            raise RuntimeError(
                "the environment is at work; call it from the test, not from the service's own code or its mocks"
            )

    def _turn(self) -> None:
        self._check_free()
        with aside():
            self.run_forever()


@contextmanager
def aside() -> Generator[None]:
    """Put the loop that is running in this thread aside."""
    outer = _get_running_loop()
    _set_running_loop(None)
    try:
        yield
    finally:
        _set_running_loop(outer)


class _JumpingSelector(selectors.BaseSelector):
    """A selector that lets virtual time pass where another one would wait."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._loop.may_hear(self._real.get_map()) and (ready := self._real.select(REAL_WAIT_S)):
            return ready
        self._loop.pass_time(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()
