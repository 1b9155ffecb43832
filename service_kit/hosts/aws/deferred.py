"""The store of idempotent answers, made with the first idempotency key: most functions see none in their life."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service_kit.runtime.idempotency import Beginning, IdempotencyStore, KeptAnswer


class DeferredIdempotencyStore:
    """Keep answers in the memory of this process, which imports what that takes when there is one to keep.

    Lambda runs many processes: a retry that reaches another one runs the command again.
    """

    def __init__(self) -> None:
        self._made: IdempotencyStore | None = None

    async def begin(self, key: str, fingerprint: bytes) -> Beginning:
        return await self._store().begin(key, fingerprint)

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        await self._store().keep(key, answer)

    async def release(self, key: str) -> None:
        await self._store().release(key)

    def _store(self) -> IdempotencyStore:
        if self._made is None:
            from service_kit.stores.memory.idempotency import MemoryIdempotencyStore

            self._made = MemoryIdempotencyStore(time.monotonic)
        return self._made
