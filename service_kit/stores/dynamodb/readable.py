"""Reading many items at once: one that cannot be read does not keep the others from whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("service_kit.stores")


async def nothing(_: Any) -> Sequence[Any]:
    return ()


async def readable(
    items: Sequence[Any],
    read: Callable[[Any], Awaitable[T]],
    name: Callable[[Any], str],
    instead: Callable[[Any], Awaitable[Sequence[T]]] = nothing,
) -> list[T]:
    """Return what is made of each item; of one that cannot be read, what there is `instead`.

    Codecs are the service's own code, and what lies beside may be gone: that is about one item, and is told under its
    `name`.
    """
    found = list[T]()
    for item in items:
        try:
            found.append(await read(item))
        except Exception:
            logger.exception("%s cannot be read, and is left alone; others go on", name(item))
            found += await instead(item)
    return found
