"""The durable timers of one execution: which are open, and which is due next."""

from __future__ import annotations

import asyncio
from heapq import heapify, heappop, heappush

__all__ = ["DurableTimer", "Timers"]

SLACK = 64
"""Cancelled entries that the heap may hold beyond half its size before it is built anew."""


class DurableTimer(asyncio.TimerHandle):
    """A timer with the number of the call that started it."""

    __slots__ = ("seq",)
    seq: int


class Timers:
    """Open timers by number, and a heap of when they are due."""

    __slots__ = ("_heap", "_open")

    def __init__(self) -> None:
        self._open: dict[int, DurableTimer] = {}
        self._heap: list[tuple[float, int]] = []

    def __contains__(self, seq: int) -> bool:
        return seq in self._open

    def add(self, timer: DurableTimer) -> None:
        """Open a timer."""
        self._open[timer.seq] = timer
        heappush(self._heap, (timer.when(), timer.seq))
        # Timeouts that are nearly always cancelled would fill the heap with entries due in the far future.
        if len(self._heap) > 2 * len(self._open) + SLACK:
            self._heap = [(timer.when(), seq) for seq, timer in self._open.items()]
            heapify(self._heap)

    def take(self, seq: int) -> DurableTimer | None:
        """Close timer number `seq` and return it; None if it is not open."""
        return self._open.pop(seq, None)

    def due_s(self, seq: int) -> float | None:
        """Return when timer number `seq` is due; None if it is not open."""
        timer = self._open.get(seq)
        return None if timer is None else timer.when()

    def first(self) -> tuple[float, int] | None:
        """Return when the next timer is due, and its number; equal times come in the order of their start."""
        while self._heap and self._heap[0][1] not in self._open:
            heappop(self._heap)
        return self._heap[0] if self._heap else None
