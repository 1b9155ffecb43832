"""What a flow asks its driver to do. A flow does no I/O, so that it is written once for async and sync.

A driver sends back what the effect gave, or throws what it raised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from client_kit.wire import AsyncBody, Request, SyncBody

__all__ = ["Close", "Effect", "Fetch", "Flow", "Send", "Sleep", "Wait"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request; gives a Response."""

    request: Request


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """Call a function of the user that may take its time, sync (in a thread) or async; gives what it returns."""

    function: Callable[[], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for what another call is fetching, perhaps in another thread or loop."""

    future: Future[object]
    leader: int
    """The id of the thread in which that call runs."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close a stream that nobody will read."""

    body: AsyncBody | SyncBody


Effect: TypeAlias = Send | Sleep | Fetch | Wait | Close

T = TypeVar("T")
Flow: TypeAlias = Generator[Effect, Any, T]
