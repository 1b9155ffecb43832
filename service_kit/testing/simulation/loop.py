"""A loop with virtual time on which simulated processes live, and die at any await."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import math
import warnings
from asyncio.events import _get_running_loop, _set_running_loop
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from service_kit.engine.closing import close_task
from service_kit.engine.futures import OrderedTask
from service_kit.testing.loop import VirtualLoop

START_S = 1_000_000.0
"""Small enough that the loop's nanosecond of tolerance is more than a rounding error of its time."""


@dataclass(slots=True, eq=False)
class Process:
    """Whatever runs in the context of one process. None of it runs once it is dead, or while it is frozen."""

    name: str
    dies_at_step: int = 0
    """0: it does not, of itself."""
    freezes_at_step: int = 0
    freezes_for_s: float = 0.0
    dead: bool = False
    steps: int = 0
    held: list[asyncio.Handle] | None = None
    """What waits for the end of a freeze."""
    on_death: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])


PROCESS: ContextVar[Process | None] = ContextVar("simulated_process", default=None)
"""The process that the running code belongs to."""


class SimulatedLoop(VirtualLoop):
    """The loop of one simulation. Its tasks hash by creation, so that sets of them have one order."""

    # asyncio's own queues: what runs next, and what runs at a time.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._order = 0
        self._made: list[asyncio.Task[Any]] = []
        super().__init__(START_S, lambda: False)
        self.set_task_factory(self._make_task)
        # What fails in a process is the process's affair: the invariants say whether it mattered.
        self.set_exception_handler(lambda _loop, _context: None)

    def call_at(  # type: ignore[override]  # typeshed ties the callback to its arguments by a TypeVarTuple
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        if when == math.inf:
            return super().call_at(when, callback, *args, context=context)
        timer = _TimedStep(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # type: ignore[attr-defined]  # asyncio's mark of what is in its queue
        return timer

    def kill(self, process: Process) -> None:
        """End a process where it stands: nothing of it runs any more, `finally` blocks included."""
        process.dead = True
        for tell in process.on_death:
            tell()

    def freeze(self, process: Process, seconds: float) -> None:
        """Stop a process for a while; then it goes on as if nothing had been."""
        if process.held is None:
            process.held = []
            outside = contextvars.copy_context()
            outside.run(PROCESS.set, None)
            self.call_later(seconds, self._thaw, process, context=outside)

    def admits(self, handle: asyncio.Handle) -> bool:
        """Return whether a step may run now; one that may later is kept."""
        context: contextvars.Context = handle._context  # type: ignore[attr-defined]  # asyncio keeps it there
        process = context.get(PROCESS)
        if process is None:
            return True
        if process.dead:
            return False
        process.steps += 1
        if process.steps == process.dies_at_step:
            self.kill(process)
            return False
        if process.steps == process.freezes_at_step:
            self.freeze(process, process.freezes_for_s)
        if process.held is not None:
            process.held.append(handle)
            return False
        return True

    def bury(self) -> None:
        """Close what the dead have left in memory, and the loop."""
        outside = _get_running_loop()
        _set_running_loop(
            self
        )  # what is cleaned up there would make a loop of its own, and nobody would close it
        try:
            with warnings.catch_warnings():
                # Some have died before their first step: Python would warn that nobody awaited them.
                warnings.simplefilter("ignore", RuntimeWarning)
                for task in self._made:
                    close_task(task)
        finally:
            _set_running_loop(outside)
        self._made.clear()
        self.close()

    def _call_soon(
        self, callback: Callable[..., object], args: Any, context: contextvars.Context | None
    ) -> asyncio.Handle:
        step = _Step(callback, args, self, context)
        self._ready.append(step)
        return step

    def _thaw(self, process: Process) -> None:
        held, process.held = process.held or [], None
        self._ready.extend(held)

    def _make_task(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        self._order += 1
        task: asyncio.Task[Any] = OrderedTask(self._order, coro, loop=loop, **options)
        self._made.append(task)
        if self._order % 1_000 == 0:
            self._made = [made for made in self._made if not made.done()]
        return task


class _Step(asyncio.Handle):
    """What is to be run soon, if its process lives."""

    __slots__ = ()

    def _run(self) -> None:
        if self._loop.admits(self):  # type: ignore[attr-defined]  # asyncio keeps it there
            super()._run()


class _TimedStep(asyncio.TimerHandle):
    """What is to be run at a time, if its process lives."""

    __slots__ = ()

    def _run(self) -> None:
        if self._loop.admits(self):  # type: ignore[attr-defined]  # see _Step
            super()._run()
