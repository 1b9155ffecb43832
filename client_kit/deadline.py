"""The time that a call has, attempts and waits together."""

from __future__ import annotations

import math
from collections.abc import Callable


class OutOfTime(TimeoutError):
    """A driver's word that the deadline passed, and not something that merely calls itself a timeout."""


class Deadline:
    """A point in time on a monotonic clock, or never."""

    __slots__ = ("_clock", "_end", "timeout_s")

    def __init__(self, timeout_s: float, clock: Callable[[], float]) -> None:
        self.timeout_s: float = timeout_s
        self._clock = clock
        self._end = None if timeout_s == math.inf else clock() + timeout_s

    def remaining_s(self) -> float | None:
        """Return what is left, zero or less when it is over; None if there is no limit."""
        return None if self._end is None else self._end - self._clock()

    def is_over(self) -> bool:
        return self._end is not None and self._clock() >= self._end

    def allows(self, seconds: float) -> bool:
        """Tell whether something that takes so long would still be in time."""
        return self._end is None or self._clock() + seconds < self._end
