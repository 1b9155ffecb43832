"""Reading many records at once: one that cannot be read does not keep the others from whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Never, TypeVar

T = TypeVar("T")
R = TypeVar("R")

logger: logging.Logger = logging.getLogger("service_kit.stores")


async def nothing(_: object) -> Sequence[Never]:
    return ()


async def readable(
    records: Sequence[T],
    read: Callable[[T], Awaitable[R]],
    name: Callable[[T], str],
    instead: Callable[[T], Awaitable[Sequence[R]]] = nothing,
) -> list[R]:
    """Return what is read of each record; of one that cannot be read, what there is `instead`.

    Codecs are the service's own code, and what lies beside may be gone: that is about one record, and is told under
    its `name`.
    """
    found = list[R]()
    for record in records:
        try:
            found.append(await read(record))
        except Exception:
            logger.exception("%s cannot be read, and is left alone; others go on", name(record))
            found += await instead(record)
    return found
