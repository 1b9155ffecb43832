"""Reading many packed records at once: one that cannot be read does not keep the others from whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from service_kit.stores.packed.packer import Change, Packer

logger: logging.Logger = logging.getLogger("service_kit.stores")

T = TypeVar("T")
R = TypeVar("R")


async def readable(
    packer: Packer,
    records: Sequence[T],
    change: Callable[[T, Change], R],
    name: Callable[[T], str],
    instead: Callable[[T], Sequence[R]] = lambda _: (),
) -> list[R]:
    """Return records with their payloads as they were; of one that cannot be read, what there is `instead`.

    Codecs are the service's own code: whatever they raise is about one record, and is told under its `name`.
    """
    found = list[R]()
    for record in records:
        try:
            found.append(await packer.unpacked(record, change))
        except Exception:
            logger.exception("%s cannot be read, and is left alone; others go on", name(record))
            found += instead(record)
    return found
