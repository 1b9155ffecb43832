"""Streams as answers of a tool: the first items, and whether there are more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Any

from client_kit.errors import CallTimeout


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much of a stream a model is given."""

    items: int = 100
    time_s: float = 30.0
    """A stream that lasts longer is ended with what has come."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The items that came, and whether the stream has more."""

    items: list[Any]
    complete: bool


async def take(items: AsyncGenerator[Any, None], limits: StreamLimits) -> Taken:
    """Return the first items; the stream is closed."""
    taken: list[Any] = []
    try:
        async for item in items:
            if len(taken) == limits.items:
                return Taken(taken, False)
            taken.append(item)
    except CallTimeout:
        if not taken:
            raise
        return Taken(taken, False)
    finally:
        await items.aclose()
    return Taken(taken, True)


def take_sync(items: Generator[Any, None, None], limits: StreamLimits) -> Taken:
    """Return the first items, as `take` does."""
    taken: list[Any] = []
    try:
        for item in items:
            if len(taken) == limits.items:
                return Taken(taken, False)
            taken.append(item)
    except CallTimeout:
        if not taken:
            raise
        return Taken(taken, False)
    finally:
        items.close()
    return Taken(taken, True)
