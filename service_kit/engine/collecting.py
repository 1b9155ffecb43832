"""The garbage collector waits while a turn is running, in whatever thread of the process.

What it finds may be anybody's: what its cleanup does would be taken for the workflow's.
"""

from __future__ import annotations

import gc
from threading import RLock

__all__ = ["hold_collector", "release_collector"]


class _Turns:
    """How many are running in the process, and whether the collector waits for them."""

    count: int = 0
    hold: bool = False


_turns = _Turns()
_lock = RLock()


def hold_collector() -> None:
    """Begin a turn. A collector that is off, because somebody else wants it so, stays off."""
    with _lock:
        if not _turns.count:
            _turns.hold = gc.isenabled()
            gc.disable()
        _turns.count += 1


def release_collector() -> None:
    """End a turn: the last one lets the collector go on."""
    with _lock:
        _turns.count -= 1
        if not _turns.count and _turns.hold:
            gc.enable()
