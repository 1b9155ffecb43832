"""Where a sync function runs: in a thread that was kept for it, or else in one of the event loop's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol


class Thread(Protocol):
    """A thread that is kept for one function."""

    async def run(self, function: Callable[[], Any]) -> Any:
        """Run it there, in a copy of the caller's context; raise whatever it raises."""
        ...


_kept: ContextVar[Thread | None] = ContextVar("service_kit_thread", default=None)


def keep_thread(thread: Thread) -> None:
    """Let the next sync function that this context runs have `thread`; for workers."""
    _kept.set(thread)


async def in_thread(function: Callable[[], Any]) -> Any:
    """Run a sync function in a thread, in a copy of the caller's context."""
    thread = _kept.get()
    if thread is None:
        return await asyncio.to_thread(function)
    _kept.set(None)  # it is one function's: what that one calls must not wait for it
    return await thread.run(function)
