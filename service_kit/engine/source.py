"""Where workflow code stands, for messages."""

from __future__ import annotations

import asyncio
import inspect
import sys
from asyncio.events import _get_running_loop
from collections.abc import Iterable
from types import FrameType
from typing import Any

__all__ = ["caller_line", "is_machinery", "waiting_lines"]

MACHINERY = sys.stdlib_module_names | {"service_kit"}
"""Packages whose frames are never the user's line."""

INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of what is seldom the user's own."""

TURN = "service_kit.engine.machine"
"""The module that all workflow code runs beneath."""


def caller_line() -> str:
    """Return `file:line in function` of the workflow code that is running now.

    Where that has called another package, as in `requests.get(url)`, it is the workflow's line, and then the other's.
    What runs as a task may have no line of the user's, as in `gather(charge(1), charge(2))`, nor has an arrival
    that is applied: then it is where the workflow waits.
    """
    found: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != TURN:
        if not is_machinery(frame):
            found.append(frame)
        frame = frame.f_back
    # The loop's module imports this one.
    waits: str = getattr(_get_running_loop(), "waiting_lines", str)()
    if not found:
        return f"{waits}, where the workflow waits" if waits else "in code that is not the workflow's own"
    innermost, outermost = found[0], found[-1]
    if frame is None or _package(innermost) == _package(outermost):
        is_own = INSTALLED.isdisjoint(outermost.f_code.co_filename.replace("\\", "/").split("/"))
        line = _line(innermost)
        # Installed packages make tasks of their own, as anyio does beneath httpx, for which the workflow waits.
        return line if is_own or not waits else f"{line}, for which the workflow waits at {waits}"
    own = next(one for one in found if _package(one) == _package(outermost))
    return f"{_line(own)}, by {_line(innermost)}"


def waiting_lines(tasks: Iterable[asyncio.Task[Any]]) -> str:
    """Return the lines at which `tasks` wait, each once; those that have not begun, or have ended, are left out."""
    lines = dict.fromkeys(_waiting_line(task.get_coro()) for task in tasks if not task.done())
    return "; ".join(line for line in lines if line)


def is_machinery(frame: FrameType) -> bool:
    """Return whether a frame is of this package or the standard library, and not of the user's code."""
    return _package(frame) in MACHINERY


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


def _waiting_line(awaited: Any) -> str:
    """Return the innermost line on the chain of awaits that is of the package with which the user's code begins."""
    if inspect.iscoroutine(awaited) and inspect.getcoroutinestate(awaited) == inspect.CORO_CREATED:
        return ""
    found = own = ""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None and not is_machinery(frame):
            own = own or _package(frame)
            found = _line(frame) if _package(frame) == own else found
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return found


def _line(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
