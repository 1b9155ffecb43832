"""The mailbox of an execution: signals are kept in order until somebody takes them, and taken once."""

from __future__ import annotations

import contextvars
import inspect
from asyncio import Future, Task
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from .arrivals import SignalReceived
from .loop import WorkflowLoop
from .payload import Payload

__all__ = ["Mailbox", "SignalHandler"]

SignalHandler: TypeAlias = Callable[[Payload], object]
"""Called with each signal; an awaitable that it returns runs as a task of its own. Its error fails the execution."""


class Box:
    """What one name of signal has: waiters, handlers, and the ids of kept signals in order."""

    __slots__ = ("handlers", "kept", "waiters")

    def __init__(self) -> None:
        self.kept: deque[str] = deque()
        self.waiters: list[Future[None]] = []
        self.handlers: dict[int, tuple[SignalHandler, contextvars.Context]] = {}

    def wake(self) -> None:
        """Wake the longest waiter, if there is one."""
        while self.waiters:
            waiter = self.waiters.pop(0)
            if not waiter.done():
                waiter.set_result(None)
                return


class Mailbox:
    """Every handler sees each signal once; one waiter takes it; with neither, it is kept.

    A handler that registers first gets what was kept until then.
    """

    __slots__ = ("_boxes", "_handlers_made", "_kept", "_loop", "_seen")

    def __init__(self, loop: WorkflowLoop) -> None:
        self._loop = loop
        self._boxes: dict[str, Box] = {}
        self._seen: set[str] = set()
        self._kept: dict[str, SignalReceived] = {}
        self._handlers_made = 0

    def expects(self, signal: SignalReceived) -> bool:
        """Return whether this is the first delivery of the signal."""
        return signal.id not in self._seen

    def deliver(self, signal: SignalReceived) -> None:
        """Hand a signal to those who want it, or keep it."""
        box = self._box(signal.name)
        for number, (_, context) in box.handlers.items():
            self._loop.call_soon(self._tell, box, signal.payload, number, context=context)
        if box.waiters or not box.handlers:
            self.keep(signal)
            box.wake()
        else:
            self._seen.add(signal.id)

    def keep(self, signal: SignalReceived) -> None:
        """Put a signal where the next receiver, the next handler or the next run finds it."""
        self._seen.add(signal.id)
        self._kept[signal.id] = signal
        self._box(signal.name).kept.append(signal.id)

    async def receive(self, name: str) -> Payload:
        """Take the oldest signal of this name, waiting for it if need be."""
        box = self._box(name)
        while not box.kept:
            waiter: Future[None] = self._loop.create_future()
            box.waiters.append(waiter)
            try:
                await waiter
            except BaseException:
                if waiter in box.waiters:
                    box.waiters.remove(waiter)
                elif box.kept:
                    # Woken and cancelled in the same breath: the signal is the next waiter's.
                    box.wake()
                raise
        return self._kept.pop(box.kept.popleft()).payload

    def on(self, name: str, handler: SignalHandler) -> Callable[[], None]:
        """Call `handler` with each signal of this name from now on; return what ends that."""
        box = self._box(name)
        self._handlers_made += 1
        number, context = self._handlers_made, contextvars.copy_context()
        box.handlers[number] = handler, context
        while box.kept:
            self._offer(box, box.kept.popleft(), number)

        def dispose() -> None:
            box.handlers.pop(number, None)

        return dispose

    def unused(self) -> tuple[SignalReceived, ...]:
        """Return the signals that nobody has taken, in the order of their arrival."""
        return tuple(self._kept.values())

    def _box(self, name: str) -> Box:
        box = self._boxes.get(name)
        if box is None:
            box = self._boxes[name] = Box()
        return box

    def _tell(self, box: Box, payload: Payload, number: int) -> None:
        """Call a handler, unless another one has ended it since."""
        if number in box.handlers:
            self._handle(box.handlers[number][0], payload)

    def _offer(self, box: Box, id: str, number: int) -> None:
        self._loop.call_soon(self._hand_over, box, id, number, context=box.handlers[number][1])

    def _hand_over(self, box: Box, id: str, number: int) -> None:
        """Let a handler have a signal that was kept; if it has ended since, a waiter, another handler, or nobody."""
        if number in box.handlers:
            self._handle(box.handlers[number][0], self._kept.pop(id).payload)
        elif box.handlers and not box.waiters:
            self._offer(box, id, next(iter(box.handlers)))
        else:
            box.kept.append(id)
            box.wake()

    def _handle(self, handler: SignalHandler, payload: Payload) -> None:
        # What it raises reaches the loop, which fails the execution: there is no waiter to tell.
        outcome = handler(payload)
        if inspect.isawaitable(outcome):
            self._loop.create_task(_finish(outcome)).add_done_callback(self._handled)

    def _handled(self, task: Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.fail(error)


async def _finish(outcome: Any) -> None:
    await outcome
