"""Closing the coroutines of an execution that is discarded, under its own loop, where calls do nothing."""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from typing import Any

__all__ = ["close_task"]

CLOSES_MAX = 1_000
"""How often one task's cleanup may wait for something before it is given up."""


def close_task(task: asyncio.Task[Any]) -> None:
    """Close the coroutine of a task that will never run again."""
    # A done task is not asked: CPython 3.12.1 crashes in get_coro of one that finished eagerly.
    if task.done():
        return
    loop = task.get_loop()
    _enter_task(loop, task)
    try:
        _close(task.get_coro())
    finally:
        _leave_task(loop, task)


def _close(coro: Any) -> None:
    """Close a coroutine from the inside out, again where its cleanup awaits something.

    `coro.close()` alone would end the outer ones and leave an inner one that awaits to the garbage collector.
    """
    for _ in range(CLOSES_MAX):
        chain = [coro]
        while _is_open(awaited := getattr(chain[-1], "cr_await", None)):
            chain.append(awaited)
        for inner in reversed(chain):
            _try_to_close(inner)
            if _is_open(inner):
                break  # its cleanup awaits something: that is now the innermost
        else:
            return


def _try_to_close(coro: Any) -> bool:
    try:
        coro.close()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - nobody is there any more who could be told
        return False  # a task group wraps the GeneratorExit of its body, and raises what is no Exception
    return True


def _is_open(coro: Any) -> bool:
    return getattr(coro, "cr_frame", None) is not None
