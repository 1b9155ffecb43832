"""The service's lifespan: opened once, before the first request; closed once, after the last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any

from service_kit.contract.service import Lifespan


class LentVariables:
    """The context variables that a lifespan has set: requests are served by other tasks, which want them too."""

    def __init__(self) -> None:
        self._values: Sequence[tuple[ContextVar[Any], Any]] = ()

    def take(self, before: Context) -> None:
        """Keep the variables of this context that have other values than before."""
        unset = object()
        now = copy_context().items()
        self._values = [
            (variable, value) for variable, value in now if before.get(variable, unset) is not value
        ]

    def lend(self) -> None:
        """Set them in this context."""
        for variable, value in self._values:
            variable.set(value)


class LifespanRunner:
    """Open and close a lifespan, told by the server or, in an application that only mounts us, on first need.

    A mounted application hears no lifespan events (Starlette's `Mount` passes none on). There the lifespan
    opens with the first request. A task of its own holds it open: what a lifespan enters and leaves in one
    task may be task groups and timeouts too, and a runner such as `asyncio.run`, which cancels the tasks that
    are left when it ends, closes it.
    """

    def __init__(self, lifespan: Lifespan | None) -> None:
        self._lifespan = lifespan
        self._ready: asyncio.Future[None] | None = None
        self._holder: asyncio.Task[None] | None = None
        self._closing: asyncio.Event | None = None
        self.variables: LentVariables = LentVariables()
        self.opened: bool = lifespan is None

    async def open(self) -> None:
        """Open the lifespan if it is not; whoever comes while it opens waits for it, and hears if it fails."""
        if self.opened:
            return
        ready = self._ready
        if ready is None:
            ready = self._ready = asyncio.get_running_loop().create_future()
            self._closing = asyncio.Event()
            self._holder = asyncio.create_task(self._hold(ready, self._closing), name="lifespan")
        # Shielded: a caller who gives up leaves the opening to the next one.
        await asyncio.shield(ready)
        self.opened = ready is self._ready

    async def close(self) -> None:
        """Close the lifespan if it is open."""
        if self._holder is not None and self._closing is not None:
            holder, self._holder, self._ready, self.opened = self._holder, None, None, False
            self._closing.set()
            await holder

    async def _hold(self, ready: asyncio.Future[None], closing: asyncio.Event) -> None:
        assert self._lifespan is not None
        before = copy_context()
        try:
            async with self._lifespan():
                self.variables.take(before)
                if not ready.done():
                    ready.set_result(None)
                with suppress(asyncio.CancelledError):
                    # Cancelled, the loop ends: leave as if told to, so that the user's clean-up sees no failure.
                    await closing.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)
        finally:
            if not ready.done():
                ready.cancel()
            if self._ready is ready:  # it failed, or its loop ended: whoever comes next opens it again
                self._holder = self._ready = None
                self.opened = False
