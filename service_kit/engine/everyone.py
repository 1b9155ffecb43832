"""`asyncio.all_tasks` in the order in which a workflow has made its tasks.

It copies them out of one set for the whole process, in which others are in their way: where two have hashes that meet,
who comes first would depend on what else runs there. `for one in asyncio.all_tasks(): one.cancel()` would cancel, and
so call, in another order in another process.
"""

from __future__ import annotations

import asyncio
import functools
from asyncio.events import _get_running_loop
from typing import Any

from .loop import WorkflowLoop

__all__ = ["install_all_tasks"]

_original = asyncio.tasks.all_tasks


@functools.wraps(_original)
def all_tasks(loop: asyncio.AbstractEventLoop | None = None) -> set[asyncio.Task[Any]]:
    own = _get_running_loop() if loop is None else loop
    if not isinstance(own, WorkflowLoop):
        return _original(loop)
    return {*own.open_tasks(), *_original(own)}


def install_all_tasks() -> None:
    """Replace the function in its two places, unless somebody else has done so."""
    if asyncio.all_tasks is _original:
        asyncio.all_tasks = asyncio.tasks.all_tasks = all_tasks
