"""The service's lifespan: opened once, before the first request; closed once, after the last."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from service_kit.contract.service import Lifespan


class LifespanRunner:
    """Open and close a lifespan, told by the server or, in an application that only mounts us, on first need.

    A mounted application hears no lifespan events (Starlette's `Mount` passes none on). There the lifespan
    opens with the first request. A task of its own holds it open: what a lifespan enters and leaves in one
    task may be task groups and timeouts too, and a runner such as `asyncio.run`, which cancels the tasks that
    are left when it ends, closes it.
    """

    def __init__(self, lifespan: Lifespan | None) -> None:
        self._lifespan = lifespan
        self._opening: asyncio.Lock | None = None
        self._holder: asyncio.Task[None] | None = None
        self._closing: asyncio.Event | None = None
        self.opened: bool = lifespan is None

    async def open(self) -> None:
        """Open the lifespan if it is not; concurrent callers wait for the one that does."""
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if not self.opened:
                ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._closing = asyncio.Event()
                self._holder = asyncio.create_task(self._hold(ready, self._closing), name="lifespan")
                await ready
                self.opened = True

    async def close(self) -> None:
        """Close the lifespan if it is open."""
        if self._holder is not None and self._closing is not None:
            holder, self._holder, self.opened = self._holder, None, False
            self._closing.set()
            await holder

    async def _hold(self, ready: asyncio.Future[None], closing: asyncio.Event) -> None:
        assert self._lifespan is not None
        try:
            async with self._lifespan():
                if not ready.done():
                    ready.set_result(None)
                with suppress(asyncio.CancelledError):
                    # Cancelled, the loop ends: leave as if told to, so that the user's clean-up sees no failure.
                    await closing.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)
