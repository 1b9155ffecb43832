"""The deterministic event loop: asyncio without an outside.

First in, first out; time is the history's; a timer is a call. A turn is `with loop.running()`, in which
`run()` goes on until nothing is ready.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from asyncio.events import _get_running_loop, _set_running_loop
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from ..errors import TurnTooLong
from .calls import TimerCancelled, TimerStarted
from .closing import close_task
from .collecting import hold_collector, release_collector
from .completion import is_unordered
from .forbidden import ClosedLoop, refusal
from .futures import CallFuture, OrderedFuture, OrderedTask
from .ledger import Ledger
from .source import waiting_lines
from .timers import DurableTimer, Timers

__all__ = ["WorkflowLoop"]

T = TypeVar("T")

STEPS_MAX = 1_000_000
"""Callbacks that may run before something has to wait. A loop that never waits would hold its thread for ever."""
ORDER_BITS = 24
KEPT_MIN = 32
CLEANUPS_MAX = 10

AS_COMPLETED = (
    "coroutines in an `as_completed` that was imported before service_kit, which starts them in any order "
    "(write `asyncio.as_completed`, or give it tasks)"
)

logger: logging.Logger = logging.getLogger("service_kit.workflow")


class WorkflowLoop(ClosedLoop):
    """The event loop of one execution."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.timers: Timers = Timers()
        self.workflow: object | None = None
        """What `current_workflow()` finds."""
        self.failure: BaseException | None = None
        """An error outside of any task: it fails the execution."""
        self.conditions: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self._time_s = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._order = 0
        self._tasks: list[OrderedTask[Any]] = []
        self._tasks_max = KEPT_MIN
        self._is_running = False
        self._is_closed = False
        self._task_factory: Any = None

    # What drives it

    def seed_order(self, salt: int) -> None:
        """Begin the order of tasks and futures at a number that other executions do not share.

        asyncio keeps every task of the process in one set: with equal hashes it would degrade to a list.
        """
        self._order = (salt & 0xFFFFFF) << ORDER_BITS

    def advance(self, at_s: float) -> None:
        """Set the time, which never runs backwards."""
        self._time_s = max(self._time_s, at_s)

    @contextmanager
    def running(self) -> Generator[None, None, None]:
        """Be this thread's running loop; another that is running meanwhile is put aside."""
        previous, hooks = _get_running_loop(), sys.get_asyncgen_hooks()
        hold_collector()
        # Without a finalizer the cleanup of an abandoned generator would run whenever the garbage collector
        # finds it: at another point in each replay. So it never runs.
        sys.set_asyncgen_hooks(firstiter=None, finalizer=_forget)
        _set_running_loop(self)
        self._is_running = True
        try:
            yield
        finally:
            self._is_running = False
            _set_running_loop(previous)
            sys.set_asyncgen_hooks(*hooks)
            release_collector()

    def run(self) -> None:
        """Run what is ready, and what gets ready by it, until everything waits or the ledger stops."""
        try:
            self._run()
        except SystemExit as error:
            self.fail(error)

    def fire(self, seq: int) -> None:
        """Let a timer run."""
        timer = self.timers.take(seq)
        assert timer is not None, f"timer {seq} is not open"
        self._ready.append(timer)

    def fail(self, error: BaseException) -> None:
        """Fail the execution with an error that no task can raise."""
        if not self.ledger.stopped:
            self.failure = error
            self.ledger.stopped = True

    def open_tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done, in the order of their creation."""
        return [task for task in self._tasks if not task.done()]

    def waiting_lines(self) -> str:
        """Return the source lines at which the workflow waits."""
        return waiting_lines(self._tasks)

    def discard(self) -> None:
        """Close every coroutine under this loop, where calls do nothing.

        Left to the garbage collector, `finally` blocks would run inside whatever workflow runs then.
        """
        self.ledger.stopped = True
        self._is_closed = True
        with self.running():
            # Cleanup code may make new tasks, whose cleanup may make new ones, but not for ever.
            for _ in range(CLEANUPS_MAX):
                tasks, self._tasks = self._tasks, []
                for task in tasks:
                    close_task(task)
        self._tasks.clear()
        self._ready.clear()
        self.conditions.clear()
        self.timers = Timers()
        self.workflow = None

    def _run(self) -> None:
        ready, ledger = self._ready, self.ledger
        steps = 0
        while True:
            while ready:
                handle = ready.popleft()
                if handle._cancelled:
                    continue
                handle._run()
                if ledger.stopped:
                    ready.clear()
                    return
                steps += 1
                if steps >= STEPS_MAX:
                    raise TurnTooLong(
                        f"the workflow ran {STEPS_MAX} steps in one turn without waiting for anything; "
                        f"await a task, a timer or a signal in its loop, at {self.waiting_lines()}"
                    )
            # What was stopped from outside does not run, though time has made its condition true.
            if ledger.stopped or not self._wake_condition():
                return

    def _wake_condition(self) -> bool:
        """Wake the first waiter whose condition holds: only one, because it may undo the next one's."""
        for future, predicate in list(self.conditions.items()):
            try:
                if not predicate():
                    continue
                future.set_result(None)
            except Exception as error:  # noqa: BLE001 - it belongs to the waiter
                future.set_exception(error)
            return True
        return False

    # What asyncio asks of a loop

    def time(self) -> float:
        return self._time_s

    def is_running(self) -> bool:
        return self._is_running

    def is_closed(self) -> bool:
        return self._is_closed

    def get_debug(self) -> bool:
        return False

    def call_soon(  # type: ignore[override]  # typeshed ties the callback to its arguments by a TypeVarTuple
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]  # see call_soon
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._time_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # see call_soon
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = DurableTimer(when, callback, args, self, context)
        timer.seq = 0
        if when <= self._time_s:
            # Due at once: there is nothing to survive, so nothing to record.
            self._ready.append(timer)
        elif when < float("inf"):
            timer.seq = self.ledger.next_seq()
            self.ledger.record(TimerStarted(timer.seq, float(when)))
            self.timers.add(timer)
        elif when != when:
            raise ValueError("a timer's time is not a number (NaN); give seconds")
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        assert isinstance(handle, DurableTimer)
        if self.timers.take(handle.seq) is not None:
            self.ledger.record(TimerCancelled(self.ledger.next_seq(), handle.seq))

    def create_future(self) -> asyncio.Future[Any]:
        return OrderedFuture(self._next_order(), self)

    def create_call_future(self, seq: int, tell: Callable[[int], None]) -> CallFuture:
        """Return the future of call number `seq`; `tell(seq)` is called if it is cancelled."""
        return CallFuture(self._next_order(), self, seq, tell)

    def create_task(
        self,
        coro: Any,
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
        **options: Any,
    ) -> asyncio.Task[Any]:
        if is_unordered():
            coro.close()
            raise refusal(self.ledger, AS_COMPLETED)
        order = self._next_order()
        if name is None:
            # asyncio would number tasks across the whole process.
            name = f"Task-{order & 0xFFFFFF}"
        if self._task_factory is not None:
            options.setdefault("eager_start", True)
        task: OrderedTask[Any] = OrderedTask(order, coro, loop=self, name=name, context=context, **options)
        self._keep(task)
        return task

    def set_task_factory(self, factory: Any) -> None:
        if factory is not None and factory is not getattr(asyncio, "eager_task_factory", None):
            raise refusal(self.ledger, "a task factory of its own (set_task_factory)")
        self._task_factory = factory

    def get_task_factory(self) -> Any:
        return self._task_factory

    def get_exception_handler(self) -> None:
        return None

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "handle" in context and error is not None:
            # A callback has no waiter who could be told.
            self.fail(error)
        elif not self.ledger.replaying and not self._is_closed:
            logger.error(context.get("message", "error in a workflow"), exc_info=error)

    def _next_order(self) -> int:
        self._order += 1
        return self._order

    def _keep(self, task: OrderedTask[Any]) -> None:
        """Hold on to a task until it is done: asyncio itself would let an unreferenced one vanish."""
        self._tasks.append(task)
        if len(self._tasks) > self._tasks_max:
            self._tasks = [task for task in self._tasks if not task.done()]
            self._tasks_max = 2 * len(self._tasks) + KEPT_MIN


def _forget(generator: object) -> None:
    """Let go of an abandoned asynchronous generator."""
