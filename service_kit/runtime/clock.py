"""Time as the runtime sees it, so that tests and simulations can have their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self


class Alarm(Protocol):
    """A call that will be made later."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Wall-clock time, and waiting for it."""

    def now_s(self) -> float:
        """Return seconds since the epoch. It may jump; nothing durable is measured by its differences."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Alarm:
        """Call `callback` in the running loop when so much time has passed, however the wall clock jumps."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_s(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Alarm:
        return asyncio.get_running_loop().call_later(seconds, callback)


class Deadline:
    """Cancel the block inside when its time is over, and raise TimeoutError: `asyncio.timeout` by any clock."""

    __slots__ = ("_alarm", "_block", "_cancels", "_clock", "_seconds", "expired")

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._alarm: Alarm | None = None
        self._block: asyncio.Task[object] | None = None
        self._cancels = 0
        self.expired: bool = False

    async def __aenter__(self) -> Self:
        block = asyncio.current_task()
        assert block is not None, "deadlines are for blocks of tasks"
        self._block, self._cancels = block, block.cancelling()
        if self._seconds is not None:
            self._alarm = self._clock.call_later(self._seconds, self.expire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        block, self._block = self._block, None
        assert block is not None, "it was entered"
        if self.expired and block.uncancel() <= self._cancels and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """End the block now."""
        if self._block is not None and not self.expired:
            self.expired = True
            self._block.cancel()
