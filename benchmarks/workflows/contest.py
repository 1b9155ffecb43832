"""What every contender of this area offers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Contestant:
    """An open contender."""

    count: Callable[[int], Awaitable[int]]
    """Start a workflow of so many steps, one after the other, and return its result: the number of steps."""
    let_wait: Callable[[int], Awaitable[None]] | None = None
    """Start so many executions that then wait; None: it is not asked for this."""
    start: Callable[[], Awaitable[None]] | None = None
    """Start one execution that waits at once; None: it is not asked for this."""
    alone: bool = True
    """Whether all its work happens in this process: only then its processor time says anything."""


Opener: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Contestant]]

Rehearsal: TypeAlias = Callable[[int], Callable[[], Awaitable[None]]]
"""Make up the history of a workflow of so many steps, and return what replays it from its beginning to its end."""
