"""Futures and tasks that hash by the order of their creation.

`asyncio.wait`, `as_completed` and `TaskGroup` keep them in sets. A set's order follows its members' hashes,
which by default are addresses: different in every process, and so would be the order of what they start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from .payload import Payload

__all__ = ["CallFuture", "OrderedFuture", "OrderedTask"]

T = TypeVar("T")


class OrderedFuture(asyncio.Future[T]):
    """A future with its place in the order."""

    __slots__ = ("_order",)

    def __init__(self, order: int, loop: asyncio.AbstractEventLoop) -> None:
        self._order = order
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._order


class CallFuture(OrderedFuture[Payload]):
    """The answer to a call; cancelling it tells whoever works on the call."""

    __slots__ = ("_tell", "seq")

    def __init__(
        self, order: int, loop: asyncio.AbstractEventLoop, seq: int, tell: Callable[[int], None]
    ) -> None:
        super().__init__(order, loop)
        self.seq: int = seq
        self._tell = tell

    def cancel(self, msg: Any | None = None) -> bool:
        cancelled = super().cancel(msg)
        if cancelled:
            self._tell(self.seq)
        return cancelled


class OrderedTask(asyncio.Task[T]):
    """A task with its place in the order."""

    __slots__ = ("_order",)

    def __init__(self, order: int, coro: Any, **options: Any) -> None:
        # Before the rest: asyncio's own registry hashes the task while it is being made.
        self._order = order
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._order
