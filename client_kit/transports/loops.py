"""Things that belong to one event loop, for objects that several loops use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One `T` for each event loop, made when the loop first asks."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """Return the running loop's."""
        loop = asyncio.get_running_loop()
        found = self._made.get(loop)
        if found is None:
            for other in [known for known in list(self._made) if known.is_closed()]:
                self._made.pop(other, None)  # what a closed loop left behind cannot be closed any more
            found = self._made[loop] = self._make()
        return found

    def pop(self) -> T | None:
        """Return the running loop's, if it was made, and forget it."""
        return self._made.pop(asyncio.get_running_loop(), None)
