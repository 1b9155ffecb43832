"""Waiting for a hint or for a moment, whichever is first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from service_kit.runtime.clock import Clock

logger: logging.Logger = logging.getLogger("service_kit.runtime")

FAILED_S = 1.0
"""How long a step that failed rests."""


class Hint:
    """Says that it is worth looking. Losing one costs time, never work."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given = asyncio.Event()

    def give(self) -> None:
        self._given.set()

    def take(self) -> None:
        """Begin to look: hints from now on are for the next look."""
        self._given.clear()

    async def wait(self, at_s: float | None, most_s: float | None = None) -> None:
        """Wait for a hint, or a moment, or at most so long; None sets no limit."""
        waits = [] if most_s is None else [most_s]
        if at_s is not None and at_s != float("inf"):
            waits.append(at_s - self._clock.now_s())
        if waits and min(waits) <= 0:
            await asyncio.sleep(0)
            return
        alarm = self._clock.call_later(min(waits), self._given.set) if waits else None
        try:
            await self._given.wait()
        finally:
            if alarm is not None:
                alarm.cancel()


async def repeat(step: Callable[[], Coroutine[Any, Any, None]], clock: Clock) -> None:
    """Take a step for ever; one that fails is told of, and taken again."""
    while True:
        try:
            await step()
        except Exception:
            logger.exception("%s failed; it will be tried again", step.__name__)
            await clock.sleep(FAILED_S)
