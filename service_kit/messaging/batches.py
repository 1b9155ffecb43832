"""Sending in batches, as SQS and EventBridge take them: ten at once, 256 KB together, each accepted or not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

BATCH_MOST = 10
BATCH_MOST_BYTES = 256 * 1024
OVERHEAD_BYTES = 1024
"""What an entry may take beside its body."""
_TRIES = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be sent, as its service wants it."""

    id: str
    request: dict[str, Any]
    size_bytes: int


Send: TypeAlias = Callable[[Sequence[Entry]], Sequence[int]]
"""Sends a batch, blocking; returns which entries of it were not accepted."""


class NotAccepted(Exception):
    """A service did not accept messages, however often they were sent; `ids` tells which."""

    def __init__(self, where: str, ids: Sequence[str]) -> None:
        super().__init__(
            f"{where} did not accept {len(ids)} messages: {', '.join(ids[:5])}; send them again later"
        )
        self.ids: tuple[str, ...] = tuple(ids)


async def send_all(where: str, send: Send, entries: Sequence[Entry]) -> None:
    """Send everything, and what was not accepted again; raise NotAccepted in the end."""
    left = list(entries)
    for attempt in range(_TRIES):
        if attempt:
            await asyncio.sleep(0.05 * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        failed: list[Entry] = []
        for batch in batches(left):
            failed += [batch[number] for number in await asyncio.to_thread(send, batch)]
        left = failed
        if not left:
            return
    raise NotAccepted(where, [entry.id for entry in left])


def batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Divide entries, in their order, into what fits into one request."""
    batch, size = list[Entry](), 0
    for entry in entries:
        if batch and (len(batch) == BATCH_MOST or size + entry.size_bytes > BATCH_MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size_bytes
    if batch:
        yield batch
