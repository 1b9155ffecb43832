"""The event loop of a Lambda function: a call that never waits costs one step of one task."""

from __future__ import annotations

import asyncio
import selectors
import sys
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STOP_BEFORE_S = 0.3
"""So long before the function's end a call that still waits is cancelled,"""
ANSWER_BEFORE_S = 0.1
"""and so long before it, if it does not heed that, it is left alone and the caller answered."""
_CANCELLED_TIMERS = 64


class DeadlinePassed(Exception):
    """The time of the invocation is nearly over."""


class InvocationLoop(asyncio.SelectorEventLoop):
    """Run one coroutine an invocation, each as an asyncio.Task with a context of its own.

    `run_until_complete` polls the selector twice for each call, which takes longer than a small command. Here the
    task's first step is run as soon as the task asks for it; only if it waits then, or has left work to the loop
    (tasks, callbacks, timers, connections), does the loop turn. What other tasks have left to do when a call ends
    goes on with the next call, as the process is frozen in between. docs/design/lambda.md has the reasons.
    """

    def __init__(self) -> None:
        self._catching = False
        self._caught: tuple[Context, Callable[..., object], tuple[Any, ...]] | None = None
        self._stepping = False
        self._stirred = False
        self._timers: list[asyncio.TimerHandle] = []
        self._cancelled_timers = 0
        self._connections = _CountingSelector()
        super().__init__(self._connections)
        self._no_handle = asyncio.Handle(_nothing, (), self)
        self._own_connections = self._connections.count
        self._hooks = self.run_until_complete(_asyncgen_hooks())
        self._stirred = False

    def run(self, main: Coroutine[Any, Any, T], remaining_s: Callable[[], float | None]) -> T:
        """Return what `main` returns; raise what it raises, or DeadlinePassed.

        `remaining_s` tells, if it is known, how long the invocation may still take; it is asked only if `main` waits.
        """
        if events._get_running_loop() is not None:
            main.close()
            raise RuntimeError("the handler was called inside a running event loop; call it in a thread")
        task = self._begin(main)
        if not task.done():
            self._finish(task, remaining_s())
        elif self._stirred or self._timers or self._connections.count > self._own_connections:
            self._tend()
        return task.result()

    def is_running(self) -> bool:
        return self._stepping or super().is_running()

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self._catching and context is not None:
            self._catching = False
            self._caught = context, callback, args
            return self._no_handle  # a task does not look at it
        self._stirred = True
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        self._stirred = True
        return super().call_soon_threadsafe(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = super().call_at(when, callback, *args, context=context)
        self._timers.append(timer)
        return timer

    def _begin(self, main: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task, and run its first step at once, as a running loop would."""
        self._catching = True
        task = asyncio.Task(
            main, loop=self, name="invocation"
        )  # a numbered name would be formatted each time
        assert self._caught is not None
        (context, step, args), self._caught = self._caught, None
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*self._hooks)
        events._set_running_loop(self)
        self._stepping = True
        try:
            context.run(step, *args)
        except BaseException:
            _consume(task)
            raise
        finally:
            self._stepping = False
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        return task

    def _finish(self, task: asyncio.Task[Any], remaining_s: float | None) -> None:
        expired = False

        def expire() -> None:
            nonlocal expired
            expired = True
            task.cancel()

        def stop(_: object) -> None:
            self.stop()

        alarms: list[asyncio.TimerHandle] = []
        if remaining_s is not None:
            alarms.append(self.call_later(max(remaining_s - STOP_BEFORE_S, 0.0), expire))
            alarms.append(self.call_later(max(remaining_s - ANSWER_BEFORE_S, 0.0), self.stop))
        task.add_done_callback(stop)
        try:
            self.run_forever()
        except BaseException:
            _consume(task)
            raise
        finally:
            task.remove_done_callback(stop)
            for alarm in alarms:
                alarm.cancel()
            # Whether anything is left is not known; the end of the next call finds out.
            self._stirred = True
            self._forget_timers(self.time())
        if expired and (task.cancelled() or not task.done()):
            raise DeadlinePassed
        if not task.done():
            raise RuntimeError("the event loop was stopped before the call had ended; call no loop.stop()")

    def _tend(self) -> None:
        """Turn once for what the call, or an earlier one, has left to the loop.

        A task that waits needs no look of its own: what wakes it is a callback, a timer or a connection.
        """
        self._forget_timers(float("-inf"))
        idle = not self._stirred and not self._timers and self._connections.count == self._own_connections
        # The loop keeps cancelled timers (a timeout that was not needed is one) until it turns.
        if idle and self._cancelled_timers < _CANCELLED_TIMERS:
            return
        self._stirred, self._cancelled_timers = False, 0
        began_at = self.time()
        super().call_soon(self.stop)
        self.run_forever()
        self._forget_timers(began_at)

    def _forget_timers(self, run_until: float) -> None:
        live = [timer for timer in self._timers if not timer.cancelled()]
        self._cancelled_timers += len(self._timers) - len(live)
        self._timers = [timer for timer in live if timer.when() > run_until]


class _CountingSelector(selectors.DefaultSelector):
    """Know how many connections the loop listens to, without a call for each look."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        self.count += 1
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        self.count -= 1
        return key


def _consume(task: asyncio.Task[Any]) -> None:
    """Look at what the task both keeps and lets through (SystemExit, KeyboardInterrupt), or it would be logged."""
    if task.done() and not task.cancelled():
        task.exception()


def _nothing() -> None:
    pass


async def _asyncgen_hooks() -> Any:
    return sys.get_asyncgen_hooks()
