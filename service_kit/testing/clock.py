"""The runtime's clock in a test environment."""

from __future__ import annotations

from collections.abc import Callable

from service_kit.runtime.clock import Alarm
from service_kit.testing.loop import VirtualLoop


class VirtualClock:
    """The port `Clock` over virtual time.

    The runtime calls later what executions, tasks and deliveries wait for, and sleeps between rounds of its own
    housekeeping. So sleeping follows the time and does not make it pass: a year in which nothing is due is one jump.
    """

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now_s(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await self._loop.linger(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Alarm:
        return self._loop.call_later(seconds, callback)
