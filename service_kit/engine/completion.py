"""`asyncio.as_completed` in the order in which it is given its coroutines.

It puts them into a set, and a coroutine's hash is its address: the one place where asyncio's order cannot be
made the loop's. So the function is replaced, for the whole process, by one that in a workflow first makes
tasks of them, in order; elsewhere it does what it always did. Who has bound the old function by name before
is refused, rather than given an order that no replay repeats.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from asyncio.events import _get_running_loop
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

from .forbidden import ClosedLoop

__all__ = ["install_as_completed", "is_unordered"]

_original = asyncio.tasks.as_completed
_iterator = getattr(asyncio.tasks, "_AsCompletedIterator", None)
UNORDERED: frozenset[CodeType] = frozenset(
    [_original.__code__] if _iterator is None else [_original.__code__, _iterator.__init__.__code__]
)
"""The code that makes tasks from a set."""
DEPTH = 4


@functools.wraps(_original)
def as_completed(fs: Iterable[Any], *, timeout: float | None = None) -> Any:
    alone = asyncio.isfuture(fs) or asyncio.iscoroutine(fs)
    if isinstance(_get_running_loop(), ClosedLoop) and not alone:
        fs = [asyncio.ensure_future(one) for one in dict.fromkeys(fs)]
    return _original(fs, timeout=timeout)


def install_as_completed() -> None:
    """Replace the function in its two places, unless somebody else has done so."""
    if asyncio.as_completed is _original:
        asyncio.as_completed = asyncio.tasks.as_completed = as_completed


def is_unordered() -> bool:
    """Return whether the task that is being made comes out of a set."""
    frame: FrameType | None = sys._getframe(2)
    for _ in range(DEPTH):
        if frame is None:
            return False
        if frame.f_code in UNORDERED:
            return True
        frame = frame.f_back
    return False
