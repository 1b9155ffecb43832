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
    let_wait: Callable[[int], Awaitable[None]] | None
    """Start so many executions that then wait; None: it is not asked for this."""


Opener: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Contestant]]
