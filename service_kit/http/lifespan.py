"""The service's lifespan: opened once, before the first request; closed once, after the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from service_kit.contract.service import Lifespan


class LifespanRunner:
    """Open and close a lifespan, told by the server or, in an application that only mounts us, on first need.

    A mounted application hears no lifespan events (Starlette's `Mount` passes none on). There the lifespan
    opens with the first request, and is closed by the event loop: an async generator that is still suspended
    when the loop ends is closed by `loop.shutdown_asyncgens()`, which every runner calls.
    """

    def __init__(self, lifespan: Lifespan | None) -> None:
        self._lifespan = lifespan
        self._running: AsyncGenerator[None, None] | None = None
        self._opening: asyncio.Lock | None = None
        self.opened = lifespan is None

    async def open(self) -> None:
        """Open the lifespan if it is not; concurrent callers wait for the one that does."""
        if self.opened:
            return
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if not self.opened:
                running = self._run()
                await anext(running)
                self._running, self.opened = running, True

    async def close(self) -> None:
        """Close the lifespan if it is open."""
        if self._running is not None:
            running, self._running, self.opened = self._running, None, False
            await running.aclose()

    async def _run(self) -> AsyncGenerator[None, None]:
        assert self._lifespan is not None
        async with self._lifespan():
            yield
