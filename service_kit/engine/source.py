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

TURN = "service_kit.engine.machine"
"""The module that all workflow code runs beneath."""


def caller_line() -> str:
    """Return `file:line in function` of the workflow code that is running now.

    What runs as a task may have no line of the user's, as in `gather(charge(1), charge(2))`, nor has an arrival
    that is applied: then it is where the workflow waits.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_machinery(frame):
        if frame.f_globals.get("__name__") == TURN:
            # The loop's module imports this one.
            lines: str = getattr(_get_running_loop(), "waiting_lines", str)()
            return f"{lines}, where the workflow waits" if lines else "in code that is not the workflow's own"
        frame = frame.f_back
    return _line(frame) if frame is not None else "an unknown line"


def waiting_lines(tasks: Iterable[asyncio.Task[Any]]) -> str:
    """Return the lines at which `tasks` wait, each once; those that have not begun, or have ended, are left out."""
    lines = dict.fromkeys(_waiting_line(task.get_coro()) for task in tasks if not task.done())
    return "; ".join(line for line in lines if line)


def is_machinery(frame: FrameType) -> bool:
    """Return whether a frame is of this package or the standard library, and not of the user's code."""
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in MACHINERY


def _waiting_line(awaited: Any) -> str:
    """Return the innermost line of the user's code on the chain of awaits."""
    if inspect.iscoroutine(awaited) and inspect.getcoroutinestate(awaited) == inspect.CORO_CREATED:
        return ""
    found = ""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None and not is_machinery(frame):
            found = _line(frame)
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return found


def _line(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
