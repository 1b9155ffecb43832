"""`asyncio.wait_for` as it is from Python 3.12 on, in workflows on 3.11 as well.

Before 3.12 it made a task of what it was given, and waited for a future of its own: other calls, or the same ones in
another order, as soon as anything ran beside it. Code that says `from asyncio import wait_for` has the function under
a name that nobody can replace. So the function stays, and its code is replaced: whoever has it has the new one.
Outside of workflows it does what it always did.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.events import _get_running_loop
from collections.abc import Callable
from types import FunctionType
from typing import Any

from .forbidden import ClosedLoop

__all__ = ["install_wait_for"]


def install_wait_for() -> None:
    """Give the function its new code, unless it needs none, has it already, or is not asyncio's own."""
    function: Any = asyncio.tasks.wait_for
    if sys.version_info < (3, 12) and _is_as_it_came(function):
        as_ever = FunctionType(function.__code__, function.__globals__, function.__name__)
        # Where tools look for the signature and the source.
        function.__wrapped__ = as_ever
        function.__kwdefaults__ = {"_wait": _choice(as_ever)}
        function.__code__ = _wait_for.__code__


async def _wait_for(fut: Any, timeout: Any, *, _wait: Any) -> Any:  # noqa: ASYNC109 - asyncio's signature
    # This code runs among the names of `asyncio.tasks`: what it needs, it is given.
    return await _wait(fut, timeout)


def _choice(as_ever: Callable[..., Any]) -> Callable[..., Any]:
    async def wait_for(fut: Any, timeout: float | None) -> Any:  # noqa: ASYNC109 - asyncio's signature
        # With no time, or all of it, it was the same before.
        if timeout is None or timeout <= 0 or not isinstance(_get_running_loop(), ClosedLoop):
            return await as_ever(fut, timeout)
        async with asyncio.timeout(timeout):
            return await fut

    return wait_for


def _is_as_it_came(function: Any) -> bool:
    return isinstance(function, FunctionType) and function.__code__.co_filename == asyncio.tasks.__file__
