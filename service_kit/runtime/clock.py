"""Time as the runtime sees it, so that tests and simulations can have their own."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time, and waiting for it."""

    def now_s(self) -> float:
        """Return seconds since the epoch. It may jump; nothing durable is measured by its differences."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now_s(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
